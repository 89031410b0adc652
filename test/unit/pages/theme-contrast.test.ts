import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NAME_COLOUR } from '../../../web/chat/model/colour.ts'
import { contrast, rgbOfHex } from '../../support/pages/contrast.ts'

const tokens = readFileSync(new URL('../../../web/ui/styles/tokens.css', import.meta.url), 'utf8')
const pairs = new Map(
  [...tokens.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/gu)].map(([, name = '', light = '', dark = '']) => [
    name,
    { light, dark },
  ]),
)
const colour = (name: string, theme: 'light' | 'dark'): string => {
  const pair = pairs.get(name)
  if (pair === undefined) throw new Error(`no --${name} in tokens.css`)
  return pair[theme]
}

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  it.each([
    ['ink', 'ground'],
    ['ink', 'surface'],
    ['ink', 'raised'],
    ['ink', 'accent-soft'],
    ['ink-soft', 'ground'],
    ['ink-soft', 'surface'],
    ['ink-soft', 'sunken'],
    ['ink-soft', 'dim-soft'],
    ['accent', 'ground'],
    ['accent', 'surface'],
    ['accent', 'accent-soft'],
    ['accent-ink', 'accent'],
    ['good', 'good-soft'],
    ['good', 'surface'],
    ['good', 'ground'],
    ['amber', 'amber-soft'],
    ['amber', 'surface'],
    ['blue', 'blue-soft'],
    ['bad', 'bad-soft'],
    ['bad', 'surface'],
    ['bad', 'ground'],
  ])('%s on %s has AA contrast', (text, background) => {
    expect(contrast(rgbOfHex(colour(text, theme)), rgbOfHex(colour(background, theme)))).toBeGreaterThanOrEqual(4.5)
  })

  it('outlines controls with at least 3 to 1', () => {
    for (const background of ['ground', 'surface']) {
      const ratio = contrast(rgbOfHex(colour('line-strong', theme)), rgbOfHex(colour(background, theme)))
      expect(ratio).toBeGreaterThanOrEqual(3)
    }
  })

  it('gives names the lightness and chroma that their contrast is checked with', () => {
    const { lightness, chroma } = NAME_COLOUR[theme]
    expect(tokens).toContain(`--name-lightness: ${lightness};`)
    expect(tokens).toContain(`--name-chroma: ${chroma};`)
  })
})
