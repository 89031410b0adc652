/** Runs in the page: notes when what matters between entering and the first message begins and ends. */

export interface Note {
  /** ms since 1970. */
  readonly atMs: number
  readonly what: string
  /** Until it was done, where that is known. */
  readonly tookMs?: number
}

declare global {
  var watch: typeof import('./start-watch.ts')
}

const notes: Note[] = []
const now = (): number => performance.timeOrigin + performance.now()

function note(what: string, fromMs?: number): void {
  const nowMs = now()
  notes.push(fromMs === undefined ? { atMs: nowMs, what } : { atMs: fromMs, what, tookMs: nowMs - fromMs })
}

const sizeOf = (data: unknown): string =>
  typeof data === 'string' ? data.slice(0, 24) : `${(data as ArrayBufferView).byteLength} bytes`

const CRYPTO = [
  'generateKey',
  'exportKey',
  'importKey',
  'deriveBits',
  'deriveKey',
  'digest',
  'encrypt',
  'decrypt',
] as const

/** From here on, until `taken`. */
export function begin(): void {
  const subtle = SubtleCrypto.prototype as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>
  for (const name of CRYPTO) {
    const call = subtle[name]
    if (call === undefined) continue
    subtle[name] = function (this: unknown, ...given: unknown[]) {
      const fromMs = now()
      const result = Reflect.apply(call, this, given) as Promise<unknown>
      const end = (): void => note(name, fromMs)
      result.then(end, end)
      return result
    }
  }
  const { getRandomValues } = Crypto.prototype
  Crypto.prototype.getRandomValues = function <Values extends ArrayBufferView | null>(this: Crypto, values: Values) {
    note('getRandomValues')
    return Reflect.apply(getRandomValues, this, [values]) as Values
  }
  const store = Object.getOwnPropertyDescriptor(globalThis, 'localStorage')
  if (store?.get !== undefined) {
    const { get } = store
    Object.defineProperty(globalThis, 'localStorage', {
      ...store,
      get() {
        const fromMs = now()
        const value: unknown = Reflect.apply(get, globalThis, [])
        note('localStorage', fromMs)
        return value
      },
    })
  }
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...given: ConstructorParameters<typeof RTCPeerConnection>) {
      const fromMs = now()
      super(...given)
      note('RTCPeerConnection made', fromMs)
    }
  }
  const { getItem } = Storage.prototype
  Storage.prototype.getItem = function (this: Storage, key: string) {
    const fromMs = now()
    const value = Reflect.apply(getItem, this, [key]) as string | null
    note('storage', fromMs)
    return value
  }
  const { send } = WebSocket.prototype
  WebSocket.prototype.send = function (this: WebSocket, data: Parameters<WebSocket['send']>[0]) {
    note(`send ${sizeOf(data)}`)
    Reflect.apply(send, this, [data])
  }
  globalThis.WebSocket = class extends WebSocket {
    constructor(...given: ConstructorParameters<typeof WebSocket>) {
      const fromMs = now()
      super(...given)
      note('WebSocket made', fromMs)
      this.addEventListener('open', () => note('open'))
      this.addEventListener('message', ({ data }) =>
        note(`message ${sizeOf(typeof data === 'string' ? data : new Uint8Array(data))}`),
      )
    }
  }
}

/** With what was fetched. */
export const taken = (): readonly Note[] => [
  ...notes,
  ...performance.getEntriesByType('resource').map(({ name, startTime, duration }) => ({
    atMs: performance.timeOrigin + startTime,
    what: `fetch ${name.split('/').at(-1)}`,
    tookMs: duration,
  })),
]
