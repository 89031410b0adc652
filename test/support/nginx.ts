import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

/** Debian keeps it out of a user's PATH. */
const PROGRAM = '/usr/sbin/nginx'
const STARTING_MS = 30_000

/** What the network behind the proxy allows. */
export type ProxyRules =
  /** Everything. */
  | 'open'
  /** No upgrades to WebSocket. */
  | 'no-websocket'
  /** Besides, answers are collected before they are passed on, whatever their headers ask for. */
  | 'buffered'
  /** Besides, an answer has to begin within a second. */
  | 'short-requests'

/** Compressing what it ought not to, nginx waits until there is enough of it. Without that, it passes on what it has. */
const BUFFERED = `
      proxy_buffering on;
      proxy_ignore_headers X-Accel-Buffering;
      gzip on;
      gzip_types text/event-stream;
      gzip_proxied any;
      gzip_min_length 0;`

const RULES: Readonly<Record<ProxyRules, string>> = {
  open: '',
  'no-websocket': '',
  buffered: BUFFERED,
  'short-requests': `${BUFFERED}
      proxy_read_timeout 1s;`,
}

function configuration(rules: ProxyRules, port: number, upstreamPort: number): string {
  const upgrade =
    rules === 'open'
      ? `location /ws {
      proxy_pass http://127.0.0.1:${upstreamPort};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
    }`
      : 'location /ws { return 403; }'
  return `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    ${upgrade}
    location / {
      proxy_pass http://127.0.0.1:${upstreamPort};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;${RULES[rules]}
    }
  }
}
`
}

/** The distribution's nginx in front of a server, with a port of its own that stays the same. */
export class Nginx {
  readonly port: number
  readonly #upstreamPort: number
  readonly #folder: string
  #process: ChildProcess | undefined
  #output = ''

  private constructor(port: number, upstreamPort: number, folder: string) {
    this.port = port
    this.#upstreamPort = upstreamPort
    this.#folder = folder
  }

  static async start(upstreamPort: number, rules: ProxyRules): Promise<Nginx> {
    const nginx = new Nginx(await freePort(), upstreamPort, await mkdtemp(join(tmpdir(), 'partyline-nginx-')))
    await nginx.use(rules)
    return nginx
  }

  /** Ends with a slash. */
  get address(): string {
    return `http://localhost:${this.port}/`
  }

  /** From now on these rules hold for new connections. Those that are open are cut; `gently`, they live on. */
  async use(rules: ProxyRules, how: 'at once' | 'gently' = 'at once'): Promise<void> {
    if (how === 'at once') await this.stop()
    await mkdir(join(this.#folder, 'logs'), { recursive: true })
    const file = join(this.#folder, 'nginx.conf')
    await writeFile(file, configuration(rules, this.port, this.#upstreamPort))
    if (how === 'gently') {
      this.#process?.kill('SIGHUP')
      return
    }
    const started = spawn(PROGRAM, ['-p', this.#folder, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#process = started
    started.stderr.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString()
    })
    await this.#listens(started)
  }

  /** Ends it at once. */
  async stop(): Promise<void> {
    const ending = this.#process
    this.#process = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const exited = once(ending, 'exit')
    // At once, its workers included.
    ending.kill('SIGTERM')
    await exited
  }

  async dispose(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #listens(started: ChildProcess): Promise<void> {
    const untilMs = performance.now() + STARTING_MS
    while (performance.now() < untilMs && started.exitCode === null) {
      const socket = connect(this.port, '127.0.0.1')
      const open = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error')]).catch(
        () => false,
      )
      socket.destroy()
      if (open === true) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`nginx did not start:\n${this.#output}`)
  }
}
