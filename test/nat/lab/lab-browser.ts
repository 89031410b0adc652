import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { launchChromium } from '../../support/browsers.ts'
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

/** Playwright keeps hidden tabs awake; people's browsers do not. */
const KEEPS_AWAKE = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
]

/** A headless Chromium in a namespace. The caller closes it. */
export async function launchInside(namespace: Namespace, folder: string, certificate: Certificate): Promise<Browser> {
  const chromium = existsSync(CHROMIUM_ITSELF) ? CHROMIUM_ITSELF : await chromiumPath()
  const script = join(folder, `${namespace.name}.sh`)
  await writeFile(script, `#!/bin/sh\nexec ${namespace.entering.join(' ')} ${chromium} "$@"\n`, { mode: 0o700 })
  return launchChromium({
    executablePath: script,
    flags: [
      `--host-resolver-rules=${NAMES.join(', ')}`,
      `--ignore-certificate-errors-spki-list=${certificate.keyHash}`,
    ],
    without: KEEPS_AWAKE,
  })
}
