/**
 * An LMDB file, looked at as bytes. LMDB maps its file and believes what stands in it: what is read beyond the end of a
 * file that was cut short ends the process with SIGBUS, and what is not what it should be, with SIGSEGV. So whether every
 * page that can be reached is there, and is one, is found out here, before it is opened.
 *
 * Layout: mdb.c of the package `lmdb` (its `MDB_page_header`, `MDB_meta`, `MDB_db`, `MDB_node`, `MDB_ovpage`), data
 * version 2, little-endian. A file may well be shorter than its meta page says, if what is missing is free: its size alone
 * says nothing.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const MAGIC = 0xbeefc0de
const DATA_VERSION = 2
const HEADER_BYTES = 24
const NODE_BYTES = 8
const OVERFLOW_REFERENCE_BYTES = 24
const LEAST_PAGE_BYTES = 256
const MOST_PAGE_BYTES = 65_536
const [BRANCH, LEAF, OVERFLOW, META] = [1, 2, 4, 8]
const KINDS = BRANCH | LEAF | OVERFLOW | META
const BIG_DATA = 1
const NO_ROOT = 0xffff_ffff_ffff_ffffn
/** Beyond, only of a file that is shorter than it might be: 256 MiB, as much as is kept by default, take some 0.2 s. */
const MOST_LOOKED_AT = 65_536

interface Meta {
  readonly pageBytes: number
  /** Of the free list, and of the rows. */
  readonly roots: readonly bigint[]
  readonly lastPage: number
  readonly transaction: bigint
}

class Damage extends Error {
  override readonly name = 'Damage'
}

function parseMeta(page: Buffer): Meta | undefined {
  const at = HEADER_BYTES
  const isMeta = (page.readUInt16LE(18) & META) !== 0 && page.readUInt32LE(at) === MAGIC
  if (!isMeta) return undefined
  const version = page.readUInt16LE(at + 4)
  if (version !== DATA_VERSION) throw new Damage(`it is of version ${version}, not ${DATA_VERSION}`)
  return {
    pageBytes: page.readUInt32LE(at + 24),
    roots: [page.readBigUInt64LE(at + 64), page.readBigUInt64LE(at + 112)],
    lastPage: Number(page.readBigUInt64LE(at + 120)),
    transaction: page.readBigUInt64LE(at + 128),
  }
}

class LmdbPages {
  readonly #file: number
  readonly #bytes: number

  constructor(file: number) {
    this.#file = file
    this.#bytes = fstatSync(file).size
  }

