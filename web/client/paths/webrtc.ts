/**
 * The WebRTC of the place this runs in. The build points simple-peer's own import (`webrtc-polyfill`) here, so these
 * are live bindings: native and there at once in a browser; under Node `undefined` until `loadWebRtc` has found
 * `node-datachannel`, which is optional.
 */
export let RTCPeerConnection: typeof globalThis.RTCPeerConnection | undefined = globalThis.RTCPeerConnection
export let RTCSessionDescription: typeof globalThis.RTCSessionDescription | undefined = globalThis.RTCSessionDescription
export let RTCIceCandidate: typeof globalThis.RTCIceCandidate | undefined = globalThis.RTCIceCandidate

interface WebRtc {
  readonly RTCPeerConnection: typeof globalThis.RTCPeerConnection
  readonly RTCSessionDescription: typeof globalThis.RTCSessionDescription
  readonly RTCIceCandidate: typeof globalThis.RTCIceCandidate
}

type Describe = () => Promise<RTCSessionDescriptionInit>
type CreateChannel = (label: string | null, init?: RTCDataChannelInit) => RTCDataChannel
type NodeConnection = new (
  config?: RTCConfiguration,
) => { readonly createOffer: Describe; readonly createAnswer: Describe; readonly createDataChannel: CreateChannel }

/**
 * What simple-peer takes for granted and node-datachannel does not do: descriptions whose `sdp` can be assigned to, and
 * a channel without a label.
 */
function asSimplePeerExpects(found: WebRtc['RTCPeerConnection']): WebRtc['RTCPeerConnection'] {
  const copy = ({ type, sdp }: RTCSessionDescriptionInit): RTCSessionDescriptionInit => ({ type, sdp: sdp ?? '' })
  const base = found as unknown as NodeConnection
  const { createOffer, createAnswer, createDataChannel } = base.prototype
  class NodePeerConnection extends base {
    override readonly createOffer: Describe = async () => copy(await createOffer.call(this))
    override readonly createAnswer: Describe = async () => copy(await createAnswer.call(this))
    override readonly createDataChannel: CreateChannel = (label, init) =>
      createDataChannel.call(this, label ?? '', init)
  }
  return NodePeerConnection as unknown as WebRtc['RTCPeerConnection']
}

const runsUnderNode = (): boolean =>
  (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined

/** Is there WebRTC? Under Node, loads it first. False: the relay carries everything. Never rejects. */
export async function loadWebRtc(): Promise<boolean> {
  if (RTCPeerConnection !== undefined) return true
  if (!runsUnderNode()) return false
  try {
    const found = (await import(
      /* @vite-ignore */ /* webpackIgnore: true */ 'node-datachannel/polyfill'
    )) as unknown as WebRtc
    RTCPeerConnection = asSimplePeerExpects(found.RTCPeerConnection)
    RTCSessionDescription = found.RTCSessionDescription
    RTCIceCandidate = found.RTCIceCandidate
    return true
  } catch {
    return false
  }
}
