import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright'
import { SERVER_ADDRESS } from '../nat/lab/addresses.ts'
import { DelayLine } from '../nat/lab/delay-line.ts'
import { Lab } from '../nat/lab/lab.ts'
import type { Namespace } from '../nat/lab/namespace.ts'
import { Service } from '../nat/lab/service.ts'
import { launchChromium } from '../support/browsers.ts'
import { chromiumPath } from '../support/chromium-path.mjs'
import { PEERJS_COMMAND } from './servers/peerjs-server.ts'
import { CLIENT, type Venue } from './venue.ts'

const COMMAND_LINE = fileURLToPath(new URL('../../dist/signaling/cli.js', import.meta.url))
const PUB_SUB = fileURLToPath(new URL('servers/pub-sub-command.ts', import.meta.url))
const PORTS = { server: 8080, pubSub: 8081, peerJs: 8082 }
const ORIGIN = `http://${SERVER_ADDRESS}:${PORTS.server}`

export interface FarVenue extends Venue {
  /** From now on, of all packets to and from the first browser, each way. */
  lose(percent: number): Promise<void>
}

/**
 * Each browser at a site of its own, a delay line between each site and the internet that the servers are on: so much is
 * added between a browser and a server, and twice that between the browsers. Needs root.
 */
export async function farVenue(addedRttMs: number): Promise<FarVenue> {
  const folder = await mkdtemp(join(tmpdir(), 'partyline-bench-'))
  const lab = await Lab.create([1, 1])
  const closers: (() => Promise<unknown>)[] = [() => lab.close(), () => rm(folder, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    for (const { number } of lab.sites) {
      const line = await DelayLine.insert(lab.internet, `site${number}`, 'internet', addedRttMs / 2)
      closers.push(() => line.remove())
    }
    for (const service of services(lab, folder)) {
      await service.start()
      closers.push(() => service.kill())
    }
    const browsers: Browser[] = []
    for (const { namespace } of lab.clients) {
      const browser = await launchIn(namespace, folder)
      closers.push(() => browser.close())
      browsers.push(browser)
    }
    const addresses = {
      client: CLIENT,
      pubSub: `ws://${SERVER_ADDRESS}:${PORTS.pubSub}`,
      peerJs: { host: SERVER_ADDRESS, port: PORTS.peerJs },
    }
    return {
      browsers: browsers as unknown as [Browser, Browser],
      origin: `${ORIGIN}/`,
      addresses,
      lose: async (percent) => {
        const drop = `numgen random mod 1000 < ${Math.round(percent * 10)} drop`
        await lab.sites[0]?.trouble(...(percent > 0 ? [drop] : []))
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function services(lab: Lab, folder: string): Service[] {
  const service = (name: string, args: readonly string[], ready: RegExp): Service =>
    new Service({ name, namespace: lab.server, program: process.execPath, args, ready })
  const at = (port: number): string[] => ['--host', SERVER_ADDRESS, '--port', String(port)]
  const data = ['--data-folder', join(folder, 'server')]
  return [
    service(
      'server',
      [COMMAND_LINE, ...at(PORTS.server), ...data, '--turn', 'off', '--log-format', 'json'],
      /"listening"/,
    ),
    service('pub-sub server', ['--import', 'tsx', PUB_SUB, SERVER_ADDRESS, String(PORTS.pubSub)], /listening/),
    service("PeerJS's server", [PEERJS_COMMAND, ...at(PORTS.peerJs), '--path', '/'], /Started PeerServer/),
  ]
}

/** Without TLS, whose price is the same for all; without a name service, or hidden addresses that would need one. */
async function launchIn(namespace: Namespace, folder: string): Promise<Browser> {
  const script = join(folder, `${namespace.name}.sh`)
  const command = [...namespace.entering, await chromiumPath()].join(' ')
  await writeFile(script, `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o700 })
  return launchChromium({
    executablePath: script,
    flags: [`--unsafely-treat-insecure-origin-as-secure=${ORIGIN}`, '--disable-features=WebRtcHideLocalIpsWithMdns'],
  })
}
