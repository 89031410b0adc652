/** `npm run build [-- server client pages]`: builds what is named, or everything, whether it is up to date or not. */
import { buildTargets } from './build.mjs'

try {
  await buildTargets({ only: process.argv.slice(2), force: true })
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
