import { Icon } from '../../ui/Icon.tsx'
import { keepIfSame } from '../../ui/keep-if-same.ts'
import { testIds } from '../../ui/test-ids.ts'
import type { FileEntry } from '../model/entry.ts'
import { isPicture } from '../model/pictures.ts'
import { EntryFrame } from './EntryFrame.tsx'
import { FileActions, type FileHandlers } from './FileActions.tsx'
import { PicturePreview } from './PicturePreview.tsx'

export interface FileRowProps {
  readonly entry: FileEntry
  readonly from: string
  readonly name: string
  readonly startsGroup: boolean
  readonly handlers: FileHandlers
}

const contentOf = (entry: FileEntry): Blob | undefined =>
  entry.state.at === 'received' ? entry.state.content : entry.ownContent

/** Pictures whose size is not told get a square. */
const UNKNOWN_SIZE = Object.freeze({ width: 280, height: 280 })

export const FileRow = keepIfSame(function FileRow({ entry, from, name, startsGroup, handlers }: FileRowProps) {
  const content = contentOf(entry)
  const hasPicture = isPicture(entry.type) && (content !== undefined || entry.state.at === 'receiving')
  return (
    <li data-testid={testIds.file} data-peer={from} data-own={String(entry.own)} data-state={entry.state.at}>
      <EntryFrame from={from} name={name} own={entry.own} atMs={entry.atMs} startsGroup={startsGroup}>
        <div class="file">
          {hasPicture && <PicturePreview name={entry.name} size={entry.picture ?? UNKNOWN_SIZE} content={content} />}
          <div class="file-line">
            <Icon name="file" />
            <div class="file-facts">
              <bdi class="file-name" data-testid={testIds.fileName}>
                {entry.name}
              </bdi>
              <FileActions entry={entry} handlers={handlers} />
            </div>
          </div>
        </div>
      </EntryFrame>
    </li>
  )
})
