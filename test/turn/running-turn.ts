/** A real coturn on ports of its own, run by the code under test, and clients of it. */
import { networkInterfaces } from 'node:os'
import {
  LocalTurn,
  type LocalTurnSettings,
  type LocalTurnState,
  type TurnOptionsInput,
  turnCredentials,
} from '../../turn/index.ts'
import { freePort } from '../support/free-port.ts'
import { TurnClient, type TurnClientSettings } from './turn-client.ts'

export const SECRETS = ['first-secret-of-the-tests', 'second-secret-of-the-tests'] as const

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

export interface RunningTurn {
  readonly turn: LocalTurn
  readonly port: number
  readonly log: readonly LogEntry[]
  readonly states: readonly LocalTurnState[]
  /** The next state with this status; also when it is the present one. */
  until(status: LocalTurnState['status']): Promise<LocalTurnState>
  /** A client with credentials that are good, unless said otherwise. */
  client(settings?: Partial<TurnClientSettings>): Promise<TurnClient>
}

type Settings = Partial<Omit<LocalTurnSettings, 'options' | 'logger' | 'onState'>>

/** Make one, not started. */
export async function makeTurn(options: Partial<TurnOptionsInput> = {}, settings: Settings = {}): Promise<RunningTurn> {
  const port = options.port ?? (await freePort())
  const log: LogEntry[] = []
  const states: LocalTurnState[] = []
  let waiters: ((state: LocalTurnState) => void)[] = []
  const entry = (level: LogEntry['level']) => (fields: object, message: string) =>
    void log.push({ level, fields, message })
  const turn = new LocalTurn({
    options: {
      secrets: SECRETS,
      listenAddresses: ['127.0.0.1', '::1'],
      relayPorts: { min: 20_000, max: 29_999 },
      ...options,
      port,
    },
    logger: { debug: entry('debug'), info: entry('info'), warn: entry('warn'), error: entry('error') },
    onState: (state) => {
      states.push(state)
      for (const waiter of waiters) waiter(state)
    },
    ...settings,
  })
  const until = (status: LocalTurnState['status']): Promise<LocalTurnState> => {
    if (turn.state.status === status) return Promise.resolve(turn.state)
    return new Promise((resolve) => {
      const waiter = (state: LocalTurnState): void => {
        if (state.status !== status) return
        waiters = waiters.filter((one) => one !== waiter)
        resolve(state)
      }
      waiters.push(waiter)
    })
  }
  const client = (given: Partial<TurnClientSettings> = {}): Promise<TurnClient> =>
    TurnClient.connect({
      port,
      ...turnCredentials({ secret: SECRETS[0], peerId: '0123456789abcdef', nowMs: Date.now() }),
      ...given,
    })
  return { turn, port, log, states, until, client }
}

/** Make one, and start it. */
export async function startTurn(
  options: Partial<TurnOptionsInput> = {},
  settings: Settings = {},
): Promise<RunningTurn> {
  const running = await makeTurn(options, settings)
  const state = await running.turn.start()
  if (state.status !== 'running')
    throw new Error(`coturn did not start: ${JSON.stringify(state)} ${JSON.stringify(running.log)}`)
  return running
}

/** An IPv4 address of this machine that is not loopback. */
export const ownAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address
