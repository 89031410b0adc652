import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository, ending in a slash. */
export const TOP = fileURLToPath(new URL('../../../', import.meta.url))

export const readSource = (file: string): string => readFileSync(join(TOP, file), 'utf8')
