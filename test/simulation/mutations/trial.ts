/** Runs a test, or the simulation, with a fault in the code: bundled in memory, in a thread that can be stopped. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build, type Plugin } from 'esbuild'
import { type Mutant, mutate, type NamedTest } from './mutant.ts'
import type { Said } from './thread.ts'
import { readSource, TOP } from './top.ts'

/** Some of today's mutants show at the 100th seed; which one it is differs when the code changes. */
export const SEEDS = 400
/** A fault may make the code run in circles, or a test wait for what never comes. No seed, and no test, takes so long. */
const SILENT_MS = 60_000

/** What noticed the mutant said; `undefined` when all was fine, and it survived. */
export const tryMutant = (mutant: Mutant, seeds: number = SEEDS): Promise<string | undefined> =>
  mutant.killedBy === 'simulation' ? trySimulation(mutant, seeds) : tryTest(mutant.killedBy, mutant)

export const trySimulation = async (mutant: Mutant | undefined, seeds: number): Promise<string | undefined> =>
  outcomeOf(await bundle(`import { simulate } from './thread.ts'\nawait simulate(${seeds})`, mutant))

export async function tryTest({ file, test }: NamedTest, mutant?: Mutant): Promise<string | undefined> {
  const load = `import ${JSON.stringify(join(TOP, file))}\nimport { runTest } from './thread.ts'`
  return outcomeOf(await bundle(`${load}\nawait runTest(${JSON.stringify(test)})`, mutant))
}

async function bundle(contents: string, mutant: Mutant | undefined): Promise<Uint8Array> {
  const faulty = mutant && mutate(mutant, readSource(mutant.file))
  let put = 0
  const fault: Plugin = {
    name: 'mutant',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (mutant === undefined || path !== join(TOP, mutant.file)) return undefined
        put += 1
        return { contents: faulty ?? '', loader: 'ts' }
      })
    },
  }
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(TOP, 'test/simulation/mutations'), loader: 'ts' },
    absWorkingDir: TOP,
    alias: { vitest: join(TOP, 'test/simulation/mutations/stand-in.ts') },
    bundle: true,
    // package.json says that no module has side effects: test files have nothing else.
    ignoreAnnotations: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    plugins: [fault],
  })
  if (mutant !== undefined && put !== 1)
    throw new Error(`mutant "${mutant.name}": what kills it does not load ${mutant.file}`)
  return (outputFiles[0] as (typeof outputFiles)[number]).contents
}

async function outcomeOf(code: Uint8Array): Promise<string | undefined> {
  const worker = new Worker(new URL(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`))
  let patience: NodeJS.Timeout | undefined
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      const wait = (): void => {
        clearTimeout(patience)
        patience = setTimeout(() => resolve(`nothing more after ${SILENT_MS / 1_000} s`), SILENT_MS)
      }
      wait()
      worker.on('error', reject)
      worker.on('exit', () => resolve('it ended without an outcome: it waits for what never comes'))
      worker.on('message', (said: Said) => {
        if (said.is === 'busy') wait()
        else resolve(said.is === 'noticed' ? said.what : undefined)
      })
    })
  } finally {
    clearTimeout(patience)
    await worker.terminate()
  }
}
