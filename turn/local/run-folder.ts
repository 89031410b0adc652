/** The folder in which a coturn of ours keeps its configuration, its database and its pid. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { turnserverConfig } from '../config.ts'
import type { TurnOptions } from '../options.ts'

/** Files that are ready for coturn to start with. */
export interface RunFolder {
  readonly configFile: string
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

/**
 * End a coturn that an earlier run left in this folder, if its owner is gone and the process is really that coturn
 * (where /proc tells). The guard beside each coturn makes this rare: both it and its owner must have been killed.
 */
async function endLeftover(pidFile: string, ownerFile: string, configFile: string): Promise<void> {
  const [pid, owner] = [await readPid(pidFile), await readPid(ownerFile)]
  if (pid === undefined || (owner !== undefined && owner !== process.pid && alive(owner))) return
  const isOurs = async (): Promise<boolean> =>
    (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').includes(configFile)
  if (!(await isOurs())) return
  process.kill(pid, 'SIGKILL')
  for (let tries = 0; tries < 100 && (await isOurs()); tries++) await pause(20)
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
    remove: async () => {
      const files = folder === undefined ? [path] : [configFile, pidFile, ownerFile, userDatabase]
      await Promise.all(files.map((file) => rm(file, { recursive: true, force: true })))
    },
  }
}
