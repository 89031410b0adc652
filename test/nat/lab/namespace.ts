import { type ChildProcess, spawn } from 'node:child_process'
import { ip, run, runNow } from './command.ts'

/** No IPv6: the lab has IPv4 only, and its results are to be the same everywhere. Forwarding is for routers. */
const SYSTEM_SETTINGS = ['net/ipv6/conf/all/disable_ipv6=1', 'net/ipv6/conf/default/disable_ipv6=1']
const FORWARDING = 'net/ipv4/ip_forward=1'

/** A network namespace: a host of the lab. */
export class Namespace {
  readonly name: string

  private constructor(name: string) {
    this.name = name
  }

  static async create(name: string, { forwarding = false } = {}): Promise<Namespace> {
    await ip(`netns add ${name}`)
    const made = new Namespace(name)
    const settings = [...SYSTEM_SETTINGS, ...(forwarding ? [FORWARDING] : [])]
    const write = settings.map((setting) => setting.replace(/(.*)=(.*)/, 'echo $2 > /proc/sys/$1')).join(' && ')
    await made.run('sh', ['-c', write])
    await made.ip('link set lo up')
    return made
  }

  /** What stands before a command that is to run in here. */
  get entering(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.name}`]
  }

  /** `ip` in here. */
  ip(command: string): Promise<string> {
    return ip(`-n ${this.name} ${command}`)
  }

  /** Any program in here, to its end. */
  run(program: string, args: readonly string[], input?: string): Promise<string> {
    const [enter = '', ...rest] = this.entering
    return run(enter, [...rest, program, ...args], input)
  }

  /** A program in here that goes on running. */
  spawn(program: string, args: readonly string[]): ChildProcess {
    const [enter = '', ...rest] = this.entering
    return spawn(enter, [...rest, program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  }

  /** A rule set, taken over as a whole or not at all. */
  async nft(rules: string): Promise<void> {
    await this.run('nft', ['-f', '-'], rules)
  }

  /** Ids of all processes in here. */
  async processes(): Promise<readonly number[]> {
    return processIds(await ip(`netns pids ${this.name}`))
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    for (const id of await this.processes()) end(id, signal)
  }
}

const processIds = (text: string): readonly number[] => text.split('\n').flatMap((line) => (line ? [Number(line)] : []))

function end(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal)
  } catch {
    // It has ended meanwhile.
  }
}

/** The beginning of every name of a lab: this process's id tells whether the lab's owner still lives. */
export const NAME_START = 'partyline-nat-'

/** Names of all namespaces that start so. */
export async function namespacesOf(start: string): Promise<readonly string[]> {
  return namesIn(await ip('netns list'), start)
}

const namesIn = (list: string, start: string): readonly string[] =>
  list.split('\n').flatMap((line) => (line.startsWith(start) ? [line.split(' ')[0] ?? line] : []))

/** Ends all processes in these namespaces, and removes them with all that is in them. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  for (const name of names) {
    for (const id of processIds(await ip(`netns pids ${name}`))) end(id, 'SIGKILL')
  }
  for (const name of names) await ip(`netns del ${name}`)
}

/** The same, at once. */
export function removeNamespacesNow(start: string): void {
  const names = namesIn(runNow('ip', ['netns', 'list']), start)
  for (const name of names) {
    for (const id of processIds(runNow('ip', ['netns', 'pids', name]))) end(id, 'SIGKILL')
    runNow('ip', ['netns', 'del', name])
  }
}
