import { testIds } from '../../ui/test-ids.ts'
import { fitInto } from '../model/pictures.ts'
import { useObjectUrl } from './object-url.ts'

export interface PicturePreviewProps {
  readonly name: string
  readonly size: { readonly width: number; readonly height: number }
  /** Absent while it is on its way: its place is kept free. */
  readonly content: Blob | undefined
}

/** Largest preview, CSS pixels. */
const BOX = Object.freeze({ width: 360, height: 280 })

export function PicturePreview({ name, size, content }: PicturePreviewProps) {
  const address = useObjectUrl(content)
  const { width, height } = fitInto(size, BOX)
  return (
    <span class="picture" style={{ width: `${width}px`, aspectRatio: `${width} / ${height}` }}>
      {address !== undefined && (
        <img src={address} width={width} height={height} alt={name} data-testid={testIds.filePreview} />
      )}
    </span>
  )
}
