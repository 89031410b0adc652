/** Hues on the OKLCH wheel, degrees, far enough apart to tell people apart; lightness is the theme's affair. */
export const HUES = Object.freeze([
  0, 22, 44, 66, 88, 110, 132, 150, 170, 190, 212, 234, 254, 274, 294, 314, 336,
] as const)

/** Lightness and chroma of names in each theme, as in `ui/styles/tokens.css`: contrast with every background is AA. */
export const NAME_COLOUR = Object.freeze({
  light: { lightness: 0.47, chroma: 0.13 },
  dark: { lightness: 0.79, chroma: 0.12 },
} as const)

/** A member's hue: the same on every screen, since it comes from the id alone. */
export function hueOf(peerId: string): number {
  // FNV-1a: spreads ids that differ in one digit.
  let hash = 0x811c9dc5
  for (let index = 0; index < peerId.length; index += 1) {
    hash = Math.imul(hash ^ peerId.charCodeAt(index), 0x01000193) >>> 0
  }
  return HUES[hash % HUES.length] ?? HUES[0]
}
