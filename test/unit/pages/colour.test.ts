import { describe, expect, it } from 'vitest'
import { HUES, hueOf, NAME_COLOUR } from '../../../web/chat/model/colour.ts'
import { contrast, oklch, rgbOfHex } from '../../support/pages/contrast.ts'

describe('colours of names', () => {
  it('are the same for the same id and spread over all hues', () => {
    expect(hueOf('0123456789abcdef')).toBe(hueOf('0123456789abcdef'))
    const seen = new Set(Array.from({ length: 400 }, (_, n) => hueOf(n.toString(16).padStart(16, '0'))))
    expect(seen.size).toBe(HUES.length)
  })

  // The backgrounds that names stand on, from ui/styles/tokens.css: surface, ground and the hovered row.
  it.each([
    ['light', ['#ffffff', '#f6f5f2', '#eeede8']],
    ['dark', ['#1b1b22', '#131318', '#0e0e12']],
  ] as const)('have AA contrast in the %s theme', (theme, backgrounds) => {
    const { lightness, chroma } = NAME_COLOUR[theme]
    for (const hue of HUES) {
      for (const background of backgrounds) {
        expect(
          contrast(oklch(lightness, chroma, hue), rgbOfHex(background)),
          `${hue} on ${background}`,
        ).toBeGreaterThanOrEqual(4.5)
      }
    }
  })

  it.each([
    ['light', '#ffffff'],
    ['dark', '#131318'],
  ] as const)('carry readable initials in the %s theme', (theme, ink) => {
    const { lightness, chroma } = NAME_COLOUR[theme]
    for (const hue of HUES) expect(contrast(oklch(lightness, chroma, hue), rgbOfHex(ink))).toBeGreaterThanOrEqual(4.5)
  })
})
