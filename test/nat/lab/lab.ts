import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { INTERNET_PREFIX, SERVER_ADDRESS, siteAddresses, TURN_ADDRESS } from './addresses.ts'
import { NAME_START, Namespace, namespacesOf, removeNamespaces, removeNamespacesNow } from './namespace.ts'
import { Client, Site } from './site.ts'

/** How many clients each site has. */
export type SiteSizes = readonly number[]

/**
 * An internet of one bridge, with a server's host, a TURN server's host, and sites behind NATs. Nothing in it reaches
 * anything outside of it. `close` removes it; what a crashed run left behind goes when the next lab is made.
 */
export class Lab {
  private constructor(
    readonly prefix: string,
    readonly internet: Namespace,
    readonly server: Namespace,
    readonly turn: Namespace,
    readonly sites: readonly Site[],
    /** Of the first site, then of the second, … */
    readonly clients: readonly Client[],
    private readonly atExit: () => void,
  ) {}

  static async create(sizes: SiteSizes): Promise<Lab> {
    await sweep()
    // Several may run at once.
    const prefix = `${NAME_START}${process.pid}-${randomBytes(3).toString('hex')}-`
    const atExit = (): void => removeNamespacesNow(prefix)
    process.once('exit', atExit)
    try {
      const internet = await Namespace.create(`${prefix}internet`)
      await internet.ip('link add internet type bridge')
      await internet.ip('link set internet up')
      const server = await host('server', SERVER_ADDRESS, prefix, internet)
      const turn = await host('turn', TURN_ADDRESS, prefix, internet)
      const sites: Site[] = []
      const clients: Client[] = []
      for (const [index, size] of sizes.entries()) {
        const site = await Site.create(index + 1, prefix, internet)
        sites.push(site)
        for (let number = 0; number < size; number += 1) {
          clients.push(await Client.create(number, `${prefix}client${site.number}-${number}`, site))
        }
      }
      for (const from of [server, turn, ...sites.map(({ router }) => router)]) await routeToSites(from, sites)
      return new Lab(prefix, internet, server, turn, sites, clients, atExit)
    } catch (error) {
      removeNamespacesNow(prefix)
      throw error
    }
  }

  async close(): Promise<void> {
    await removeNamespaces(await namespacesOf(this.prefix))
    process.removeListener('exit', this.atExit)
  }
}

async function host(name: string, address: string, prefix: string, internet: Namespace): Promise<Namespace> {
  const made = await Namespace.create(`${prefix}${name}`)
  await made.ip(`link add eth0 type veth peer name ${name} netns ${internet.name}`)
  await internet.ip(`link set ${name} master internet up`)
  await made.ip(`address add ${address}/${INTERNET_PREFIX} dev eth0`)
  await made.ip('link set eth0 up')
  return made
}

/** Addresses of the open networks behind routers; those inside a NAT are reached by nobody. */
async function routeToSites(from: Namespace, sites: readonly Site[]): Promise<void> {
  for (const { number, router } of sites) {
    if (router === from) continue
    const { open, router: gateway } = siteAddresses(number)
    await from.ip(`route add ${open.network}/${open.prefix} via ${gateway}`)
  }
}

/** Removes labs whose process is gone. */
async function sweep(): Promise<void> {
  const left = (await namespacesOf(NAME_START)).filter((name) => {
    const owner = name.slice(NAME_START.length).split('-')[0] ?? ''
    return !existsSync(`/proc/${owner}`)
  })
  await removeNamespaces(left)
}
