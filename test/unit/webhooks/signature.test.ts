import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { WEBHOOK_EVENTS } from '../../../signaling/webhooks/events.ts'
import { SIGNATURE_HEADER, signature, verifyWebhook } from '../../../signaling/webhooks/signature.ts'

const NOW_MS = 1_750_000_000_123
const BODY = '{"events":[]}'
const header = signature(['one', 'two'], NOW_MS, BODY)

describe('the signature of a webhook', () => {
  it('is HMAC-SHA256 of the seconds, a dot and the body, once for each secret', () => {
    const mac = (secret: string): string => createHmac('sha256', secret).update(`1750000000.${BODY}`).digest('hex')
    expect(header).toBe(`t=1750000000,v1=${mac('one')},v1=${mac('two')}`)
  })

  it('is good for who has one of the secrets', () => {
    expect(verifyWebhook(BODY, header, 'one', { nowMs: NOW_MS })).toBe(true)
    expect(verifyWebhook(BODY, header, 'two', { nowMs: NOW_MS })).toBe(true)
    expect(verifyWebhook(BODY, header, 'three', { nowMs: NOW_MS })).toBe(false)
  })

  it('is no good for another body, another time, or when it is old', () => {
    expect(verifyWebhook(`${BODY} `, header, 'one', { nowMs: NOW_MS })).toBe(false)
    const later = header.replace('t=1750000000', 't=1750000001')
    expect(verifyWebhook(BODY, later, 'one', { nowMs: NOW_MS })).toBe(false)
    expect(verifyWebhook(BODY, header, 'one', { nowMs: NOW_MS + 299_000 })).toBe(true)
    expect(verifyWebhook(BODY, header, 'one', { nowMs: NOW_MS + 301_000 })).toBe(false)
    expect(verifyWebhook(BODY, header, 'one', { nowMs: NOW_MS + 301_000, oldestMs: 400_000 })).toBe(true)
    expect(verifyWebhook(BODY, header, 'one', { nowMs: NOW_MS - 301_000 })).toBe(false)
  })

  it.each([undefined, '', 't=', 't=x,v1=', 't=1750000000', 'v1=00', 't=1750000000,v1=zz', 't=1750000000,v1='])(
    'is not %j',
    (rubbish) => {
      expect(verifyWebhook(BODY, rubbish, 'one', { nowMs: NOW_MS })).toBe(false)
    },
  )
})

it('README says what comes and how it is signed, for backends in any language', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  for (const event of WEBHOOK_EVENTS) expect(readme).toContain(`\`${event}\``)
  expect(readme.toLowerCase()).toContain(`\`${SIGNATURE_HEADER}: t=seconds,v1=hex\``)
  expect(readme).toContain('HMAC-SHA256')
})
