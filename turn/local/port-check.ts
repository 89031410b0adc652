/** Whether the ports of a coturn are free. coturn itself only retries and logs when they are not. */
import { createSocket } from 'node:dgram'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, isIPv6 } from 'node:net'
import type { TurnOptions } from '../options.ts'

/** What stands in the way of listening. */
export type PortCheck =
  | { readonly status: 'free' }
  /** Somebody listens there already. */
  | { readonly status: 'busy'; readonly port: number; readonly protocol: 'udp' | 'tcp' }
  /** A port below 1024, and we may not have it. */
  | { readonly status: 'forbidden'; readonly port: number }

type BindResult = 'free' | 'busy' | 'forbidden'

function resultOf(error: NodeJS.ErrnoException): BindResult {
  if (error.code === 'EADDRINUSE') return 'busy'
  if (error.code === 'EACCES' || error.code === 'EPERM') return 'forbidden'
  // No such address, or no IPv6 at all: nothing that another program could hold.
  return 'free'
}

function tryUdp(address: string, port: number): Promise<BindResult> {
  return new Promise((resolve) => {
    // Without address reuse the bind fails whoever holds the port, also a program that shares it with its like.
    const socket = createSocket(isIPv6(address) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
    socket.once('error', (error) => socket.close(() => resolve(resultOf(error))))
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve('free')))
  })
}

function tryTcp(address: string, port: number): Promise<BindResult> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(resultOf(error)))
    server.listen({ host: address, port, exclusive: true, ipv6Only: isIPv6(address) }, () =>
      server.close(() => resolve('free')),
    )
  })
}

/** Try every address and port that a coturn with these options would listen on. */
export async function checkPorts(
  options: Pick<TurnOptions, 'listenAddresses' | 'port' | 'tlsPort' | 'tls'>,
): Promise<PortCheck> {
  const addresses = options.listenAddresses.length === 0 ? ['0.0.0.0', '::'] : options.listenAddresses
  const ports = options.tls === undefined ? [options.port] : [options.port, options.tlsPort]
  for (const port of ports) {
    for (const address of addresses) {
      for (const [protocol, attempt] of [
        ['udp', tryUdp],
        ['tcp', tryTcp],
      ] as const) {
        const result = await attempt(address, port)
        if (result === 'busy') return { status: 'busy', port, protocol }
        if (result === 'forbidden') return { status: 'forbidden', port }
      }
    }
  }
  return { status: 'free' }
}

/** A coturn that runs on this machine and is not ours. */
export interface OtherTurnserver {
  readonly pid: number
  /** True when it runs as the distribution's service, or with the distribution's configuration file. */
  readonly service: boolean
}

/** The processes named `turnserver`, where /proc tells (Linux). Anyone may read that much of another's process. */
export async function findTurnservers(procFolder = '/proc'): Promise<readonly OtherTurnserver[]> {
  const read = (path: string): Promise<string> => readFile(`${procFolder}/${path}`, 'utf8').catch(() => '')
  const pids = (await readdir(procFolder).catch(() => [])).filter((name) => /^\d+$/.test(name))
  const found: OtherTurnserver[] = []
  for (const pid of pids) {
    if ((await read(`${pid}/comm`)).trim() !== 'turnserver') continue
    const [commandLine, group] = [await read(`${pid}/cmdline`), await read(`${pid}/cgroup`)]
    const service = group.includes('coturn.service') || commandLine.includes('/etc/turnserver.conf')
    found.push({ pid: Number(pid), service })
  }
  return found
}

/** What to tell the operator about a port that we cannot have. Names the distribution's service when it is running. */
export function portMessage(
  check: Exclude<PortCheck, { status: 'free' }>,
  others: readonly OtherTurnserver[],
  platform: NodeJS.Platform = process.platform,
): string {
  if (check.status === 'forbidden') {
    return (
      `TURN port ${check.port} needs a privilege that this process lacks; choose a port from 1024 on, ` +
      'or allow it with: sudo sysctl net.ipv4.ip_unprivileged_port_start=443'
    )
  }
  const where = `TURN port ${check.port} (${check.protocol.toUpperCase()}) is in use`
  const service = others.find((other) => other.service)
  if (service !== undefined) {
    return (
      `${where} by the coturn service of the distribution (process ${service.pid}); stop it with: ` +
      'sudo systemctl disable --now coturn, or choose another TURN port'
    )
  }
  const [other] = others
  if (other !== undefined) {
    return `${where}, probably by another turnserver (process ${other.pid}); stop it, or choose another TURN port`
  }
  const look = platform === 'linux' ? `sudo ss -lntup 'sport = :${check.port}'` : `sudo lsof -nP -i :${check.port}`
  return `${where}; find out by whom with: ${look}, or choose another TURN port`
}
