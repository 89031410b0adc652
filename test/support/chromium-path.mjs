import { existsSync } from 'node:fs'

/** Debian's; Ubuntu has it as a snap only, which does not run everywhere. */
const FROM_THE_DISTRIBUTION = '/usr/bin/chromium'

/**
 * The Chromium the tests drive: what PARTYLINE_CHROMIUM names, else the distribution's, else Playwright's own
 * download. Undefined when there is none.
 * @returns {Promise<string | undefined>}
 */
export async function chromiumPath() {
  const named = process.env.PARTYLINE_CHROMIUM
  if (named !== undefined && named !== '') return named
  if (existsSync(FROM_THE_DISTRIBUTION)) return FROM_THE_DISTRIBUTION
  const { chromium } = await import('playwright')
  const downloaded = chromium.executablePath()
  return existsSync(downloaded) ? downloaded : undefined
}
