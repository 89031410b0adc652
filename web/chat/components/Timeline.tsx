import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Icon } from '../../ui/Icon.tsx'
import { keepIfSame } from '../../ui/keep-if-same.ts'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { FileEntry, MessageEntry } from '../model/entry.ts'
import { layOut, type Row } from '../model/rows.ts'
import type { ChatSession } from '../session/chat-session.ts'
import { dayOf } from './entry-times.ts'
import type { FileHandlers } from './FileActions.tsx'
import { FileRow } from './FileRow.tsx'
import { MessageRow } from './MessageRow.tsx'
import { NoticeRow } from './NoticeRow.tsx'

/** This near to the end counts as being there, CSS pixels: a line of text and a half. */
const NEAR_PX = 40

export interface TimelineProps {
  readonly session: ChatSession
  /** The page is visible. */
  readonly isVisible: boolean
}

/** What was said, oldest first. Stays at its end while the person is there, and stays put while they read further up. */
export const Timeline = keepIfSame(function Timeline({ session, isVisible }: TimelineProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const lastTop = useRef(0)
  const [isAtEnd, setAtEnd] = useState(true)
  const entries = useCell(session.timeline.entries)
  const unread = useCell(session.timeline.unread)
  const self = useCell(session.self)
  const names = useCell(session.members.names)
  const earlier = useCell(session.earlier.state)
  const rows = useMemo(() => layOut(entries, unread.from, dayOf), [entries, unread.from])
  const lastKey = entries.at(-1)?.key
  const firstKey = entries[0]?.key
  const shownFirst = useRef(firstKey)
  const heightBefore = useRef(0)
  // Of what is on the page until this is.
  if (shownFirst.current !== firstKey) heightBefore.current = scroller.current?.scrollHeight ?? 0
  const handlers = useMemo<FileHandlers>(
    () => ({
      accept: (key) => void session.incoming.accept(key),
      decline: (key) => session.incoming.decline(key),
      cancel: (key) => session.incoming.cancel(key),
      withdraw: (key) => session.outgoing.withdraw(key),
    }),
    [session],
  )
  const nameOf = (entry: MessageEntry | FileEntry): string =>
    names.get(entry.from) ?? (entry.kind === 'message' ? entry.name : undefined) ?? session.members.nameOf(entry.from)
  const authorOf: AuthorOf = (entry) =>
    entry.own ? { from: self.id ?? 'self', name: self.name } : { from: entry.from, name: nameOf(entry) }
  const toEnd = (behavior: ScrollBehavior): void => {
    const element = scroller.current
    element?.scrollTo({ top: element.scrollHeight, behavior })
  }

  useLayoutEffect(() => {
    // Reachable by keyboard, so that it can be scrolled: not every browser does that by itself.
    if (scroller.current !== null) scroller.current.tabIndex = 0
  }, [])
  useLayoutEffect(() => {
    session.timeline.watching = isVisible && isAtEnd
  }, [session, isVisible, isAtEnd])
  useLayoutEffect(() => {
    const last = entries.at(-1)
    const isOwn = last !== undefined && last.kind !== 'notice' && last.own
    if (isAtEnd || isOwn) toEnd('instant')
  }, [lastKey])
  useLayoutEffect(() => {
    // What came in above pushes nothing out of sight.
    const element = scroller.current
    if (element !== null && !isAtEnd && shownFirst.current !== firstKey) {
      element.scrollTop += element.scrollHeight - heightBefore.current
    }
    shownFirst.current = firstKey
  }, [firstKey])
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null || !isAtEnd) return
    // Pictures, a taller input and a telephone's keyboard change heights: the end stays in sight.
    const observer = new ResizeObserver(() => toEnd('instant'))
    observer.observe(element)
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild)
    return () => observer.disconnect()
  }, [isAtEnd])

  return (
    <div class="timeline">
      <div
        ref={scroller}
        class="timeline-scroller"
        role="log"
        aria-live="polite"
        aria-relevant="additions"
        aria-label="Messages"
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget
          // Away from the end only by going up: what grows below while we follow is not the person's doing.
          if (scrollHeight - scrollTop - clientHeight < NEAR_PX) setAtEnd(true)
          else if (scrollTop < lastTop.current) setAtEnd(false)
          lastTop.current = scrollTop
        }}
      >
        {earlier !== 'none' && (
          <button
            type="button"
            class="button earlier-messages"
            data-testid={testIds.earlierMessages}
            disabled={earlier === 'loading'}
            onClick={() => {
              setAtEnd(false)
              void session.earlier.load()
            }}
          >
            {earlier === 'loading' ? 'Loading…' : 'Earlier messages'}
          </button>
        )}
        <ol class="timeline-list" data-testid={testIds.messageList}>
          {rows.flatMap((row) => renderRow(row, authorOf, handlers))}
        </ol>
      </div>
      {!isAtEnd && (
        <button
          type="button"
          class="button new-messages"
          data-testid={testIds.newMessages}
          onClick={() => toEnd('smooth')}
        >
          <Icon name="down" />
          {unread.count === 0 ? 'Latest' : `${unread.count} new ${unread.count === 1 ? 'message' : 'messages'}`}
        </button>
      )}
    </div>
  )
})

type AuthorOf = (entry: MessageEntry | FileEntry) => { readonly from: string; readonly name: string }

function renderRow(row: Row, authorOf: AuthorOf, handlers: FileHandlers) {
  const { entry, startsGroup, startsDay, startsUnread } = row
  const lines = [
    startsDay && (
      <li key={`day-${entry.key}`} class="divider">
        {dayOf(entry.atMs)}
      </li>
    ),
    startsUnread && (
      <li key="unread" class="divider divider-unread" data-testid={testIds.unreadMarker}>
        New
      </li>
    ),
  ]
  if (entry.kind === 'notice') return [...lines, <NoticeRow key={entry.key} entry={entry} />]
  const shared = { key: entry.key, startsGroup, ...authorOf(entry) }
  return [
    ...lines,
    entry.kind === 'message' ? (
      <MessageRow {...shared} entry={entry} />
    ) : (
      <FileRow {...shared} entry={entry} handlers={handlers} />
    ),
  ]
}
