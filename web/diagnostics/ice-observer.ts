/** The ICE servers that the room's own peer connections were given. */
export interface ObservedIceServers {
  /** Each url once, with its newest credentials. */
  list(): readonly RTCIceServer[]
}

interface WebRtcScope {
  RTCPeerConnection?: typeof RTCPeerConnection
}

export const urlsOf = (server: RTCIceServer): readonly string[] =>
  typeof server.urls === 'string' ? [server.urls] : server.urls

/**
 * Notes which ICE servers the client uses, so that this page can try each by itself. The client keeps them to itself,
 * as it should; what a page's own peer connections are configured with, the page may see.
 */
export function observeIceServers(scope: WebRtcScope): ObservedIceServers {
  const byUrl = new Map<string, RTCIceServer>()
  const note = (configuration: RTCConfiguration | undefined): void => {
    for (const server of configuration?.iceServers ?? []) {
      for (const url of urlsOf(server)) byUrl.set(url, { ...server, urls: url })
    }
  }
  const Original = scope.RTCPeerConnection
  if (Original !== undefined) {
    scope.RTCPeerConnection = class extends Original {
      constructor(configuration?: RTCConfiguration) {
        super(configuration)
        note(configuration)
      }
      override setConfiguration(configuration?: RTCConfiguration): void {
        super.setConfiguration(configuration)
        note(configuration)
      }
    }
  }
  return { list: () => [...byUrl.values()] }
}
