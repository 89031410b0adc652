import { randomFillSync } from 'node:crypto'
import { join } from 'node:path'
import { liveAccess } from './access/live-access.ts'
import { machineAddresses, serverUrls } from './addresses.ts'
import { HttpApi } from './api/http-api.ts'
import { systemClock } from './clock.ts'
import { DataFolder } from './data-folder.ts'
import { historyFromOptions } from './history/from-options.ts'
import { Hub, type HubStats } from './hub.ts'
import { HUB_DEFAULTS, type HubOptions } from './limits/hub-options.ts'
import { createLog, type Log } from './log.ts'
import { LogThrottle } from './log-throttle.ts'
import { clientAddressBehind, trustedProxyCheck } from './net/address.ts'
import { chooseEngine } from './net/engines.ts'
import { HEARTBEAT, Heartbeat } from './net/heartbeat.ts'
import { type Admission, HTTP_PATIENCE, HttpCarriers } from './net/http-carriers.ts'
import type { EngineName, Network, RequestHead, TlsFiles, UpgradeDecision } from './net/network.ts'
import { type OriginCheck, originCheck } from './net/origin.ts'
import { carryOverWebSocket } from './net/websocket-carrier.ts'
import { Operations } from './operations.ts'
import { parseServerOptions } from './options/parse.ts'
import type { ServerOptions, ServerOptionsInput } from './options/table.ts'
import { packageRoot, packageVersion } from './package-root.ts'
import { CLOSE } from './protocol/errors.ts'
import { FileDepartures } from './sessions/departures-file.ts'
import { createSite } from './static/site.ts'
import { selfSignedFiles } from './tls/self-signed.ts'
import { watchTlsFiles } from './tls/watch.ts'
import { startTurnService, type TurnService } from './turn-service.ts'
import { webhookSecrets, webhooksFromOptions } from './webhooks/from-options.ts'

export interface RunningServer {
  /** Where it can be opened on this machine, such as `http://localhost:8080`, with the base path. */
  readonly url: string
  /** `url` and, when it listens everywhere, the same for each address of this machine. */
  readonly urls: readonly string[]
  readonly port: number
  readonly engine: EngineName
  readonly secure: boolean
  /** False when the pages are not built. */
  readonly hasPages: boolean
  stats(): HubStats
  /**
   * Take other options while everything runs; nobody is dropped. What can be changed so is marked in the README; the
   * rest is named in the log and waits for a restart. `read` may throw: then, and when an option cannot be used, one
   * line of the log says why and everything stays as it was. Says whether the options were taken.
   */
  reload(read: () => ServerOptionsInput): boolean
  /**
   * Tell every client to come back (1012 with `restart`, else 1001), let closing handshakes finish, stop the local
   * coturn, and free the port. Resolves when all that is done, within some 2 s, with `restart` `drainDelayMs` later:
   * until then `/readyz` answers 503 and all else goes on. Sessions live on for a server with the same data folder.
   */
  close(how?: { readonly restart?: boolean }): Promise<void>
}

/** The hub's own bounds, and room for what it sends on a queue it takes for empty: one packet, one welcome. */
const queueBytes = (options: HubOptions): number =>
  options.slowReaderBytes + options.controlBacklogBytes + 4 * options.packetBytes
const CLOSE_GRACE_MS = 1_000
/** For what webhooks have not told yet. */
const WEBHOOKS_GRACE_MS = 1_000

/** `/` is '', `/party/` is `/party`. */
const trimmedBase = (path: string): string => path.replace(/\/$/, '')

function hubOptions(options: ServerOptions): HubOptions {
  const { graceMs, joinTimeoutMs, tokenTtlMs, membersPerRoom, roomsPerServer, connectionsPerAddress } = options
  const { messagesPerSecond, bytesPerSecond, slowReaderBytes, slowReaderMs } = options
  const { profileBytes, frameBytes, packetBytes } = options
  return {
    ...HUB_DEFAULTS,
    ...{ graceMs, joinTimeoutMs, tokenTtlMs, membersPerRoom, roomsPerServer, connectionsPerAddress },
    ...{ messagesPerSecond, bytesPerSecond, slowReaderBytes, slowReaderMs, profileBytes, frameBytes, packetBytes },
    holdBytes: Math.max(HUB_DEFAULTS.holdBytes, 8 * packetBytes),
  }
}

async function tlsFiles(options: ServerOptions, folder: DataFolder): Promise<TlsFiles | undefined> {
  if (options.tls === 'off') return undefined
  if (options.tls === 'self-signed') return selfSignedFiles(folder, machineAddresses())
  const { tlsCert, tlsKey } = options
  return tlsCert === undefined || tlsKey === undefined ? undefined : { certFile: tlsCert, keyFile: tlsKey }
}

