import { connect, createServer } from 'node:net'
import { NetworkError } from './network.ts'

function listenError(error: NodeJS.ErrnoException, host: string | undefined, port: number): NetworkError {
  const where = host === undefined ? `port ${port}` : `${host}, port ${port}`
  switch (error.code) {
    case 'EADDRINUSE':
      return new NetworkError(
        'port-in-use',
        `Another program already listens on ${where}. Stop it, or choose another port with --port (or PORT).`,
        { cause: error },
      )
    case 'EACCES':
      return new NetworkError(
        'port-forbidden',
        `This user may not listen on ${where}. Choose a port above 1023 with --port, or allow it (setcap cap_net_bind_service).`,
        { cause: error },
      )
    default:
      return new NetworkError('address-unavailable', `Cannot listen on ${where}: ${error.message}. Check --host.`, {
        cause: error,
      })
  }
}

export const asListenError = (error: unknown, host: string | undefined, port: number): NetworkError =>
  error instanceof NetworkError ? error : listenError(error as NodeJS.ErrnoException, host, port)

/**
 * Does somebody answer there? After a crash of a server of ours the port may look taken for a minute, because of
 * connections in TIME-WAIT that were made without SO_REUSEADDR: only a listener answers.
 */
function isAnswered(host: string | undefined, port: number): Promise<boolean> {
  const target = host === undefined || host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return new Promise((resolve) => {
    const socket = connect({ host: target, port, timeout: 1_000 })
    const done = (answered: boolean): void => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('connect', () => done(true))
    // Nobody who refuses listens; somebody who is silent may.
    socket.once('timeout', () => done(true))
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code !== 'ECONNREFUSED'))
  })
}

function bind(host: string | undefined, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address()
      const found = typeof address === 'object' && address !== null ? address.port : port
      probe.close(() => resolve(found))
    })
  })
}

/**
 * Whether the port is free, tried with a socket that does not share it: uWebSockets.js binds with SO_REUSEPORT and
 * would silently take half of another process's connections. Resolves with the port, chosen when it was 0.
 */
export async function probePort(host: string | undefined, port: number): Promise<number> {
  try {
    return await bind(host, port)
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (taken && !(await isAnswered(host, port))) return port
    throw asListenError(error, host, port)
  }
}
