import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { type Import, type ImportKind, importsOf } from './imports.ts'

/** What a package is to those who install Partyline: installed with it, or there while it is built only. */
export interface Manifest {
  readonly dependencies: ReadonlySet<string>
  /** Not there on every machine. */
  readonly optionalDependencies: ReadonlySet<string>
  readonly developmentDependencies: ReadonlySet<string>
}

/**
 * One row of DESIGN.md, "Who may import whom". A file belongs to the first zone whose folder holds it.
 */
interface Zone {
  readonly folder: string
  /** Folders (ending in a slash) and files of the repository it may import. */
  readonly mayImport: readonly string[]
  /** Within those, what it may not import after all. */
  readonly except?: RegExp
  /** A package it may not import in this way, and why. Undefined when it may. */
  readonly refusesPackage: (name: string, kind: ImportKind, manifest: Manifest) => string | undefined
  /** It may load modules whose name is computed. */
  readonly mayCompute?: boolean
}

const CARRIES_SOCKETS: ReadonlySet<string> = new Set(['uWebSockets.js', 'ws'])
/** What the client loads under Node, when it is needed. */
const LOADED_UNDER_NODE: ReadonlySet<string> = new Set(['ws', 'node-datachannel'])

const isBuiltin = (name: string): boolean => name.startsWith('node:') || builtinModules.includes(name)

const onTheServer = (
  name: string,
  kind: ImportKind,
  { dependencies, optionalDependencies }: Manifest,
): string | undefined => {
  if (CARRIES_SOCKETS.has(name)) return 'only signaling/net/ imports it'
  if (isBuiltin(name) || kind === 'type') return undefined
  if (optionalDependencies.has(name)) return kind === 'dynamic' ? undefined : 'only by a dynamic import: it is optional'
  return dependencies.has(name) ? undefined : "not in package.json's dependencies"
}

const inTheBrowser = (name: string, _kind: ImportKind, manifest: Manifest): string | undefined => {
  if (isBuiltin(name)) return 'there is no Node in a browser'
  if (manifest.developmentDependencies.has(name)) return undefined
  return "bundled, so it belongs to package.json's devDependencies"
}

const inTheClient = (name: string, kind: ImportKind, manifest: Manifest): string | undefined => {
  if (kind === 'type') return undefined
  if (LOADED_UNDER_NODE.has(name)) return kind === 'dynamic' ? undefined : 'only by a dynamic import, under Node'
  return inTheBrowser(name, kind, manifest)
}

const noPackage = (): string => 'no package, and nothing of Node'
const noPackageButNode = (name: string): string | undefined =>
  isBuiltin(name) ? undefined : 'it runs before packages are installed'

const inTheBuild = (name: string, _kind: ImportKind, { developmentDependencies }: Manifest): string | undefined =>
  isBuiltin(name) || developmentDependencies.has(name) ? undefined : "not in package.json's devDependencies"

const CLIENT_UPPER_LAYERS = /^web\/client\/(room|channel|link)/

const ZONES: readonly Zone[] = [
  { folder: 'signaling/protocol/', mayImport: ['signaling/protocol/'], refusesPackage: noPackage },
  { folder: 'signaling/setup/bundle/', mayImport: ['signaling/setup/'], refusesPackage: inTheBuild },
  {
    folder: 'signaling/setup/',
    mayImport: ['signaling/setup/'],
    refusesPackage: noPackageButNode,
    mayCompute: true,
  },
  {
    folder: 'signaling/net/',
    mayImport: ['signaling/', 'turn/'],
    refusesPackage: (name, kind, manifest) =>
      CARRIES_SOCKETS.has(name) ? undefined : onTheServer(name, kind, manifest),
  },
  { folder: 'signaling/', mayImport: ['signaling/', 'turn/'], refusesPackage: onTheServer },
  { folder: 'turn/', mayImport: ['turn/'], refusesPackage: onTheServer },
  {
    folder: 'web/client/delivery/',
    mayImport: ['web/client/delivery/', 'web/client/clock.ts', 'web/client/errors.ts', 'signaling/protocol/'],
    refusesPackage: noPackage,
  },
  {
    folder: 'web/client/carriers/',
    mayImport: ['web/client/', 'signaling/protocol/'],
    except: CLIENT_UPPER_LAYERS,
    refusesPackage: inTheClient,
  },
  {
    folder: 'web/client/paths/',
    mayImport: ['web/client/', 'signaling/protocol/'],
    except: CLIENT_UPPER_LAYERS,
    refusesPackage: inTheClient,
  },
  { folder: 'web/client/', mayImport: ['web/client/', 'signaling/protocol/'], refusesPackage: inTheClient },
  {
    folder: 'web/',
    mayImport: ['web/'],
    except: /^web\/client\//,
    refusesPackage: (name, kind, manifest) => (name === 'partyline' ? undefined : inTheBrowser(name, kind, manifest)),
  },
]

/** The rules this file breaks, one line each. Files outside the source folders (tests, configuration) have none. */
export function brokenRules(path: string, source: string, manifest: Manifest): string[] {
  const zone = ZONES.find(({ folder }) => path.startsWith(folder))
  if (zone === undefined) return []
  return importsOf(path, source).flatMap((found) => {
    const why = refusal(zone, path, found, manifest)
    return why === undefined ? [] : [`${path} imports ${found.specifier}: ${why}`]
  })
}

function refusal(zone: Zone, path: string, { specifier, kind }: Import, manifest: Manifest): string | undefined {
  if (kind === 'computed') return zone.mayCompute === true ? undefined : 'nobody can tell what a computed name imports'
  if (!specifier.startsWith('.')) return zone.refusesPackage(packageName(specifier), kind, manifest)
  const target = posix.join(posix.dirname(path), specifier)
  const allowed = zone.mayImport.some((place) => (place.endsWith('/') ? target.startsWith(place) : target === place))
  if (allowed && zone.except?.test(target) !== true) return undefined
  return `${zone.folder} may import ${zone.mayImport.join(', ')}${zone.except ? ` except ${zone.except.source}` : ''}`
}

/** `@scope/name` of `@scope/name/sub/path`; built-in modules keep their path. */
function packageName(specifier: string): string {
  if (isBuiltin(specifier)) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
