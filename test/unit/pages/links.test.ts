import { describe, expect, it } from 'vitest'
import { findLinks } from '../../../web/chat/model/links.ts'
import fc from '../../support/properties.ts'

const linksIn = (text: string): readonly string[] =>
  findLinks(text).flatMap((part) => (part.kind === 'link' ? [part.text] : []))

describe('links in messages', () => {
  it('finds web addresses and leaves the sentence its punctuation', () => {
    expect(linksIn('See https://example.org/a?b=c#d, and (http://example.com/x).')).toEqual([
      'https://example.org/a?b=c#d',
      'http://example.com/x',
    ])
  })

  it('keeps brackets that the address itself opened', () => {
    expect(linksIn('https://en.wikipedia.org/wiki/Party_line_(telephony)')).toEqual([
      'https://en.wikipedia.org/wiki/Party_line_(telephony)',
    ])
  })

  it.each([
    'javascript:alert(1)',
    'data:text/html,<b>x</b>',
    'file:///etc/passwd',
    'vbscript:x',
    'https://',
    'https://bank.example@evil.example/',
    'https://user:word@evil.example/',
  ])('leaves %s as text', (text) => {
    expect(linksIn(text)).toEqual([])
  })

  it('takes no time for what was written to take long: 100,000 characters of it would be minutes', () => {
    const brackets = ')'.repeat(100_000)
    expect(linksIn(`https://a.b/(c)${brackets}`)).toEqual(['https://a.b/(c)'])
    expect(linksIn(`https://a.b/${'('.repeat(100_000)}${brackets}).`)).toEqual([
      `https://a.b/${'('.repeat(100_000)}${brackets}`,
    ])
  })

  it('shows exactly what was written, and links to http and https only, whatever comes', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('https://a.b/', 'http://', '(', ')', ' ', '.', '@', 'javascript:', '<', '\n'),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('')
        const parts = findLinks(text)
        expect(parts.map((part) => part.text).join('')).toBe(text)
        for (const part of parts) if (part.kind === 'link') expect(part.href).toMatch(/^https?:\/\/[^@]/u)
      }),
    )
  })
})
