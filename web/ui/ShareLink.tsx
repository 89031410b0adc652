import { CopyButton } from './CopyButton.tsx'
import { Icon } from './Icon.tsx'
import { testIds } from './test-ids.ts'

export interface ShareLinkProps {
  readonly address: URL
  readonly room: string
}

/** A room's link, to copy or to hand to the telephone's own share sheet. */
export function ShareLink({ address, room }: ShareLinkProps) {
  const share = { title: `Partyline: ${room}`, url: address.href }
  const canShare = typeof navigator.share === 'function' && (navigator.canShare?.(share) ?? true)
  return (
    <div class="share-link">
      <input
        class="input share-link-address"
        data-testid={testIds.shareLink}
        aria-label="Link to this room"
        readOnly
        value={address.href}
        onFocus={(event) => event.currentTarget.select()}
      />
      <CopyButton text={() => address.href} label="Copy link" testId={testIds.copyLink} />
      {canShare && (
        <button
          type="button"
          class="button button-icon"
          data-testid={testIds.nativeShare}
          aria-label="Share the link"
          title="Share the link"
          onClick={() => {
            // Rejects when the person closes the sheet: nothing to do then.
            navigator.share(share).catch(() => undefined)
          }}
        >
          <Icon name="share" />
        </button>
      )}
    </div>
  )
}
