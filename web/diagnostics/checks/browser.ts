import { adviceForInsecurePage, securityOfThisPage } from '../../ui/secure-page.ts'
import type { Check } from '../check.ts'

export const secureContext: Check = {
  id: 'secure-context',
  title: 'Secure page',
  run: async () => {
    const advice = adviceForInsecurePage(securityOfThisPage())
    return advice === undefined
      ? { verdict: 'good', text: 'The browser gives this page cryptography.' }
      : { verdict: 'bad', text: 'The browser withholds cryptography from this page.', details: advice }
  },
}

export const webRtc: Check = {
  id: 'webrtc',
  title: 'WebRTC in this browser',
  run: async () => {
    const missing = {
      verdict: 'poor',
      text: 'This browser has no WebRTC, or an extension or a policy turned it off: everything goes through the server.',
    } as const
    if (typeof RTCPeerConnection !== 'function') return missing
    try {
      const connection = new RTCPeerConnection()
      connection.createDataChannel('check')
      connection.close()
      return { verdict: 'good', text: 'Peer connections with data channels can be made.' }
    } catch (error) {
      return { ...missing, details: [String(error)] }
    }
  },
}
