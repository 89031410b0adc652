import { existsSync } from 'node:fs'
import puppeteer, { type Browser } from 'puppeteer-core'

/** Debian's and Ubuntu's; others have the second name. */
const PLACES: readonly string[] = ['/usr/bin/firefox-esr', '/usr/bin/firefox']

/** The Firefox that the tests drive: what PARTYLINE_FIREFOX names, else the distribution's; undefined when there is none. */
export const firefoxPath = (): string | undefined =>
  [process.env.PARTYLINE_FIREFOX ?? '', ...PLACES].find((path) => path !== '' && existsSync(path))

/**
 * A headless Firefox with an empty profile, driven over WebDriver BiDi: Playwright drives its own builds only. The
 * caller closes it.
 */
export async function launchFirefox(executablePath: string): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    // A machine without any network has only the loopback to offer.
    extraPrefsFirefox: { 'media.peerconnection.ice.loopback': true },
  })
}
