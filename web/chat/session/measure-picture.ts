/** Width and height of a picture; `undefined` when the browser cannot read it. */
export async function measurePicture(
  picture: Blob,
): Promise<{ readonly width: number; readonly height: number } | undefined> {
  try {
    const bitmap = await createImageBitmap(picture)
    const size = { width: bitmap.width, height: bitmap.height }
    bitmap.close()
    return size
  } catch {
    return undefined
  }
}
