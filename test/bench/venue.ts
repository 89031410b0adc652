import type { Browser } from 'playwright'
import { launchChromium } from '../support/browsers.ts'
import { ServerProcess } from '../support/server-process.ts'
import type { Addresses } from './page/contestant.ts'
import { PeerJsServer } from './servers/peerjs-server.ts'
import { PubSubServer } from './servers/pub-sub-server.ts'

/** Where a benchmark takes place: two browsers, and the servers that they reach. */
export interface Venue {
  readonly browsers: readonly [Browser, Browser]
  /** Of the built server; ends with a slash. */
  readonly origin: string
  readonly addresses: Addresses
  close(): Promise<void>
}

/** From the page's own origin. */
export const CLIENT = '/client/partyline.js'

/** Everything on this machine, with nothing between. */
export async function nearVenue(): Promise<Venue> {
  const browsers = [await launchChromium(), await launchChromium()] as const
  const server = await ServerProcess.start({ args: ['--turn', 'off'] })
  const pubSub = await PubSubServer.start()
  const peerJs = await PeerJsServer.start()
  return {
    browsers,
    origin: server.address,
    addresses: {
      client: CLIENT,
      pubSub: `ws://localhost:${pubSub.port}`,
      peerJs: { host: 'localhost', port: peerJs.port },
    },
    close: async () => {
      await Promise.all(browsers.map((browser) => browser.close()))
      await Promise.all([server.dispose(), pubSub.close(), peerJs.close()])
    },
  }
}
