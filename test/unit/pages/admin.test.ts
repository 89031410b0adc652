import { describe, expect, it } from 'vitest'
import { AdminApi, AdminError } from '../../../web/admin/model/admin-api.ts'
import { formatCount, formatDuration, formatShare } from '../../../web/admin/model/numbers.ts'
import { linePoints, ratesOf, scaleTop, spanOf, withNewer } from '../../../web/admin/model/series.ts'
import type { Point } from '../../../web/admin/model/server-data.ts'
import { shownProfile, shownText } from '../../../web/admin/model/shown-text.ts'

const point = (atMs: number, deliveriesTotal = 0): Point => ({
  ...{ atMs, deliveriesTotal, rooms: 0, here: 0, away: 0, framesTotal: 0, bytesTotal: 0, droppedTotal: 0 },
  ...{ busySecondsTotal: 0, residentBytes: 0, eventLoopP99Ms: 0 },
})

describe('plots', () => {
  it('go on where they were, for a quarter of an hour', () => {
    const known = [point(0), point(5_000)]
    expect(withNewer(known, [point(5_000), point(10_000)]).map(({ atMs }) => atMs)).toEqual([0, 5_000, 10_000])
    expect(withNewer(known, [point(902_000)]).map(({ atMs }) => atMs)).toEqual([5_000, 902_000])
  })

  it('show what a total grew by, and no fall when the server began anew', () => {
    const points = [point(0, 100), point(5_000, 600), point(10_000, 20), point(12_000, 30)]
    expect(ratesOf(points, 'deliveriesTotal')).toEqual([
      { atMs: 5_000, value: 100 },
      { atMs: 12_000, value: 5 },
    ])
  })

  it.each([
    [[], 1],
    [[0, 0], 1],
    [[3, 4.1], 5],
    [[1_001], 2_000],
    [[100], 100],
    [[0.04], 0.05],
  ])('have a round top: %j is below %d', (values, top) => {
    expect(scaleTop(values.map((value) => ({ atMs: 0, value })))).toBeCloseTo(top)
  })

  it('end at the right edge, as high as their value', () => {
    const samples = [
      { atMs: 30_000, value: 10 },
      { atMs: 60_000, value: 5 },
    ]
    const spanMs = spanOf([point(30_000), point(60_000)])
    expect(spanMs).toBe(60_000)
    expect(linePoints(samples, { width: 100, height: 40, spanMs, top: 10 })).toBe('50.0,0.0 100.0,20.0')
  })
})

describe('what members wrote', () => {
  it('cannot pass for something else', () => {
    expect(shownText('a\u202eb\u0007c')).toBe('a\ufffdb\ufffdc')
    expect(shownText('x'.repeat(500), 10)).toBe(`${'x'.repeat(9)}…`)
  })

  it('is the name where there is one, else all of it', () => {
    expect(shownProfile({ name: 'Ada', age: 36 })).toBe('Ada')
    expect(shownProfile({ name: 7 })).toBe('{"name":7}')
    expect(shownProfile({ nick: 'A' })).toBe('{"nick":"A"}')
    expect(shownProfile('Ada')).toBe('Ada')
    expect(shownProfile(null)).toBe('')
  })
})

it('numbers are short', () => {
  expect([formatCount(3.14), formatCount(1_234.5)]).toEqual(['3.1', '1,235'])
  expect([formatShare(0), formatShare(0.034), formatShare(0.5), formatShare(1)]).toEqual([
    '0 %',
    '3.4 %',
    '50 %',
    '100 %',
  ])
  expect([90_000, 600_000, 10_000_000, 300_000_000].map(formatDuration)).toEqual(['90 s', '10 min', '2 h', '3 days'])
})

describe('the API of the server', () => {
  interface Asked {
    readonly url: string
    readonly method: string | undefined
    readonly authorization: string | null
  }

  function api(status: number, body: string): { readonly api: AdminApi; readonly asked: Asked[] } {
    const asked: Asked[] = []
    const answer = async (url: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
      const { method } = init
      asked.push({ url: String(url), method, authorization: new Headers(init.headers).get('authorization') })
      return new Response(body, { status })
    }
    return { api: new AdminApi(new URL('https://example.org/party/'), 'the-key', answer), asked }
  }

  it('is asked with the key in a header and in no address', async () => {
    const { api: admin, asked } = api(200, '{"rooms":[{"name":"a","members":1,"away":0}],"next":"a"}')
    expect(await admin.rooms('0')).toEqual({ rows: [{ name: 'a', members: 1, away: 0 }], next: 'a' })
    await admin.removeMember('a/b?', '0123456789abcdef')
    expect(asked).toEqual([
      {
        url: 'https://example.org/party/api/v1/rooms?limit=50&after=0',
        method: 'GET',
        authorization: 'Bearer the-key',
      },
      {
        url: 'https://example.org/party/api/v1/rooms/a%2Fb%3F/members/0123456789abcdef',
        method: 'DELETE',
        authorization: 'Bearer the-key',
      },
    ])
  })

  it('gives all members, which are shown page by page', async () => {
    const members = Array.from({ length: 120 }, (_, index) => ({ id: `${index}` }))
    const { api: admin } = api(200, JSON.stringify({ members }))
    const first = await admin.members('a', undefined)
    expect([first.rows.length, first.next]).toEqual([50, '50'])
    const last = await admin.members('a', '100')
    expect([last.rows.map(({ id }) => id)[0], last.rows.length, last.next]).toEqual(['100', 20, undefined])
  })

  it.each([
    [401, 'Send a key', 'wrong-key', 'Send a key'],
    [403, '{"error":{"code":"no-api-key","message":"there is none"}}', 'no-key-here', 'there is none'],
    [404, '{"error":{"code":"no-such-room","message":"nobody"}}', 'gone', 'nobody'],
    [500, '', 'refused', ''],
  ])('%d is told as what it is', async (status, body, code, message) => {
    await expect(api(status, body).api.data(0)).rejects.toMatchObject({ code, message })
  })

  it('may be out of reach', async () => {
    const admin = new AdminApi(new URL('https://example.org/'), 'k', () => Promise.reject(new TypeError('no')))
    await expect(admin.data(0)).rejects.toEqual(new AdminError('unreachable', 'The server does not answer.'))
  })
})
