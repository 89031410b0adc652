/** Where rows are kept, under short keys: in memory, or in a file. */

/** Table, group, item. Texts are ASCII. */
export type CellKey = readonly [table: string, group: number | string, item?: number | string]

export interface Change {
  readonly key: CellKey
  /** Undefined: the row goes away. */
  readonly value: Uint8Array | undefined
}

export interface Cells {
  /** What the last resolved `commit` left there. Not to be changed. */
  get(key: CellKey): Uint8Array | undefined
  /** All rows of a table, or of one group of it. */
  list(table: string, group?: number | string): readonly (readonly [CellKey, Uint8Array])[]
  /** All of them or, when it rejects, none. Resolves when they would survive a crash, as far as anything here does. */
  commit(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}

/** Rows in memory: gone with the process. */
export class MemoryCells implements Cells {
  readonly #tables = new Map<string, Map<number | string, Map<number | string, Uint8Array>>>()

  get([table, group, item = '']: CellKey): Uint8Array | undefined {
    return this.#tables.get(table)?.get(group)?.get(item)
  }

  list(table: string, group?: number | string): readonly (readonly [CellKey, Uint8Array])[] {
    const rows: (readonly [CellKey, Uint8Array])[] = []
    const groups = this.#tables.get(table)
    const of = group === undefined ? (groups ?? []) : [[group, groups?.get(group) ?? []] as const]
    for (const [name, items] of of) {
      for (const [item, value] of items) rows.push([item === '' ? [table, name] : [table, name, item], value])
    }
    return rows
  }

  async commit(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes) {
      const [table, group, item = ''] = key
      const groups = this.#tables.get(table) ?? new Map<number | string, Map<number | string, Uint8Array>>()
      const items = groups.get(group) ?? new Map<number | string, Uint8Array>()
      if (value === undefined) items.delete(item)
      else items.set(item, value)
      if (items.size === 0) groups.delete(group)
      else this.#tables.set(table, groups.set(group, items))
    }
  }

  async close(): Promise<void> {
    this.#tables.clear()
  }
}
