/** The ways there are to one member: the relay, and our peer connections; which is in use, and where bulk goes beside it. */
import type { Clock } from '../clock.ts'
import type { LinkSender } from '../delivery/link-sender.ts'
import type { Outlet } from '../delivery/outlet.ts'
import type { PathKind } from '../face.ts'
import type { Alarm } from './alarm.ts'
import { choosePath } from './path-choice.ts'
import type { RelayOutlet } from './relay-outlet.ts'
import type { WatchedPath } from './watched-path.ts'

export interface LinkPathsDeps {
  readonly sender: Pick<LinkSender, 'outlet' | 'setOutlet' | 'loseFlight'>
  readonly clock: Pick<Clock, 'now'>
  /** Rings when it is time to choose, or look, again. */
  readonly alarm: Pick<Alarm, 'by'>
  /** Another path, or kind of path, is in use. */
  changed(): void
  /** It does not answer, and is closed. */
  gaveUp(path: WatchedPath): void
}

export class LinkPaths {
  relay: RelayOutlet | undefined
  readonly #deps: LinkPathsDeps
  readonly #paths = new Set<WatchedPath>()
  #kind: PathKind = 'none'

  constructor(deps: LinkPathsDeps) {
    this.#deps = deps
  }

  /** Of the path in use. */
  get kind(): PathKind {
    return this.#kind
  }

  /** Peer connections that may be the path in use. */
  get #ways(): WatchedPath[] {
    return [...this.#paths].filter(({ beside }) => !beside)
  }

  /** The peer connection in use. */
  get watched(): WatchedPath | undefined {
    return this.#find(this.#deps.sender.outlet)
  }

  /** The path in use. */
  get outlet(): Outlet | undefined {
    return this.#deps.sender.outlet
  }

  #find(outlet: Outlet | undefined): WatchedPath | undefined {
    for (const path of this.#paths) if (path === outlet) return path
    return undefined
  }

  /** Whether a direct path is usable: the member is then not gone, whatever the server says. */
  get reachableDirectly(): boolean {
    return this.#ways.some(({ usable }) => usable)
  }

  /** A direct path is up, but does not answer. */
  get suspended(): boolean {
    return this.#ways.some(({ trust }) => trust === 'suspended')
  }

  add(path: WatchedPath): void {
    this.#paths.add(path)
  }

  /** What flew by it is to be sent again. False: it is none of ours. */
  remove(path: WatchedPath): boolean {
    if (!this.#paths.delete(path)) return false
    this.choose()
    this.#deps.sender.loseFlight(path.tag)
    return true
  }

  /** The relay is to be used, or not; what flew by the one before is to be sent again. */
  replaceRelay(relay: RelayOutlet | undefined): void {
    const old = this.relay
    this.relay = relay
    this.choose()
    if (old !== undefined) this.#deps.sender.loseFlight(old.tag)
  }

  /** Frames take the best path from now on. */
  choose(): void {
    const { sender, clock, alarm, changed } = this.#deps
    const nowMs = clock.now()
    const { relay } = this
    const current = sender.outlet
    const direct = choosePath(this.#ways, current?.tag, nowMs)
    // A direct path that is held back after a failure gives way to the relay for a while.
    const heldBack = direct !== undefined && direct.tag !== current?.tag && direct.heldBackUntilMs > nowMs
    const best: Outlet | undefined = relay !== undefined && (direct === undefined || heldBack) ? relay : direct
    const kind = best?.kind ?? 'none'
    if (best !== current) sender.setOutlet(best)
    if (heldBack && direct !== undefined) alarm.by(direct.heldBackUntilMs)
    if (best === current && kind === this.#kind) return
    this.#kind = kind
    changed()
  }

  /** The next frame of bulk goes by the one beside that has the least to do, if any is in good health. */
  bulkOutlet(outlet: Outlet): Outlet {
    let best = outlet
    let leastBytes = Number.POSITIVE_INFINITY
    for (const path of this.#paths) {
      if (!path.beside || !path.usable || path.trust === 'suspect') continue
      const bytes = path.path.bufferedBytes('bulk')
      if (bytes >= leastBytes) continue
      best = path
      leastBytes = bytes
    }
    return best
  }

  /** Something sent by it is overdue. */
  suspect(outlet: Outlet): void {
    this.#find(outlet)?.suspect(this.#deps.clock.now())
  }

  /** Pings what is to be pinged, and leaves what does not answer. */
  check(nowMs: number): void {
    const { sender, alarm, gaveUp } = this.#deps
    for (const path of [...this.#paths]) {
      const before = path.trust
      const { verdict, nextMs } = path.check(nowMs)
      if (verdict === 'given-up') {
        gaveUp(path)
        continue
      }
      alarm.by(nextMs)
      if (path.trust === 'suspended' && before !== 'suspended') {
        this.choose()
        sender.loseFlight(path.tag)
      }
    }
    this.choose()
  }

  clear(): void {
    this.#paths.clear()
  }
}
