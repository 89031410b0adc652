import { isPicture } from '../model/pictures.ts'

/** Asks the person where to save; `undefined` when they change their mind. */
export type ChooseTarget = (suggestedName: string) => Promise<FileSystemWritableFileStream | undefined>

interface SavePickerWindow {
  showSaveFilePicker(options: { readonly suggestedName: string }): Promise<FileSystemFileHandle>
}

const hasSavePicker = (scope: object): scope is SavePickerWindow =>
  'showSaveFilePicker' in scope && typeof scope.showSaveFilePicker === 'function'

/** The browser's own save dialog, in browsers that have one (Chromium). */
export function browserChooseTarget(scope: object): ChooseTarget | undefined {
  if (!hasSavePicker(scope)) return undefined
  return async (suggestedName) => {
    try {
      const handle = await scope.showSaveFilePicker({ suggestedName })
      return await handle.createWritable()
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') return undefined
      throw error
    }
  }
}

/** Chunks are joined into blobs of this size, which browsers may keep on disk, bytes. */
const PART_BYTES = 4_000_000

/**
 * Gathers a stream in a blob. Its type is the sender's only for pictures that are drawn from pixels: opened in a tab,
 * anything else could run as a page of this site.
 */
export async function collect(
  stream: ReadableStream<Uint8Array>,
  type: string,
  took: (bytes: number) => void,
): Promise<Blob> {
  const parts: Blob[] = []
  let chunks: BlobPart[] = []
  let waiting = 0
  let bytes = 0
  const reader = stream.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(new Uint8Array(next.value))
    waiting += next.value.byteLength
    bytes += next.value.byteLength
    if (waiting >= PART_BYTES) {
      parts.push(new Blob(chunks))
      chunks = []
      waiting = 0
    }
    took(bytes)
  }
  return new Blob([...parts, ...chunks], { type: isPicture(type) ? type : 'application/octet-stream' })
}

/** Writes a stream into a file as fast as the disk takes it; what was written is dropped when the stream fails. */
export async function writeTo(
  target: FileSystemWritableFileStream,
  stream: ReadableStream<Uint8Array>,
  took: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let bytes = 0
  const counted = stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
      transform: (chunk, controller) => {
        bytes += chunk.byteLength
        took(bytes)
        controller.enqueue(new Uint8Array(chunk))
      },
    }),
  )
  await counted.pipeTo(target, { signal })
}
