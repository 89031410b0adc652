import { formatNames } from '../../ui/format.ts'
import { testIds } from '../../ui/test-ids.ts'
import { useCell } from '../../ui/use-cell.ts'
import type { ChatSession } from '../session/chat-session.ts'

/** Who is typing. Its place is always there, so that nothing jumps. */
export function TypingLine({ session }: { readonly session: ChatSession }) {
  const board = useCell(session.typing.board)
  const names = [...board.keys()].map(session.members.nameOf)
  return (
    <p class="typing" data-testid={testIds.typing}>
      {names.length > 0 && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <span>
            <bdi>{formatNames(names)}</bdi> {names.length === 1 ? 'is' : 'are'} typing
          </span>
        </>
      )}
    </p>
  )
}
