import { expect, it, vi } from 'vitest'
import { LIVE_OPTIONS, LiveOptions } from '../../../signaling/options/live.ts'
import { parseServerOptions } from '../../../signaling/options/parse.ts'

const KEY = 'k'.repeat(32)

it('takes what can be taken, and names what needs a restart', () => {
  const live = new LiveOptions(parseServerOptions({ port: 1, membersPerRoom: 10 }))
  const acted = vi.fn()
  live.onReload((options) => () => acted(options.membersPerRoom, options.port))
  const next = parseServerOptions({ port: 2, membersPerRoom: 20, signingKey: [KEY] })
  expect(live.reload(next)).toEqual({ changed: ['signingKey', 'membersPerRoom'], needRestart: ['port'] })
  expect(live.present).toMatchObject({ port: 1, membersPerRoom: 20, signingKey: [KEY] })
  expect(acted.mock.calls).toEqual([[20, 1]])
})

it('changes nothing when somebody cannot use it', () => {
  const live = new LiveOptions(parseServerOptions())
  const acted = vi.fn()
  live.onReload(() => acted)
  live.onReload(() => {
    throw new Error('no')
  })
  const before = live.present
  expect(() => live.reload(parseServerOptions({ graceMs: 1 }))).toThrow('no')
  expect(acted).not.toHaveBeenCalled()
  expect(live.present).toBe(before)
})

it('does not take what is the same for a change', () => {
  const live = new LiveOptions(parseServerOptions({ origins: ['https://a.example'] }))
  const same = parseServerOptions({ origins: ['https://a.example'] })
  expect(live.reload(same)).toEqual({ changed: [], needRestart: [] })
})

it('names an option whose file is another', () => {
  const live = new LiveOptions(parseServerOptions())
  live.onReload((_, isNew) => {
    isNew('accessPublicKey')
    return () => undefined
  })
  expect(live.reload(parseServerOptions({ graceMs: 1 }))).toMatchObject({ changed: ['graceMs', 'accessPublicKey'] })
})

it('keeps to its start what members were promised', () => {
  for (const key of ['frameBytes', 'packetBytes', 'profileBytes'] as const) expect(LIVE_OPTIONS.has(key)).toBe(false)
})
