import type { ComponentChildren } from 'preact'
import { testIds } from '../../ui/test-ids.ts'
import { Avatar, hueStyle } from './Avatar.tsx'
import { fullTimeOf, machineTimeOf, shortTimeOf, timeOf } from './entry-times.ts'

export interface EntryFrameProps {
  readonly from: string
  readonly name: string
  readonly own: boolean
  readonly atMs: number
  /** Show who and when. */
  readonly startsGroup: boolean
  readonly children: ComponentChildren
}

/** What messages and files have in common: whose it is and when it was. */
export function EntryFrame({ from, name, own, atMs, startsGroup, children }: EntryFrameProps) {
  return (
    <div class={`entry${own ? ' entry-own' : ''}${startsGroup ? ' entry-first' : ''}`}>
      <div class="entry-side">
        {startsGroup ? (
          <Avatar id={from} name={name} />
        ) : (
          <time class="entry-quiet-time" dateTime={machineTimeOf(atMs)} title={fullTimeOf(atMs)}>
            {shortTimeOf(atMs)}
          </time>
        )}
      </div>
      <div class="entry-main">
        {startsGroup ? (
          <div class="entry-head">
            <bdi class="entry-author" style={hueStyle(from)} data-testid={testIds.messageAuthor}>
              {name}
            </bdi>
            {own && <span class="entry-you">you</span>}
            <time class="entry-time" dateTime={machineTimeOf(atMs)} title={fullTimeOf(atMs)}>
              {timeOf(atMs)}
            </time>
          </div>
        ) : (
          <span class="visually-hidden">{name}: </span>
        )}
        {children}
      </div>
    </div>
  )
}
