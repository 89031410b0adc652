import type { CSSProperties } from 'preact'
import { hueOf } from '../model/colour.ts'
import { initialsOf } from '../model/initials.ts'

/** Hue of a member, for styles below this element. */
export const hueStyle = (id: string): CSSProperties => ({ '--hue': String(hueOf(id)) })

export function Avatar({ id, name }: { readonly id: string; readonly name: string }) {
  return (
    <span class="avatar" style={hueStyle(id)} aria-hidden="true">
      {initialsOf(name)}
    </span>
  )
}