/** The first signs session tokens, all are accepted. */
function sessionKeys(options: ServerOptions, folder: DataFolder): readonly Uint8Array[] {
  const keys = options.signingKey.length > 0 ? options.signingKey : [folder.secret('signing-key')]
  return keys.map((key) => Buffer.from(key, 'utf8'))
}

/** The check of origins, which follows the options. */
function liveOriginCheck(operations: Operations): OriginCheck {
  const checkOf = (options: ServerOptions): OriginCheck =>
    originCheck(options.origins, trustedProxyCheck(options.trustedProxies))
  let check = checkOf(operations.options)
  operations.onReload((options) => {
    const next = checkOf(options)
    return () => {
      check = next
    }
  })
  return (request) => check(request)
}

const after = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs))

function keepTlsFresh(files: TlsFiles | undefined, network: Network, log: Log): () => void {
  if (files === undefined) return () => undefined
  return watchTlsFiles(files, () => {
    network.reloadTls(files).then(
      () => log.info({ certFile: files.certFile }, 'new connections get the new certificate'),
      (error: unknown) => log.error({ err: error }, 'the new certificate is not used; the old one stays'),
    )
  })
}

/** Who may open an uplink, by whichever carrier, and where it comes from. */
function doorman(options: ServerOptions, log: Log, refuseOrigin: OriginCheck): (request: RequestHead) => Admission {
  const clientAddress = clientAddressBehind(options.trustedProxies)
  const throttle = new LogThrottle(() => performance.now())
  return (request) => {
    const address = clientAddress(request.socketAddress, request.header('x-forwarded-for'))
    const refusal = refuseOrigin(request)
    if (refusal === undefined) return { address }
    throttle.tell((unsaid) => {
      const origin = request.header('origin')?.slice(0, 200)
      log.warn({ address, origin, ...unsaid }, 'refused a page of another origin; allow it with --origins')
    })
    return { refuse: refusal }
  }
}

const upgrader =
  (admit: (request: RequestHead) => Admission, hub: Hub, heartbeat: Heartbeat) =>
  (request: RequestHead): UpgradeDecision => {
    const admission = admit(request)
    if ('refuse' in admission) return { refuse: { status: 403, message: admission.refuse } }
    return {
      accept: carryOverWebSocket(hub, heartbeat, admission.address, request.header('sec-websocket-protocol')),
    }
  }

export interface StartExtras {
  /** Instead of the one that `logLevel` and `logFormat` describe. */
  readonly log?: Log
}

/**
 * Start a server. The environment and files of options are not looked at: what is not given has its default.
 * Rejects with `OptionsError`, `NetworkError` (port in use, certificate unusable, …) or `DataFolderError`, `HistoryFileError`; each message
 * says what to do.
 */
