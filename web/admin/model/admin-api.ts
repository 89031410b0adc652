import type { MemberRow, Page, RoomRow, ServerData } from './server-data.ts'

/** Why the server did not answer as asked. */
export type AdminErrorCode = 'wrong-key' | 'no-key-here' | 'unreachable' | 'gone' | 'refused'

export class AdminError extends Error {
  override readonly name = 'AdminError'
  constructor(
    readonly code: AdminErrorCode,
    message: string,
  ) {
    super(message)
  }
}

const ROWS = 50

const codeOf = (status: number): AdminErrorCode =>
  status === 401 ? 'wrong-key' : status === 403 ? 'no-key-here' : status === 404 ? 'gone' : 'refused'

interface RoomsAnswer {
  readonly rooms: readonly RoomRow[]
  readonly next?: string
}

interface MembersAnswer {
  readonly members: readonly MemberRow[]
}

/** The server's administration, asked with an API key. The key goes in a header: it stands in no address and no log. */
export class AdminApi {
  readonly #root: URL
  readonly #key: string
  readonly #fetch: typeof fetch

  constructor(root: URL, key: string, fetchIt: typeof fetch = (...request) => fetch(...request)) {
    this.#root = root
    this.#key = key
    this.#fetch = fetchIt
  }

  /** Points later than `afterMs`, and what is now. @throws AdminError */
  async data(afterMs: number): Promise<ServerData> {
    return (await this.#ask('GET', `admin/data?after=${afterMs}`)) as ServerData
  }

  /** By name. @throws AdminError */
  async rooms(after: string | undefined): Promise<Page<RoomRow>> {
    const query = new URLSearchParams({ limit: `${ROWS}` })
    if (after !== undefined) query.set('after', after)
    const { rooms, next } = (await this.#ask('GET', `api/v1/rooms?${query}`)) as RoomsAnswer
    return { rows: rooms, next }
  }

  /** The server gives all of them; a page of them is enough to look at. @throws AdminError `gone` when nobody is there */
  async members(room: string, after: string | undefined): Promise<Page<MemberRow>> {
    const { members } = (await this.#ask('GET', `${place(room)}/members`)) as MembersAnswer
    const start = Number(after ?? 0)
    const end = start + ROWS
    return { rows: members.slice(start, end), next: end < members.length ? `${end}` : undefined }
  }

  /** @throws AdminError */
  async removeMember(room: string, id: string): Promise<void> {
    await this.#ask('DELETE', `${place(room)}/members/${id}`)
  }

  /** Removes everyone. @throws AdminError */
  async closeRoom(room: string): Promise<void> {
    await this.#ask('DELETE', place(room))
  }

  async #ask(method: string, path: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.#key}` }
    const answer = await this.#fetch(new URL(path, this.#root), { method, headers, cache: 'no-store' }).catch(() => {
      throw new AdminError('unreachable', 'The server does not answer.')
    })
    const text = await answer.text()
    if (!answer.ok) throw new AdminError(codeOf(answer.status), messageOf(text))
    return text === '' ? undefined : JSON.parse(text)
  }
}

const place = (room: string): string => `api/v1/rooms/${encodeURIComponent(room)}`

/** Errors come as text, or as JSON with a message. */
function messageOf(text: string): string {
  try {
    const { error, message } = JSON.parse(text) as { error?: { message?: string }; message?: string }
    return error?.message ?? message ?? text
  } catch {
    return text.trim()
  }
}
