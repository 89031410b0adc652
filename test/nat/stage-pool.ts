import { Stage } from './stage.ts'

type Waiter = (stage: Stage) => void

/** Stages that are lent to one test each at a time. A stage that a test broke is replaced by a new one. */
export class StagePool {
  readonly #sizes: readonly number[]
  readonly #free: Stage[] = []
  readonly #all = new Set<Stage>()
  readonly #waiting: Waiter[] = []

  private constructor(sizes: readonly number[]) {
    this.#sizes = sizes
  }

  /** @param sizes clients of each site, in each stage */
  static async create(count: number, sizes: readonly number[]): Promise<StagePool> {
    const pool = new StagePool(sizes)
    for (let made = 0; made < count; made += 1) await pool.#add()
    return pool
  }

  async use<Result>(run: (stage: Stage) => Promise<Result>): Promise<Result> {
    const stage = this.#free.pop() ?? (await new Promise<Stage>((resolve) => this.#waiting.push(resolve)))
    try {
      const result = await run(stage)
      this.#give(stage)
      return result
    } catch (error) {
      this.#all.delete(stage)
      await stage.close().catch(() => undefined)
      await this.#add()
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((stage) => stage.close()))
  }

  async #add(): Promise<void> {
    const stage = await Stage.create(this.#sizes)
    this.#all.add(stage)
    this.#give(stage)
  }

  #give(stage: Stage): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) this.#free.push(stage)
    else waiter(stage)
  }
}
