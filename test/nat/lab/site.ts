import { INTERNET_PREFIX, type LocalNetwork, type SiteAddresses, siteAddresses } from './addresses.ts'
import { DelayLine } from './delay-line.ts'
import { Namespace } from './namespace.ts'
import { type NatKind, natRules } from './nat-kinds.ts'

/** A home or an office: a router with a NAT, and a network behind it. */
export class Site {
  readonly addresses: SiteAddresses
  #kind: NatKind = 'public'
  #delay: DelayLine | undefined

  private constructor(
    readonly number: number,
    readonly router: Namespace,
    readonly internet: Namespace,
  ) {
    this.addresses = siteAddresses(number)
  }

  /** @param number 1 to 15 */
  static async create(number: number, prefix: string, internet: Namespace): Promise<Site> {
    const router = await Namespace.create(`${prefix}router${number}`, { forwarding: true })
    const site = new Site(number, router, internet)
    const { router: address, inside, open } = site.addresses
    await router.ip(`link add wan type veth peer name site${number} netns ${internet.name}`)
    await internet.ip(`link set site${number} master internet up`)
    await router.ip(`address add ${address}/${INTERNET_PREFIX} dev wan`)
    await router.ip('link set wan up')
    // Without snooping: names of hidden addresses (.local) travel by multicast.
    await router.ip('link add lan type bridge mcast_snooping 0')
    for (const { gateway, prefix: bits } of [inside, open]) await router.ip(`address add ${gateway}/${bits} dev lan`)
    await router.ip('link set lan up')
    await router.nft(natRules(site.#kind))
    return site
  }

  get kind(): NatKind {
    return this.#kind
  }

  /** The network that clients are in, with this kind of NAT. */
  get network(): LocalNetwork {
    return this.#kind === 'public' ? this.addresses.open : this.addresses.inside
  }

  /** Another NAT, from now on; connections through the one before are over. Clients may need another address. */
  async become(kind: NatKind): Promise<void> {
    this.#kind = kind
    await this.router.nft(natRules(kind))
    await this.forgetConnections()
  }

  /**
   * Rules of nft for what goes through the router, before those of the NAT: `lan` is inside, `wan` outside. They take
   * the place of those before; none: all is well.
   */
  async trouble(...rules: readonly string[]): Promise<void> {
    await this.router.nft(troubleRules(rules))
  }

  /** What goes between here and everywhere else takes so much longer each way. 0: no longer. */
  async delay(ms: number): Promise<void> {
    await this.#delay?.remove()
    this.#delay = ms === 0 ? undefined : await DelayLine.insert(this.internet, `site${this.number}`, 'internet', ms)
  }

  /** As a router that was restarted, or whose table was full: it makes new mappings. */
  async forgetConnections(): Promise<void> {
    await this.router.run('conntrack', ['-F'])
  }
}

const troubleRules = (rules: readonly string[]): string => `
table ip trouble
delete table ip trouble
table ip trouble {
  chain forward {
    type filter hook forward priority -10; policy accept;
    ${rules.join('\n    ')}
  }
}
`

/** A computer or a telephone, plugged into a site. */
export class Client {
  #site: Site | undefined

  private constructor(
    readonly namespace: Namespace,
    readonly number: number,
  ) {}

  static async create(number: number, name: string, site: Site): Promise<Client> {
    const client = new Client(await Namespace.create(name), number)
    await client.plugInto(site)
    return client
  }

  get address(): string {
    if (this.#site === undefined) throw new Error(`${this.namespace.name} is nowhere`)
    return this.#site.network.client(this.number)
  }

  /** Another network by another interface; the one before is gone. */
  async plugInto(site: Site): Promise<void> {
    const before = this.#site
    if (before !== undefined) await this.namespace.ip('link del eth0')
    this.#site = site
    const { router } = site
    await this.namespace.ip(`link add eth0 type veth peer name ${this.#port} netns ${router.name}`)
    await router.ip(`link set ${this.#port} master lan up`)
    await this.#configure()
  }

  /** The address that fits the site's present kind of NAT. */
  async readdress(): Promise<void> {
    const present = await this.namespace.ip('-4 -o address show dev eth0')
    if (present.includes(` ${this.address}/`)) return
    await this.namespace.ip('address flush dev eth0')
    await this.#configure()
  }

  async pullCable(): Promise<void> {
    await this.#wall.ip(`link set ${this.#port} down`)
  }

  async plugCable(): Promise<void> {
    await this.#wall.ip(`link set ${this.#port} up`)
  }

  get #wall(): Namespace {
    if (this.#site === undefined) throw new Error(`${this.namespace.name} is nowhere`)
    return this.#site.router
  }

  /** Of the router, where our cable ends. */
  get #port(): string {
    return `port${this.number}`
  }

  async #configure(): Promise<void> {
    const { network } = this.#site ?? {}
    if (network === undefined) return
    await this.namespace.ip(`address add ${network.client(this.number)}/${network.prefix} dev eth0`)
    await this.namespace.ip('link set eth0 up')
    await this.namespace.ip(`route add default via ${network.gateway}`)
  }
}
