/**
 * A room's password on its way from the start page to the room, and through reloads: in this tab only, gone when it is
 * closed. Where storage is refused, the chat page asks for it.
 */
const keyOf = (room: string): string => `partyline.password.${room}`

export function passedPassword(room: string): string | undefined {
  try {
    return sessionStorage.getItem(keyOf(room)) ?? undefined
  } catch {
    return undefined
  }
}

export function passPassword(room: string, password: string | undefined): void {
  try {
    if (password === undefined) sessionStorage.removeItem(keyOf(room))
    else sessionStorage.setItem(keyOf(room), password)
  } catch {
    // It is asked for again.
  }
}
