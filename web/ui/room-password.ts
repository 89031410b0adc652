/** As the client takes it, in bytes of UTF-8. */
const PASSWORD_BYTES = 1_024
/** A server can try passwords at home: what is shorter than this falls within days. */
const LEAST_CHARACTERS = 8

/** What is wrong with a password somebody wants for a new room; `undefined` when nothing is. */
export function faultOfNewPassword(password: string): string | undefined {
  if (password === '') return 'Type a password that the others will be told.'
  if ([...password].length < LEAST_CHARACTERS) return `At least ${LEAST_CHARACTERS} characters; several words are best.`
  return fitsAsPassword(password) ? undefined : `That is too long: at most ${PASSWORD_BYTES} bytes.`
}

export const fitsAsPassword = (password: string): boolean =>
  password !== '' && new TextEncoder().encode(password.normalize('NFC')).length <= PASSWORD_BYTES
