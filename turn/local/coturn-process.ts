/** One running coturn: started, listened to, stopped, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { TurnClock } from './clock.ts'
import { CoturnLog, type TurnLogger } from './log.ts'

/** How a process ended, in words. */
export type CoturnExit = string

/** A coturn that was started. */
export interface CoturnProcess {
  /** Undefined when it could not be started; then `exited` says why. */
  readonly pid: number | undefined
  /** Resolves when the process is gone. Never rejects. */
  readonly exited: Promise<CoturnExit>
  /** What coturn said about its configuration so far. Empty is good. */
  readonly complaints: () => readonly string[]
  /** SIGTERM, and SIGKILL if that does not help soon; resolves when the process is gone. */
  stop(): Promise<void>
  /** SIGKILL: for one that hangs. */
  kill(): void
}

/** What starting a coturn takes. */
export interface LaunchRequest {
  readonly executable: string
  readonly configFile: string
  /** A folder to remove when we are killed and cannot do it; it holds the secrets. */
  readonly temporary?: string | undefined
  readonly logger: TurnLogger
  readonly clock: TurnClock
}

/** coturn ends within some ms of a SIGTERM; two seconds is for a machine under load. */
const STOP_MS = 2_000

/**
 * A shell that waits on a pipe from us and kills coturn when the pipe ends without a word, which is when we were
 * killed: the kernel closes the pipe of a dead process, however it died. It works on every Unix, and, unlike a parent
 * death signal, does not depend on the thread that started the process or on file capabilities of turnserver.
 */
const GUARD_SCRIPT = 'read -r word || { kill -9 "$1"; [ -z "$2" ] || rm -rf -- "$2"; }'

function startGuard(pid: number, temporary = ''): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'coturn-guard', String(pid), temporary], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.on('error', () => {})
  guard.stdin?.on('error', () => {})
  return guard
}

/** Start coturn in the foreground of a process group of its own, so that Ctrl-C in a terminal reaches only us. */
export function launchCoturn({ executable, configFile, temporary, logger, clock }: LaunchRequest): CoturnProcess {
  const child = spawn(executable, ['-c', configFile], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const guard = child.pid === undefined ? undefined : startGuard(child.pid, temporary)
  const log = new CoturnLog(logger, () => clock.nowMs())
  let gone = false

  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    // Lines of the two never mix here: coturn writes its log to one and complaints of libraries to the other.
    stream.on('data', (chunk: string) => log.write(chunk))
  }
  const exited = new Promise<CoturnExit>((resolve) => {
    const end = (how: CoturnExit): void => {
      gone = true
      guard?.stdin?.end('done\n')
      log.end()
      resolve(how)
    }
    child.once('error', (error) => {
      if (child.pid === undefined) end(`could not be started: ${error.message}`)
    })
    child.once('exit', (code, signal) => end(signal === null ? `exited with code ${code}` : `ended by ${signal}`))
  })

  const signalChild = (signal: NodeJS.Signals): void => {
    if (!gone) child.kill(signal)
  }
  return {
    pid: child.pid,
    exited,
    complaints: () => log.complaints,
    kill: () => signalChild('SIGKILL'),
    stop: async () => {
      signalChild('SIGTERM')
      const timer = clock.setTimeout(() => signalChild('SIGKILL'), STOP_MS)
      await exited
      clock.clearTimeout(timer)
    },
  }
}