  /** The newest. @throws Damage */
  meta(): Meta {
    if (this.#bytes === 0) throw new Damage('it is empty')
    const first = parseMeta(this.#read(0, MOST_PAGE_BYTES, LEAST_PAGE_BYTES))
    if (first === undefined) throw new Damage('it is no LMDB file')
    const { pageBytes } = first
    const isPower = pageBytes >= LEAST_PAGE_BYTES && pageBytes <= MOST_PAGE_BYTES && (pageBytes & (pageBytes - 1)) === 0
    if (!isPower) throw new Damage('its first page is damaged')
    const second = parseMeta(this.#read(pageBytes, pageBytes))
    if (second === undefined || second.pageBytes !== pageBytes) throw new Damage('its second page is damaged')
    return second.transaction > first.transaction ? second : first
  }

  /** Follows every reference. @throws Damage */
  check({ pageBytes, roots, lastPage }: Meta): void {
    const short = (lastPage + 1) * pageBytes > this.#bytes
    let left = short ? lastPage + 1 : Math.min(lastPage + 1, MOST_LOOKED_AT)
    const waiting = roots.filter((root) => root !== NO_ROOT)
    const within = (page: bigint, pages = 1n): number => {
      if (page < 2n || page + pages - 1n > BigInt(lastPage)) throw new Damage(`a page of it (${page}) cannot be`)
      if (Number(page + pages) * pageBytes > this.#bytes) {
        throw new Damage(
          `it was cut short: it has ${this.#bytes} bytes, and page ${page + pages - 1n} is not among them`,
        )
      }
      return Number(page)
    }
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      // In a sound file there is one way to each page.
      if (left <= 0 && (short || lastPage < MOST_LOOKED_AT)) throw new Damage('its pages go round')
      if (left <= 0) return
      left -= 1
      const number = within(next)
      const page = this.#read(number * pageBytes, pageBytes)
      const kind = page.readUInt16LE(18) & KINDS
      if (page.readBigUInt64LE(0) !== next || (kind !== BRANCH && kind !== LEAF)) throw damaged(number)
      for (const node of nodesOf(page, number)) {
        if (kind === BRANCH) waiting.push(childOf(page, node))
        else if ((page.readUInt16LE(node + 4) & BIG_DATA) !== 0) {
          const at = node + NODE_BYTES + page.readUInt16LE(node + 6)
          const [first, pages] = [page.readBigUInt64LE(at), page.readBigUInt64LE(at + 16)]
          this.#overflow(within(first, pages), pageBytes)
        }
      }
    }
  }

  #overflow(number: number, pageBytes: number): void {
    const header = this.#read(number * pageBytes, HEADER_BYTES)
    const isOverflow = (header.readUInt16LE(18) & KINDS) === OVERFLOW && Number(header.readBigUInt64LE(0)) === number
    if (!isOverflow) throw damaged(number)
  }

  /** @throws Damage when there are fewer than `least` */
  #read(at: number, most: number, least = most): Buffer {
    const bytes = Buffer.alloc(most)
    const length = readSync(this.#file, bytes, 0, most, at)
    if (length < least) throw new Damage(`it was cut short: it has ${this.#bytes} bytes`)
    return bytes
  }
}

const damaged = (page: number): Damage => new Damage(`page ${page} of it is damaged`)

/** Where the nodes of a page begin. What a page says of itself counts from the end of its header. @throws Damage */
function nodesOf(page: Buffer, number: number): readonly number[] {
  const inPage = (at: number): number => HEADER_BYTES + page.readUInt16LE(at)
  const [lower, upper] = [inPage(20), inPage(22)]
  const isLeaf = (page.readUInt16LE(18) & LEAF) !== 0
  if (lower > upper || upper > page.length || lower % 2 !== 0) throw damaged(number)
  const nodes: number[] = []
  for (let at = HEADER_BYTES; at < lower; at += 2) {
    const node = inPage(at)
    if (node < upper || node + NODE_BYTES > page.length) throw damaged(number)
    const keyEnd = node + NODE_BYTES + page.readUInt16LE(node + 6)
    const big = (page.readUInt16LE(node + 4) & BIG_DATA) !== 0
    const dataBytes = !isLeaf ? 0 : big ? OVERFLOW_REFERENCE_BYTES : page.readUInt32LE(node)
    if (keyEnd + dataBytes > page.length) throw damaged(number)
    nodes.push(node)
  }
  return nodes
}

/** A branch's node says its child in 48 bits, where a leaf's says the length of its data and its flags. */
const childOf = (page: Buffer, node: number): bigint =>
  BigInt(page.readUInt32LE(node)) | (BigInt(page.readUInt16LE(node + 4)) << 32n)

function check(file: number): string | undefined {
  let looked: bigint | undefined
  for (;;) {
    try {
      const pages = new LmdbPages(file)
      const meta = pages.meta()
      // Somebody who writes at the same time takes pages away under our eyes.
      const again = looked !== meta.transaction
      looked = meta.transaction
      try {
        pages.check(meta)
        return undefined
      } catch (error) {
        if (!(error instanceof Damage) || !again) throw error
      }
    } catch (error) {
      if (error instanceof Damage) return error.message
      throw error
    }
  }
}

/** What is wrong with an LMDB file; undefined when nothing is, or when there is none. @throws Error when it cannot be read */
export function damageOf(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  try {
    return check(file)
  } finally {
    closeSync(file)
  }
}
