import { type Browser, chromium } from 'playwright'
import { chromiumPath } from './chromium-path.mjs'

/** What keeps a headless Chromium quiet and the same on every machine. */
export const CHROMIUM_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface BrowserOptions {
  /** Added to the flags every test uses. */
  readonly flags?: readonly string[]
  /** Default: the one that is installed. */
  readonly executablePath?: string
}

/**
 * A headless Chromium with an empty profile; every `newContext()` is another person. The caller closes it.
 *
 * @throws Error when there is no Chromium; `npm test` installs one
 */
export async function launchChromium({ flags = [], ...options }: BrowserOptions = {}): Promise<Browser> {
  const executablePath = options.executablePath ?? (await chromiumPath())
  if (executablePath === undefined) throw new Error('there is no Chromium: npm test installs one')
  return chromium.launch({ executablePath, headless: true, args: [...CHROMIUM_FLAGS, ...flags] })
}
