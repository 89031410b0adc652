import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import puppeteer, { type Browser as HideableBrowser } from 'puppeteer-core'
import { CHROMIUM_FLAGS, launchChromium } from '../../support/browsers.ts'
import { chromiumPath } from '../../support/chromium-path.mjs'
import { SERVER_ADDRESS, SERVER_NAME, TURN_ADDRESS } from './addresses.ts'
import type { Certificate } from './certificate.ts'
import type { Namespace } from './namespace.ts'

/** What Debian's /usr/bin/chromium starts; that is a script which starts other things, too. */
const CHROMIUM_ITSELF = '/usr/lib/chromium/chromium'

/**
 * There is no name service in the lab: the server's name comes from here, and only that. Chromium does not find STUN
 * servers by this way, nor by /etc/hosts, so coturn is known by its address.
 */
const NAMES = [
  `MAP ${SERVER_NAME} ${SERVER_ADDRESS}`,
  'MAP * ~NOTFOUND',
  // What `*` would take, too.
  ...[SERVER_ADDRESS, TURN_ADDRESS, 'localhost', '*.local'].map((name) => `EXCLUDE ${name}`),
]

/** These keep hidden tabs awake; people's browsers do not. */
const KEEPS_AWAKE = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
]

interface Inside {
  readonly executablePath: string
  readonly flags: readonly string[]
}

/** A program that starts Chromium in the namespace, and what it is to be told. */
async function inside(namespace: Namespace, folder: string, certificate: Certificate): Promise<Inside> {
  const chromium = existsSync(CHROMIUM_ITSELF) ? CHROMIUM_ITSELF : await chromiumPath()
  const executablePath = join(folder, `${namespace.name}.sh`)
  await writeFile(executablePath, `#!/bin/sh\nexec ${namespace.entering.join(' ')} ${chromium} "$@"\n`, { mode: 0o700 })
  return {
    executablePath,
    flags: [
      `--host-resolver-rules=${NAMES.join(', ')}`,
      `--ignore-certificate-errors-spki-list=${certificate.keyHash}`,
    ],
  }
}

/** A headless Chromium in a namespace. The caller closes it. */
export async function launchInside(namespace: Namespace, folder: string, certificate: Certificate): Promise<Browser> {
  return launchChromium(await inside(namespace, folder, certificate))
}

/**
 * The same, driven by Puppeteer: Playwright tells every page that it is in front and has the focus, so that none is ever
 * hidden.
 */
export async function launchHideable(
  namespace: Namespace,
  folder: string,
  certificate: Certificate,
): Promise<HideableBrowser> {
  const { executablePath, flags } = await inside(namespace, folder, certificate)
  const args = [...CHROMIUM_FLAGS, ...flags]
  return puppeteer.launch({ executablePath, headless: true, pipe: true, args, ignoreDefaultArgs: [...KEEPS_AWAKE] })
}
