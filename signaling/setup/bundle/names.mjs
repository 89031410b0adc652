import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { parseSync } from 'vite'
import { ROOT } from '../command.mjs'

/**
 * Which names of properties the client's bundle may shorten: those that our own classes and interfaces declare, less
 * every name that somebody else knows too. Somebody else is
 * - the application: whatever stands in the public face,
 * - the server and other members: whatever is a key of an example in PROTOCOL.md, which has one of every message,
 * - simple-peer, and other foreign objects: whatever a `.d.ts` declares, or a type that something is asserted to be with `as`,
 * - code that takes a name as a text: whatever stands in a text without spaces, as the guards' names of fields do,
 * - the platform: whatever the compiler's declarations of it have. Terser adds what browsers have beyond those.
 *
 * @typedef {{ readonly type: string, readonly [key: string]: unknown }} Node
 * @typedef {object} Names
 * @property {Set<string>} declared by members of classes, interfaces and literal types
 * @property {Set<string>} foreign
 * @property {Set<string>} asserted types, by name
 * @property {Map<string, Set<string>>} interfaces and their members
 */

const SOURCES = ['web/client', 'signaling/protocol']
const PUBLIC_FACE = ['index', 'face', 'face-channels', 'face-history', 'errors'].map((name) => `web/client/${name}.ts`)
const WORD = /[A-Za-z_$][\w$]*/g

/** @param {string} path */
const read = (path) => readFileSync(join(ROOT, path), 'utf8')
/** @param {string} text @returns {readonly string[]} */
const words = (text) => text.match(WORD) ?? []

/** @param {unknown} value @returns {value is Node} */
const isNode = (value) => typeof value === 'object' && value !== null && 'type' in value

/** @param {Node} node @returns {Node[]} */
const children = (node) => Object.values(node).flat().filter(isNode)

/** @param {unknown} key @returns {string | undefined} */
const nameOf = (key) => (isNode(key) && key.type === 'Identifier' ? String(key.name) : undefined)

/** Members of what is ours. Parameters that are properties are identifiers, some with a default. */
const MEMBERS = new Set([
  'MethodDefinition',
  'PropertyDefinition',
  'TSAbstractMethodDefinition',
  'TSAbstractPropertyDefinition',
  'TSPropertySignature',
  'TSMethodSignature',
])

/**
 * @param {Node} node
 * @param {Names} names
 * @param {Set<string>} members where those go that are declared here
 */
function collect(node, names, members) {
  const { declared, foreign, asserted, interfaces } = names
  if (MEMBERS.has(node.type) && node.computed !== true) {
    const name = nameOf(node.key)
    if (name !== undefined) members.add(name)
  } else if (node.type === 'TSParameterProperty' && isNode(node.parameter)) {
    const name = nameOf(node.parameter) ?? nameOf(node.parameter.left)
    if (name !== undefined) declared.add(name)
  } else if (node.type === 'Literal' && typeof node.value === 'string') {
    if (!node.value.includes(' ')) for (const word of words(node.value)) foreign.add(word)
  } else if (node.type === 'TemplateElement') {
    const { cooked } = /** @type {{ cooked: string }} */ (node.value)
    if (!cooked.includes(' ')) for (const word of words(cooked)) foreign.add(word)
  } else if (node.type === 'TSInterfaceDeclaration' || node.type === 'TSTypeAliasDeclaration') {
    /** @type {Set<string>} */
    const own = new Set()
    interfaces.set(nameOf(node.id) ?? '', own)
    for (const child of children(node)) collect(child, names, own)
    for (const name of own) members.add(name)
    return
  } else if (node.type === 'TSAsExpression' && isNode(node.expression) && isNode(node.typeAnnotation)) {
    const type = nameOf(node.typeAnnotation.typeName)
    if (type !== undefined) asserted.add(type)
    collect(node.expression, names, members)
    collect(node.typeAnnotation, names, foreign)
    return
  }
  // Texts that are nowhere in the bundle: those that are a type, and names of files.
  if (node.type === 'TSLiteralType' || node.type === 'ImportDeclaration' || isNode(node.source)) return
  for (const child of children(node)) collect(child, names, members)
}

/** @param {string} page @returns {readonly string[]} */
const keysOfJson = (page) => page.match(/"\w+"(?=\s*:)/g) ?? []

/** @param {string} folder */
const sourcesBelow = (folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)

/** Members of the platform's interfaces, among them those that exist in dictionaries only. @returns {string[]} */
function platformNames() {
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json')
  const platform = `@typescript/typescript-${process.platform}-${process.arch}/package.json`
  const folder = join(dirname(createRequire(compiler).resolve(platform)), 'lib')
  const libraries = readdirSync(folder).filter((name) => /^lib\.(dom|es\d).*\.d\.ts$/.test(name))
  const members = libraries.flatMap((name) => [
    ...readFileSync(join(folder, name), 'utf8').matchAll(/^\s+(?:(?:readonly|get|set) )*([A-Za-z_$][\w$]*)\??[(:<]/gm),
  ])
  if (members.length < 10_000) throw new Error(`${folder} does not describe the platform`)
  return members.map(([, name = '']) => name)
}

/**
 * In an order that follows from the source alone, so that one source makes one bundle: the most used first. `taken`: short
 * names that others know.
 */
export function namesToShorten() {
  /** @type {Map<string, number>} */
  const uses = new Map()
  /** @type {Names} */
  const names = { declared: new Set(), foreign: new Set(), asserted: new Set(), interfaces: new Map() }
  for (const path of SOURCES.flatMap(sourcesBelow)) {
    const source = read(path)
    for (const name of source.match(/(?<=\.)[A-Za-z_$][\w$]*/g) ?? []) uses.set(name, (uses.get(name) ?? 0) + 1)
    const { program, errors } = parseSync(path, source)
    if (errors.length > 0) throw new Error(`${path} cannot be read: ${errors[0]?.message}`)
    const ours = !path.endsWith('.d.ts') && !PUBLIC_FACE.includes(path)
    collect(/** @type {Node} */ (/** @type {unknown} */ (program)), names, ours ? names.declared : names.foreign)
  }
  for (const type of names.asserted) for (const name of names.interfaces.get(type) ?? []) names.foreign.add(name)
  const known = [
    ...keysOfJson(read('signaling/protocol/PROTOCOL.md')),
    read('node_modules/simple-peer/lite.js'),
    ...platformNames(),
  ]
  for (const word of known.flatMap(words)) names.foreign.add(word)
  return {
    names: [...names.declared]
      .filter((name) => !names.foreign.has(name))
      .sort()
      .sort((a, b) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0)),
    taken: [...names.foreign].filter((name) => name.length <= 3).sort(),
  }
}
