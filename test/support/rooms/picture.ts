import { fileURLToPath } from 'node:url'

/** A PNG of 64 × 40 pixels, all of the colour 200, 60, 30. */
export const picturePath = fileURLToPath(new URL('picture.png', import.meta.url))
