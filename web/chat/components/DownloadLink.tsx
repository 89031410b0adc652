import { Icon } from '../../ui/Icon.tsx'
import { testIds } from '../../ui/test-ids.ts'
import { useObjectUrl } from './object-url.ts'

/** Saves what was received, under its sender's name for it. */
export function DownloadLink({ content, name }: { readonly content: Blob; readonly name: string }) {
  const address = useObjectUrl(content)
  if (address === undefined) return null
  return (
    <a
      class="button button-small"
      href={address}
      download={name}
      aria-label={`Save ${name}`}
      data-testid={testIds.fileDownload}
    >
      <Icon name="download" />
      Save
    </a>
  )
}
