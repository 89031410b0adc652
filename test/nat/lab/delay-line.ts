import { fileURLToPath } from 'node:url'
import type { Namespace } from './namespace.ts'
import { Service } from './service.ts'

const CARRIER = fileURLToPath(new URL('delay-line.mjs', import.meta.url))

/**
 * Opens two TAP devices and becomes the program given: Node cannot make the ioctl (TUNSETIFF, with IFF_TAP and
 * IFF_NO_PI) that this takes, and every Debian has a Perl.
 */
const OPEN_DEVICES = `
  $^F = 255;
  for my $name (splice @ARGV, 0, 2) {
    open(my $device, "+<", "/dev/net/tun") or die "/dev/net/tun: $!";
    ioctl($device, 0x400454ca, pack("Z16 S x22", $name, 0x1002)) or die "$name: $!";
    push @devices, $device;
  }
  exec(splice(@ARGV, 0, 2), map({ fileno $_ } @devices), @ARGV);
`

/** A long way between a port of a bridge and that bridge; the kernel that this is made for has no netem. */
export class DelayLine {
  private constructor(
    private readonly service: Service,
    private readonly namespace: Namespace,
    private readonly port: string,
    private readonly bridge: string,
  ) {}

  /** From now on, what goes by this port of the bridge takes so much longer, in each direction. */
  static async insert(namespace: Namespace, port: string, bridge: string, delayMs: number): Promise<DelayLine> {
    const [near, far] = [`${port}n`, `${port}f`]
    const service = new Service({
      name: 'delay line',
      namespace,
      program: 'perl',
      args: ['-e', OPEN_DEVICES, near, far, process.execPath, CARRIER, String(delayMs)],
      ready: /carrying/,
    })
    await service.start()
    await namespace.ip(`link add ${port}b type bridge`)
    await namespace.ip(`link set ${port}b up`)
    await namespace.ip(`link set ${near} master ${port}b up`)
    await namespace.ip(`link set ${far} master ${bridge} up`)
    await namespace.ip(`link set ${port} master ${port}b`)
    return new DelayLine(service, namespace, port, bridge)
  }

  async remove(): Promise<void> {
    await this.namespace.ip(`link set ${this.port} master ${this.bridge}`)
    await this.namespace.ip(`link del ${this.port}b`)
    await this.service.kill()
  }
}
