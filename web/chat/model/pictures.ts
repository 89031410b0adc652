/** Pictures that browsers draw from pixels alone. SVG is not among them: it is a document. */
const DRAWN = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])

/** Largest picture that is fetched without asking, bytes. */
export const PICTURE_BYTES = 4_000_000
/** All that may be fetched without asking during one visit, bytes: beyond, each picture is asked for. */
export const PICTURES_BYTES = 100_000_000

export const isPicture = (type: string): boolean => DRAWN.has(type.toLowerCase())

/** Whether a file is shown right away instead of being asked for. */
export const isShownUnasked = (
  file: { readonly type: string; readonly sizeBytes: number },
  fetchedBytes: number,
): boolean => isPicture(file.type) && file.sizeBytes <= PICTURE_BYTES && fetchedBytes + file.sizeBytes <= PICTURES_BYTES

/** A picture's size as its sender gives it; `undefined` unless it makes sense. */
export function readPictureSize(meta: unknown): { readonly width: number; readonly height: number } | undefined {
  if (typeof meta !== 'object' || meta === null || !('width' in meta) || !('height' in meta)) return undefined
  const { width, height } = meta
  if (!Number.isInteger(width) || !Number.isInteger(height)) return undefined
  const inRange = (pixels: unknown): pixels is number => typeof pixels === 'number' && pixels >= 1 && pixels <= 65_535
  return inRange(width) && inRange(height) ? { width, height } : undefined
}

/** The place a picture takes: never larger than the box, nor than itself, in its own proportions. */
export function fitInto(
  picture: { readonly width: number; readonly height: number },
  box: { readonly width: number; readonly height: number },
): { readonly width: number; readonly height: number } {
  const scale = Math.min(1, box.width / picture.width, box.height / picture.height)
  return {
    width: Math.max(1, Math.round(picture.width * scale)),
    height: Math.max(1, Math.round(picture.height * scale)),
  }
}
