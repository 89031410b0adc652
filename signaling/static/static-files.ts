import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Headers, HttpRequest, HttpResponse } from '../net/network.ts'
import { contentType, isCompressible } from './content-type.ts'
import { COMMON_HEADERS, PAGE_HEADERS } from './security-headers.ts'

interface StaticFile {
  readonly path: string
  readonly type: string
  readonly cacheControl: string
  /** Read when it is first asked for. */
  loaded?: { readonly bytes: Uint8Array; readonly gzip: Uint8Array | undefined; readonly etag: string }
}

/** Names that carry a hash of the content never change it: `assets/chat-B3xQ9a_z.js`. */
const HASHED = /(?:^|\/)assets\/[^/]+-[\w-]{8,}\.\w+$/
const IMMUTABLE = 'public, max-age=31536000, immutable'
const REVALIDATE = 'no-cache'
/** Below this, the header costs more than compression saves. */
const LEAST_GZIP_BYTES = 1_024

const noSuchFile: ReadonlyMap<string, StaticFile> = new Map()

/**
 * The files of one folder. They are listed once, at the start, and a request is looked up in that list: there is no way
 * from a request's path to the file system, so there is nothing to traverse.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>
  readonly #headers: Headers

  /** `headers` are added to every answer. A folder that does not exist is an empty one. */
  constructor(folder: string, headers: Headers = {}) {
    this.#files = existsSync(folder) ? listFiles(folder) : noSuchFile
    this.#headers = headers
  }

  get size(): number {
    return this.#files.size
  }

  has(path: string): boolean {
    return this.#files.has(path)
  }

  /** Answer with the file, whose path is as below the folder, without a slash before it. */
  serve(path: string, request: HttpRequest, response: HttpResponse): void {
    const file = this.#files.get(path)
    if (file === undefined) return
    file.loaded ??= load(file)
    const { bytes, gzip, etag } = file.loaded
    const zipped = gzip !== undefined && /\bgzip\b/.test(request.header('accept-encoding') ?? '')
    const headers: Headers = {
      ...COMMON_HEADERS,
      ...(file.type.startsWith('text/html') ? PAGE_HEADERS : {}),
      ...this.#headers,
      'content-type': file.type,
      'cache-control': file.cacheControl,
      etag,
      ...(gzip === undefined ? {} : { vary: 'accept-encoding' }),
    }
    if (isFresh(request.header('if-none-match'), etag)) {
      response.begin(304, headers)
      response.end()
      return
    }
    response.begin(200, zipped ? { ...headers, 'content-encoding': 'gzip' } : headers)
    response.end(zipped ? gzip : bytes)
  }
}

function isFresh(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch?.split(',').some((one) => one.trim() === etag || one.trim() === '*') ?? false
}

function listFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>()
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, entry)
    const name = entry.replaceAll('\\', '/')
    // What begins with a dot was not meant to be seen.
    if (!statSync(path).isFile() || name.split('/').some((part) => part.startsWith('.'))) continue
    files.set(name, { path, type: contentType(name), cacheControl: HASHED.test(name) ? IMMUTABLE : REVALIDATE })
  }
  return files
}

function load(file: StaticFile): NonNullable<StaticFile['loaded']> {
  const bytes = readFileSync(file.path)
  const zipped =
    isCompressible(file.type) && bytes.length >= LEAST_GZIP_BYTES ? gzipSync(bytes, { level: 9 }) : undefined
  // Weak, because the compressed and the plain form share it.
  const etag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return { bytes, gzip: zipped !== undefined && zipped.length < bytes.length ? zipped : undefined, etag }
}
