import { keepIfSame } from '../../ui/keep-if-same.ts'
import { testIds } from '../../ui/test-ids.ts'
import type { NoticeEntry } from '../model/entry.ts'
import { fullTimeOf, machineTimeOf, timeOf } from './entry-times.ts'

export const NoticeRow = keepIfSame(function NoticeRow({ entry }: { readonly entry: NoticeEntry }) {
  return (
    <li class={`notice notice-${entry.tone}`} data-testid={testIds.notice}>
      <bdi>{entry.text}</bdi>
      <time dateTime={machineTimeOf(entry.atMs)} title={fullTimeOf(entry.atMs)}>
        {timeOf(entry.atMs)}
      </time>
    </li>
  )
})
