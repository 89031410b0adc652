import { readdirSync, readFileSync } from 'node:fs'

/**
 * What a process's threads have used of the processors so far, s, to the microsecond; what others used is not in it,
 * so it says much on a busy machine, too. Linux only.
 */
export function processorSeconds(pid: number): number {
  let nanoseconds = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0])
    } catch {
      // A thread that has ended since.
    }
  }
  return nanoseconds / 1e9
}

/** Open files this process may have. */
export function openFilesLimit(): number {
  const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))
  const value = line?.[1]
  return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value)
}
