import { execFile, spawnSync } from 'node:child_process'

/** Commands of the lab take milliseconds; one that takes this long hangs. */
const LONGEST_MS = 60_000

/**
 * Runs a program to its end, with `input` as its standard input, and resolves with what it printed.
 *
 * @throws Error with the command and what it complained about
 */
export function run(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: LONGEST_MS }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}\n${input}`))
    })
    // A program may end without reading; how it went is told by its exit code.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** The same while nothing may wait: at the end of the process. What goes wrong is passed over. */
export function runNow(program: string, args: readonly string[]): string {
  return spawnSync(program, args, { encoding: 'utf8', timeout: LONGEST_MS }).stdout ?? ''
}

/** `ip`, one command in one string. No argument of the lab has a space in it. */
export const ip = (command: string): Promise<string> => run('ip', command.split(' '))
