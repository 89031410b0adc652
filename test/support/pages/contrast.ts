/** Colour arithmetic for the contrast tests: WCAG 2.2 and Björn Ottosson's OKLab. */
export type Rgb = readonly [red: number, green: number, blue: number]

const clamp = (value: number): number => Math.max(0, Math.min(1, value))
const toGamma = (linear: number): number => (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055)
const toLinear = (value: number): number => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)

/** sRGB of an OKLCH colour, cut off at the edge of sRGB. */
export function oklch(lightness: number, chroma: number, hueDegrees: number): Rgb {
  const hue = (hueDegrees * Math.PI) / 180
  const a = chroma * Math.cos(hue)
  const b = chroma * Math.sin(hue)
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    clamp(toGamma(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short)),
    clamp(toGamma(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short)),
    clamp(toGamma(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short)),
  ]
}

const luminance = ([red, green, blue]: Rgb): number =>
  0.2126 * toLinear(red) + 0.7152 * toLinear(green) + 0.0722 * toLinear(blue)

/** From 1 to 21; text needs 4.5 for AA. */
export function contrast(one: Rgb, other: Rgb): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((left, right) => left - right)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

export const rgbOfHex = (hex: string): Rgb => {
  const at = (start: number): number => Number.parseInt(hex.slice(start, start + 2), 16) / 255
  return [at(1), at(3), at(5)]
}
