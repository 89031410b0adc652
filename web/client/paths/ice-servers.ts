import type { IceServer } from '../../../signaling/protocol/index.ts'

/** Which ways of WebRTC this side may use; from `JoinOptions`. */
export interface PathPolicy {
  /** Host and reflexive candidates. */
  readonly direct: boolean
  /** TURN servers, ours or the other side's. */
  readonly turn: boolean
  /** As in RTCConfiguration; `relay`: through TURN only. */
  readonly iceTransportPolicy: 'all' | 'relay'
}

/** Through TURN or not at all. */
export const throughTurnOnly = (policy: PathPolicy): boolean => policy.iceTransportPolicy === 'relay' || !policy.direct

/** No way is left but the server's relay. */
export const relayOnly = (policy: PathPolicy): boolean => throughTurnOnly(policy) && !policy.turn

const isTurn = (url: string): boolean => /^turns?:/i.test(url)

export const hasTurn = (servers: readonly IceServer[]): boolean => servers.some(({ urls }) => urls.some(isTurn))

/** The same list without TURN: what gathers candidates and costs no allocation. */
export const withoutTurn = (servers: readonly IceServer[]): readonly IceServer[] =>
  servers.flatMap((server) => {
    const urls = server.urls.filter((url) => !isTurn(url))
    return urls.length === 0 ? [] : [{ urls }]
  })

/** Does the other side's candidate lead through its TURN server? The attribute is RFC 8839's `typ`. */
export const isRelayed = (candidate: string): boolean => / typ relay\b/i.test(candidate)

/** A description without candidates that lead through the other side's TURN server. */
export const withoutRelayed = (sdp: string): string =>
  sdp
    .split(/(?<=\n)/)
    .filter((line) => !(line.startsWith('a=candidate:') && isRelayed(line)))
    .join('')
