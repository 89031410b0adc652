/** The oldest Node that vite, vitest and the server run on; the same number stands in package.json's `engines`. */
const OLDEST = [20, 19]

/** Ends the process with one clear line when this Node is too old. Call it before anything else. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  console.error(`Partyline needs Node ${OLDEST.join('.')} or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
