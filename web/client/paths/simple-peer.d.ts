/** simple-peer, as far as it is used here; see peer-connection.ts for what is not, and why. */
declare module 'simple-peer/lite.js' {
  export interface SimplePeerOptions {
    readonly initiator: boolean
    readonly trickle?: boolean
    /** ms */
    readonly iceCompleteTimeout?: number
    readonly config?: RTCConfiguration
    readonly channelName?: string
    readonly channelConfig?: RTCDataChannelInit
  }

  export type SimplePeerSignal =
    | { readonly type: 'offer' | 'answer'; readonly sdp: string }
    | {
        readonly type: 'candidate'
        readonly candidate: {
          readonly candidate: string
          readonly sdpMid: string | null
          readonly sdpMLineIndex: number | null
        }
      }

  export default class SimplePeer {
    constructor(options: SimplePeerOptions)
    /** Missing when its constructor failed, and after a close. */
    readonly _pc: RTCPeerConnection | null | undefined
    readonly _channel: RTCDataChannel | null | undefined
    on(name: 'signal', handler: (signal: SimplePeerSignal | { readonly type: string }) => void): this
    on(name: 'error', handler: (error: Error) => void): this
    on(name: 'close', handler: () => void): this
    signal(signal: SimplePeerSignal): void
    destroy(): void
  }
}
