/** Processes that run seeds, from one bundle of all that takes part: it starts faster than its files, and runs faster. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Part } from './job.ts'
import { added, type Totals } from './summary.ts'

/** Each has a processor to itself: threads that collect garbage beside it would take the others', and more of it. */
const NODE_OPTIONS = ['--single-threaded-gc', '--enable-source-maps']

async function bundleTo(file: string): Promise<void> {
  const { outputFiles } = await build({
    stdin: {
      contents: "import { serve } from './job.ts'\nserve()",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'warning',
  })
  writeFileSync(file, (outputFiles[0] as (typeof outputFiles)[number]).contents)
}

export class Workers {
  private constructor(
    private readonly folder: string,
    private readonly children: readonly ChildProcess[],
  ) {}

  static async start(count: number): Promise<Workers> {
    const folder = mkdtempSync(join(tmpdir(), 'partyline-simulation-'))
    const file = join(folder, 'job.mjs')
    await bundleTo(file)
    const children = Array.from({ length: count }, () => fork(file, [], { execArgv: NODE_OPTIONS }))
    return new Workers(folder, children)
  }

  /** Of J workers, each takes every J-th seed. Rejects when one of them ends. */
  async run(part: Part): Promise<Totals> {
    const { children } = this
    const answers = children.map(
      (child, index) =>
        new Promise<Totals>((resolve, reject) => {
          const ended = (code: number | null): void => reject(new Error(`a part of the simulation ended with ${code}`))
          child.once('exit', ended)
          child.once('message', (totals) => {
            child.off('exit', ended)
            resolve(totals as Totals)
          })
          child.send({ ...part, first: part.first + index * part.step, step: part.step * children.length })
        }),
    )
    return added(await Promise.all(answers))
  }

  end(): void {
    for (const child of this.children) if (child.connected) child.disconnect()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
