import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const CLI = fileURLToPath(new URL('../../signaling/cli.ts', import.meta.url))

export interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>
  /** Resolves with the first match in standard output. */
  printed(pattern: RegExp): Promise<string>
  /** Resolves with the first match in standard error, where the log is. */
  logged(pattern: RegExp): Promise<string>
}

/** The command from source, as a process of its own. Whoever starts it ends it. */
export function partyline(...args: readonly string[]): Run {
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...args], { env: { PATH: process.env.PATH } })
  let out = ''
  let err = ''
  child.stdout?.on('data', (data: Buffer) => {
    out += data.toString()
  })
  child.stderr?.on('data', (data: Buffer) => {
    err += data.toString()
  })
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, out, err })),
  )
  const found = (stream: NodeJS.EventEmitter | null, pattern: RegExp, text: () => string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(text())
        if (match !== null) resolve(match[1] ?? match[0])
      }
      stream?.on('data', look)
      look()
      ended.then(() => reject(new Error(`ended without ${pattern}: ${out}${err}`)))
    })
  return {
    child,
    ended,
    printed: (pattern) => found(child.stdout, pattern, () => out),
    logged: (pattern) => found(child.stderr, pattern, () => err),
  }
}
