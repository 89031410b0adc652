import { extname } from 'node:path'
import { parseAst } from 'vite'

/** How a module is named: for its values, for its types alone, by `import()`, or by an `import()` of a computed name. */
export type ImportKind = 'value' | 'type' | 'dynamic' | 'computed'

export interface Import {
  /** As written; what stands between the parentheses when it is computed. */
  readonly specifier: string
  readonly kind: ImportKind
}

interface SyntaxNode {
  readonly type: string
  readonly [key: string]: unknown
}

const LANGUAGES: Readonly<Record<string, 'ts' | 'tsx' | 'js' | 'jsx'>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.jsx': 'jsx',
}

export const isSource = (path: string): boolean => LANGUAGES[extname(path)] !== undefined

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string'

/** Every import of a source text: static, of types, re-exports, `import('…')`, `typeof import('…')`, `import = require`. */
export function importsOf(path: string, source: string): Import[] {
  const found: Import[] = []
  const lang = LANGUAGES[extname(path)] ?? 'ts'

  const constants = new Map<string, string>()

  const add = (name: unknown, kind: ImportKind): void => {
    if (!isNode(name)) return
    const text = literalText(name) ?? (name.type === 'Identifier' ? constants.get(String(name.name)) : undefined)
    if (text !== undefined) found.push({ specifier: text, kind })
    else found.push({ specifier: source.slice(Number(name.start), Number(name.end)), kind: 'computed' })
  }

  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item)
    if (!isNode(value)) return
    switch (value.type) {
      case 'ImportDeclaration':
        add(value.source, value.importKind === 'type' ? 'type' : 'value')
        break
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        add(value.source, value.exportKind === 'type' ? 'type' : 'value')
        break
      case 'ImportExpression':
        add(value.source, 'dynamic')
        break
      case 'TSImportType':
        add(value.source, 'type')
        break
      case 'TSExternalModuleReference':
        add(value.expression, 'value')
        break
    }
    for (const child of Object.values(value)) visit(child)
  }

  const program = parseAst(source, { lang }, path)
  for (const statement of program.body) collectConstants(statement, constants)
  visit(program)
  return found
}

/** `const NAME = '…'` at the top of a module: a way to hide an import from bundlers, but not from us. */
function collectConstants(statement: unknown, constants: Map<string, string>): void {
  if (!isNode(statement) || statement.type !== 'VariableDeclaration' || statement.kind !== 'const') return
  if (!Array.isArray(statement.declarations)) return
  for (const declarator of statement.declarations) {
    if (!isNode(declarator) || !isNode(declarator.id) || !isNode(declarator.init)) continue
    const text = literalText(declarator.init)
    if (text !== undefined && declarator.id.type === 'Identifier') constants.set(String(declarator.id.name), text)
  }
}

function literalText(node: SyntaxNode): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node.quasis) || node.quasis.length !== 1) return undefined
  const [only]: unknown[] = node.quasis
  const value = isNode(only) ? only.value : undefined
  const cooked: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'cooked') : undefined
  return typeof cooked === 'string' ? cooked : undefined
}
