/** The folder in which a coturn of ours keeps its configuration, its database and its pid. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { turnserverConfig } from '../config.ts'
import type { TurnOptions } from '../options.ts'

/** Files that are ready for coturn to start with. */
export interface RunFolder {
  readonly configFile: string
  /** The whole folder when it is a temporary one, which may go as soon as coturn does. */
  readonly temporary: string | undefined
  /** Remove what was made; the whole folder when it was a temporary one. */
  remove(): Promise<void>
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const readPid = async (file: string): Promise<number | undefined> => {
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10)
  return pid > 1 ? pid : undefined
}

/** True when the process has let go of its ports: its threads are gone, and what remains waits for its parent at most. */
async function isOver(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  if (threads.length !== 1) return threads.length === 0
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat === '' || /\) [ZX] /.test(stat)
}

/**
 * End a coturn that an earlier run left in this folder, if its owner is gone and the process is really that coturn
 * (where /proc tells). The guard beside each coturn makes this rare: both it and its owner must have been killed.
 */
async function endLeftover(pidFile: string, ownerFile: string, configFile: string): Promise<void> {
  const [pid, owner] = [await readPid(pidFile), await readPid(ownerFile)]
  if (pid === undefined || (owner !== undefined && owner !== process.pid && alive(owner))) return
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  if (!commandLine.split('\0').includes(configFile)) return
  process.kill(pid, 'SIGKILL')
  for (let tries = 0; tries < 100 && !(await isOver(pid)); tries++) await pause(20)
}

/**
 * Write the configuration, readable by us only, into `folder` or a new temporary one.
 * A folder that is given can be used by one server at a time.
 */
export async function makeRunFolder(options: TurnOptions, folder: string | undefined): Promise<RunFolder> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), 'partyline-turn-')))
  await mkdir(path, { recursive: true, mode: 0o700 })
  const at = (name: string): string => join(path, name)
  const [configFile, userDatabase, pidFile, ownerFile] = [
    at('turnserver.conf'),
    at('turn.sqlite'),
    at('turnserver.pid'),
    at('owner.pid'),
  ]
  if (folder !== undefined) await endLeftover(pidFile, ownerFile, configFile)
  await writeFile(configFile, turnserverConfig(options, { userDatabase, pidFile }), { mode: 0o600 })
  // The mode above counts only for a new file.
  await chmod(configFile, 0o600)
  await writeFile(ownerFile, `${process.pid}\n`)
  return {
    configFile,
    temporary: folder === undefined ? path : undefined,
    remove: async () => {
      const files = folder === undefined ? [path] : [configFile, pidFile, ownerFile, userDatabase]
      await Promise.all(files.map((file) => rm(file, { recursive: true, force: true })))
    },
  }
}
