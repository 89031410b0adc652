import { createServer } from 'node:net'
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
 * Whether the port is free, tried with a socket that does not share it: uWebSockets.js binds with SO_REUSEPORT and
 * would silently take half of another process's connections. Resolves with the port, chosen when it was 0.
 */
export function probePort(host: string | undefined, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => reject(asListenError(error, host, port)))
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address()
      const found = typeof address === 'object' && address !== null ? address.port : port
      probe.close(() => resolve(found))
    })
  })
}