export async function startServer(input: ServerOptionsInput = {}, extras: StartExtras = {}): Promise<RunningServer> {
  const options = parseServerOptions(input)
  const log = extras.log ?? createLog(options)
  const folder = new DataFolder(options.dataFolder)
  const startedMs = Date.now()
  const version = packageVersion()

  const { listen, engine, fallbackReason } = await chooseEngine(options.engine)
  if (fallbackReason !== undefined) log.warn({ engine }, `serving with ws on node:http: ${fallbackReason}`)
  const tls = await tlsFiles(options, folder)
  const departures = folder.guarded(
    () =>
      new FileDepartures(folder.file('departures'), {
        nowMs: () => Date.now(),
        failed: (error) => log.error({ err: error }, 'departures are kept in memory only from here on'),
      }),
  )
  const undo: (() => void | Promise<void>)[] = [() => departures.close()]
  try {
    const turn: TurnService = await startTurnService(options, folder, log)
    undo.unshift(() => turn.stop())
    // After whatever may be wrong with other options: it says something of its own about an open server.
    const access = liveAccess(options, log)
    const webhooks = webhooksFromOptions(options, folder, log)
    undo.unshift(async () => webhooks?.close(WEBHOOKS_GRACE_MS))
    const history = await historyFromOptions(options, folder, log)
    undo.unshift(async () => history?.close())
    const hubSettings = hubOptions(options)
    const hub = new Hub({
      options: hubSettings,
      clock: systemClock,
      random: (bytes) => void randomFillSync(bytes),
      log,
      sessionKeys: sessionKeys(options, folder),
      iceServers: turn.grant,
      departures,
      access: access.access,
      watcher: webhooks,
      history,
    })
    const heartbeat = new Heartbeat(() => performance.now())
    const slowHeartbeat = new Heartbeat(() => performance.now(), HTTP_PATIENCE)
    const sweep = (): void => {
      heartbeat.sweep()
      slowHeartbeat.sweep()
    }
    const sweeping = setInterval(sweep, HEARTBEAT.sweepEveryMs)
    undo.unshift(() => clearInterval(sweeping))

    const base = trimmedBase(options.basePath)
    const operations = new Operations({
      ...{ options, log, base, version, engine, startedMs },
      hub: () => hub.stats(),
      turn: () => ({ state: turn.state(), credentialsIssued: turn.issued() }),
      webhooks: () => webhooks?.stats,
    })
    undo.unshift(() => operations.stop())
    operations.onReload((next) => {
      const change = { options: hubOptions(next), sessionKeys: sessionKeys(next, folder) }
      return () => hub.reconfigure(change)
    })
    operations.onReload(access.prepare)
    if (webhooks !== undefined) {
      operations.onReload((next) => {
        const secrets = webhookSecrets(next, folder)
        return () => webhooks.signWith(secrets)
      })
    }
    operations.onReload((next) => () => history?.allow(next))
    const wrongKeys = new LogThrottle(() => performance.now())
    const defects = new LogThrottle(() => performance.now())
    const onError = (error: unknown): void =>
      defects.tell((unsaid) => log.error({ err: error, ...unsaid }, 'a request met a defect'))
    const api = new HttpApi({
      ...{ base, version, directory: hub.directory, history: hub.backendHistory, apiKeys: operations.apiKeys, onError },
      nowMs: () => performance.now(),
      wrongKey: ({ socketAddress, path }) =>
        wrongKeys.tell((unsaid) => log.warn({ address: socketAddress, path, ...unsaid }, 'a wrong API key')),
    })
    const admit = doorman(options, log, liveOriginCheck(operations))
    const carriers = new HttpCarriers({
      ...{ base, acceptor: hub, heartbeat: slowHeartbeat, admit },
      random: (bytes) => void randomFillSync(bytes),
      maxBodyBytes: 2 * hubSettings.packetBytes,
      maxQueuedBytes: queueBytes(hubSettings),
    })
    let closing: Promise<void> | undefined
    const site = createSite({
      base,
      pagesFolder: options.pages ?? join(packageRoot(), 'dist/pages'),
      clientFolder: join(packageRoot(), 'dist/client'),
      health: () => {
        const { rooms, members, connections } = hub.stats()
        const status = operations.readiness === 'ready' ? 'ok' : operations.readiness
        const uptimeMs = Date.now() - startedMs
        const body = { status, version, engine, uptimeMs, turn: turn.state(), rooms, members, connections }
        // Whoever drains is alive: a health check that failed now would have it killed.
        return { ok: true, body }
      },
    })
    const network = await listen({
      host: options.host,
      port: options.port,
      tls,
      webSocketPath: `${base}/ws`,
      maxMessageBytes: 2 * hubSettings.packetBytes,
      maxQueuedBytes: queueBytes(hubSettings),
      upgrade: upgrader(admit, hub, heartbeat),
      http: (request, response) =>
        carriers.handle(request, response) ??
        operations.handle(request, response) ??
        api.handle(request, response) ??
        site.handle(request, response),
      onError,
    })
    undo.unshift(keepTlsFresh(tls, network, log))
    const secure = tls !== undefined
    const urls = serverUrls({ host: options.host, port: network.port, secure, base })
    operations.opened()
    log.info({ engine, port: network.port, secure, version }, 'listening')

    const close = async (restart: boolean): Promise<void> => {
      operations.draining()
      const { drainDelayMs } = operations.options
      if (restart && drainDelayMs > 0) {
        log.info({ drainDelayMs }, 'draining: /readyz says so, and members stay for now')
        await after(drainDelayMs)
      }
      hub.close(restart ? CLOSE.restart : CLOSE.goingAway)
      await carriers.told(CLOSE_GRACE_MS)
      network.stopListening()
      const turnStopped = turn.stop()
      await network.close(CLOSE_GRACE_MS)
      await turnStopped
      for (const act of undo) await act()
      log.info({}, 'closed')
    }
    return {
      url: urls[0] ?? '',
      urls,
      port: network.port,
      engine,
      secure,
      hasPages: site.hasPages,
      stats: () => hub.stats(),
      reload: (read) => operations.reload(read),
      close: ({ restart = false } = {}) => {
        closing ??= close(restart)
        return closing
      },
    }
  } catch (error) {
    for (const act of undo) await act()
    throw error
  }
}
