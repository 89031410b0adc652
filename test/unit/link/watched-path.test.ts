import { describe, expect, it } from 'vitest'
import { decodePing } from '../../../signaling/protocol/index.ts'
import { WatchedPath } from '../../../web/client/link/watched-path.ts'
import type { DirectPath } from '../../../web/client/paths/path.ts'

const RTT_MS = 40

/** A path under watch whose clock and other side are a test's. */
class Watch {
  nowMs = 1_000
  answers = true
  readonly pinged: { readonly nonce: number; readonly atMs: number }[] = []
  readonly path: WatchedPath
  readonly #answersAt: { readonly nonce: number; readonly atMs: number }[] = []

  constructor() {
    const path = {
      kind: 'direct',
      send: (_lane: string, frame: Uint8Array) => {
        const { nonce } = decodePing(frame)
        this.pinged.push({ nonce, atMs: this.nowMs })
        if (this.answers) this.#answersAt.push({ nonce, atMs: this.nowMs + RTT_MS })
        return true
      },
    } as unknown as DirectPath
    this.path = new WatchedPath(path, 1, this.nowMs)
  }

  /** Until the watch gives it up, or `ms` are over. Returns whether it was given up. */
  pass(ms: number): boolean {
    for (const endMs = this.nowMs + ms; this.nowMs <= endMs; this.nowMs += 5) {
      for (const answer of this.#answersAt.filter(({ atMs }) => atMs <= this.nowMs)) {
        this.#answersAt.splice(this.#answersAt.indexOf(answer), 1)
        this.path.answered(answer.nonce, this.nowMs)
      }
      if (this.path.check(this.nowMs).verdict === 'given-up') return true
    }
    return false
  }
}

describe('a watched path', () => {
  it('is not usable before its own ping was answered', () => {
    const watch = new Watch()
    watch.answers = false
    watch.pass(2_000)
    expect([watch.path.trust, watch.path.usable]).toEqual(['probing', false])
    watch.path.answered(99, watch.nowMs)
    expect(watch.path.usable).toBe(false)
    watch.answers = true
    watch.pass(400)
    expect([watch.path.trust, watch.path.usable]).toEqual(['usable', true])
    expect(watch.path.rttMs).toBe(RTT_MS)
  })

  it('is pinged every few seconds while all is well', () => {
    const watch = new Watch()
    watch.pass(30_000)
    expect(watch.path.trust).toBe('usable')
    expect(watch.pinged.length).toBeGreaterThan(8)
    expect(watch.pinged.length).toBeLessThan(14)
  })

  it('is suspect, and still used, when something is overdue; one answer clears it', () => {
    const watch = new Watch()
    watch.pass(100)
    watch.path.suspect(watch.nowMs)
    expect([watch.path.trust, watch.path.usable]).toEqual(['suspect', true])
    watch.pass(100)
    expect(watch.path.trust).toBe('usable')
    expect(watch.path.heldBackUntilMs).toBeLessThan(watch.nowMs)
  })

  it('is not cleared by the answer to a ping from before the suspicion', () => {
    const watch = new Watch()
    watch.pass(100)
    watch.answers = false
    watch.pass(3_000)
    const last = watch.pinged.at(-1)?.nonce ?? 0
    watch.path.suspect(watch.nowMs)
    watch.path.answered(last, watch.nowMs)
    expect(watch.path.trust).toBe('suspect')
  })

  it('is suspended when the ping is overdue too, within half a second on a quick path', () => {
    const watch = new Watch()
    watch.pass(100)
    watch.answers = false
    watch.path.suspect(watch.nowMs)
    watch.pass(500)
    expect([watch.path.trust, watch.path.usable]).toEqual(['suspended', false])
  })

  it('notices its death while it is idle', () => {
    const watch = new Watch()
    watch.pass(1_000)
    watch.answers = false
    watch.pass(4_500)
    expect(watch.path.trust).toBe('suspended')
  })

  it('is given up after some seconds of silence, and not before', () => {
    const watch = new Watch()
    watch.pass(100)
    watch.answers = false
    watch.path.suspect(watch.nowMs)
    const startMs = watch.nowMs
    expect(watch.pass(60_000)).toBe(true)
    expect(watch.nowMs - startMs).toBeGreaterThan(4_000)
    expect(watch.nowMs - startMs).toBeLessThan(7_000)
  })

  it('that returns is held back, longer with each failure, until it has been good for a while', () => {
    const watch = new Watch()
    watch.pass(100)
    const fail = (): number => {
      watch.answers = false
      watch.path.suspect(watch.nowMs)
      watch.pass(1_000)
      expect(watch.path.trust).toBe('suspended')
      watch.answers = true
      for (let step = 0; step < 1_000 && !watch.path.usable; step += 1) watch.pass(0)
      return watch.path.heldBackUntilMs - watch.nowMs
    }
    const holds = [fail(), fail(), fail()]
    for (const [index, hold] of holds.slice(1).entries()) expect(hold).toBeGreaterThan((holds[index] as number) * 1.5)
    watch.pass(60_000)
    expect(fail()).toBeLessThan(holds[1] as number)
  })

  it('that was replaced is not used, however well it answers', () => {
    const watch = new Watch()
    watch.pass(100)
    watch.path.retire()
    watch.pass(4_000)
    expect(watch.path.usable).toBe(false)
  })
})
