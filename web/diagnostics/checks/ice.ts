import { formatMs } from '../../ui/format.ts'
import type { Check, Finding } from '../check.ts'
import { urlsOf } from '../ice-observer.ts'

/** Where a blocked STUN server is in the way, browsers take 40 s: what came by then is what counts, ms. */
const GATHER_MS = 8_000

export interface Gathered {
  readonly type: string
  readonly protocol: string
  readonly url: string | undefined
  readonly afterMs: number
}

interface Gathering {
  readonly candidates: readonly Gathered[]
  readonly errors: readonly string[]
}

/** Of a relay candidate, how the TURN server is reached: TypeScript's list of fields does not know that one yet. */
function protocolOf(candidate: RTCIceCandidate): string {
  const toServer = 'relayProtocol' in candidate ? candidate.relayProtocol : undefined
  return typeof toServer === 'string' && toServer !== '' ? toServer : (candidate.protocol ?? 'unknown')
}

async function gather(iceServers: readonly RTCIceServer[]): Promise<Gathering> {
  const connection = new RTCPeerConnection({ iceServers: [...iceServers] })
  const candidates: Gathered[] = []
  const errors: string[] = []
  const start = performance.now()
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, GATHER_MS)
      connection.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate === null) {
          clearTimeout(timer)
          resolve()
        } else if (candidate.candidate !== '') {
          const url =
            'url' in candidate && typeof candidate.url === 'string' && candidate.url !== '' ? candidate.url : undefined
          candidates.push({
            type: candidate.type ?? 'unknown',
            protocol: protocolOf(candidate),
            url,
            afterMs: performance.now() - start,
          })
        }
      })
      connection.addEventListener('icecandidateerror', ({ url, errorCode, errorText }) => {
        errors.push(`${url}: ${errorCode} ${errorText}`)
      })
      connection.createDataChannel('check')
      connection.setLocalDescription().catch(reject)
    })
  } finally {
    connection.close()
  }
  return { candidates, errors: [...new Set(errors)] }
}

/** The verdict on what was gathered. */
export function judgeGathering({ candidates, errors }: Gathering, iceServers: readonly RTCIceServer[]): Finding {
  const urls = iceServers.flatMap(urlsOf)
  const count = (type: string): number => candidates.filter((candidate) => candidate.type === type).length
  const details = [
    `ICE servers: ${urls.join(', ') || 'none'}`,
    ...candidates.map(
      ({ type, protocol, url, afterMs }) =>
        `${type} over ${protocol} after ${formatMs(afterMs)}${url === undefined ? '' : ` from ${url}`}`,
    ),
    ...errors.map((error) => `error from ${error}`),
  ]
  const text = `Found ${count('host')} host, ${count('srflx')} srflx and ${count('relay')} relay candidates.`
  const wantsTurn = urls.some((url) => /^turns?:/u.test(url))
  if (candidates.length === 0) {
    return { verdict: 'poor', text: 'No candidates at all: WebRTC cannot reach any network from here.', details }
  }
  if (wantsTurn && count('relay') === 0) return { verdict: 'poor', text: `${text} No TURN server answered.`, details }
  if (urls.length > 0 && count('srflx') === 0 && count('relay') === 0) {
    return { verdict: 'poor', text: `${text} No STUN server answered.`, details }
  }
  return { verdict: 'good', text, details }
}

export const iceGathering: Check = {
  id: 'ice',
  title: 'ICE candidates from the room’s servers',
  run: async ({ iceServers }) => {
    if (typeof RTCPeerConnection !== 'function') return { verdict: 'skipped', text: 'There is no WebRTC here.' }
    const servers = iceServers()
    return judgeGathering(await gather(servers), servers)
  },
}
