import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { turnserverConfig } from '../../../turn/index.ts'
import { SERVER_ADDRESS, TURN_ADDRESS } from './addresses.ts'
import type { Certificate } from './certificate.ts'
import type { Lab } from './lab.ts'
import { Service } from './service.ts'

const COMMAND_LINE = fileURLToPath(new URL('../../../dist/signaling/cli.js', import.meta.url))
const TLS_PORT = 443
const TURN_PORT = 3478

export interface Services {
  readonly server: Service
  readonly turn: Service
}

/** The built server, and a coturn elsewhere with our configuration; both are reached by port 443, too. Not started. */
export async function makeServices(lab: Lab, folder: string, { certFile, keyFile }: Certificate): Promise<Services> {
  const secret = randomBytes(24).toString('hex')
  const server = new Service({
    name: 'server',
    namespace: lab.server,
    program: process.execPath,
    args: [
      COMMAND_LINE,
      ...['--host', SERVER_ADDRESS, '--port', String(TLS_PORT)],
      ...['--tls-cert', certFile, '--tls-key', keyFile],
      ...['--data-folder', join(folder, 'server')],
      ...['--turn-servers', `${TURN_ADDRESS}:${TURN_PORT}:${TLS_PORT}`, '--turn-secret', secret],
      ...['--log-format', 'json'],
    ],
    ready: /"listening"/,
  })
  const configFile = join(folder, 'turnserver.conf')
  const files = { userDatabase: join(folder, 'turn.sqlite'), pidFile: join(folder, 'turn.pid') }
  const config = turnserverConfig(
    {
      secrets: [secret],
      port: TURN_PORT,
      tlsPort: TLS_PORT,
      tls: { certFile, keyFile },
      listenAddresses: [TURN_ADDRESS],
      relayAddresses: [TURN_ADDRESS],
      // The lab's addresses are of the ranges for documentation.
      allowPrivatePeers: true,
    },
    files,
  )
  await writeFile(configFile, config, { mode: 0o600 })
  const turn = new Service({
    name: 'coturn',
    namespace: lab.turn,
    program: 'turnserver',
    args: ['-c', configFile],
    // The last that it does before it serves.
    ready: /SQLite DB connection success/,
  })
  return { server, turn }
}
