import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { brokenRules, type Manifest } from './import-rules.ts'
import { importsOf, isSource } from './imports.ts'
import { repositoryFiles, TOP } from './tracked-files.ts'

const packageJson = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8'))
const manifest: Manifest = {
  dependencies: new Set(Object.keys(packageJson.dependencies)),
  optionalDependencies: new Set(Object.keys(packageJson.optionalDependencies)),
  developmentDependencies: new Set(Object.keys(packageJson.devDependencies)),
}

describe('who may import whom', () => {
  const sources = repositoryFiles().filter(isSource)

  it('holds in every source file', () => {
    const broken = sources.flatMap((path) => brokenRules(path, readFileSync(join(TOP, path), 'utf8'), manifest))
    expect(broken).toEqual([])
  })

  it('covers every source folder', () => {
    const topFolders = new Set(sources.filter((path) => path.includes('/')).map((path) => path.split('/')[0]))
    expect([...topFolders].sort()).toEqual(['signaling', 'test', 'turn', 'web'])
  })
})

describe('the checker', () => {
  it('sees every way to name a module', () => {
    const source = `
      import { a } from './value.ts'
      import type { B } from './type.ts'
      import './effect.ts'
      export * from './all.ts'
      export type { C } from './exported-type.ts'
      import old = require('./old.ts')
      type D = import('./type-expression.ts').D
      const e = () => import('./dynamic.ts')
      const f = await import(\`./template.ts\`)
      const NAME = './constant.ts'
      const g = await import(/* hidden from bundlers */ NAME)
      const h = await import(somewhere + '.ts')
      // import './comment.ts'
      const text = "import './text.ts'"
    `
    expect(importsOf('x.ts', source).map(({ specifier, kind }) => `${kind} ${specifier}`)).toEqual([
      'value ./value.ts',
      'type ./type.ts',
      'value ./effect.ts',
      'value ./all.ts',
      'type ./exported-type.ts',
      'value ./old.ts',
      'type ./type-expression.ts',
      'dynamic ./dynamic.ts',
      'dynamic ./template.ts',
      'dynamic ./constant.ts',
      "computed somewhere + '.ts'",
    ])
  })

  it('sees imports beside JSX', () => {
    const source = `import { h } from 'preact'; export const view = <p>import x from 'y'</p>`
    expect(importsOf('x.tsx', source)).toEqual([{ specifier: 'preact', kind: 'value' }])
  })

  const packages: Manifest = {
    dependencies: new Set(['pino', 'ws', 'uWebSockets.js']),
    optionalDependencies: new Set(['lmdb']),
    developmentDependencies: new Set(['preact', 'simple-peer', 'node-datachannel']),
  }
  const allowed: readonly (readonly [path: string, source: string])[] = [
    ['signaling/protocol/a.ts', `import { b } from './b.ts'`],
    ['signaling/hub.ts', `import { a } from './protocol/a.ts'; import { t } from '../turn/t.ts'; import 'node:fs'`],
    ['signaling/hub.ts', `import pino from 'pino'`],
    ['signaling/net/uws.ts', `import uws from 'uWebSockets.js'; import { WebSocketServer } from 'ws'`],
    ['turn/a.ts', `import { b } from './b.ts'; import { spawn } from 'node:child_process'`],
    ['web/client/room.ts', `import { a } from '../../signaling/protocol/a.ts'`],
    ['web/client/delivery/a.ts', `import type { Clock } from '../clock.ts'; import './b.ts'`],
    ['web/client/carriers/a.ts', `const { WebSocket } = await import('ws')`],
    ['signaling/history/a.ts', `const { open } = await import('lmdb')`],
    ['web/client/paths/a.ts', `import Peer from 'simple-peer/lite.js'; import { e } from '../errors.ts'`],
    [
      'web/chat/a.tsx',
      `import { joinRoom } from 'partyline'; import { render } from 'preact'; import '../shared/b.ts'`,
    ],
    ['test/unit/a.test.ts', `import '../../web/client/room.ts'; import '../../signaling/hub.ts'`],
  ]
  for (const [path, source] of allowed) {
    it(`allows ${path}: ${source}`, () => expect(brokenRules(path, source, packages)).toEqual([]))
  }

  const forbidden: readonly (readonly [path: string, source: string])[] = [
    ['signaling/protocol/a.ts', `import type { B } from '../hub.ts'`],
    ['signaling/protocol/a.ts', `import { readFile } from 'node:fs/promises'`],
    ['signaling/protocol/a.ts', `import pino from 'pino'`],
    ['signaling/hub.ts', `import type { Room } from '../web/client/room.ts'`],
    ['signaling/hub.ts', `import type { TemplatedApp } from 'uWebSockets.js'`],
    ['signaling/hub.ts', `await import('ws')`],
    ['signaling/history/a.ts', `import { open } from 'lmdb'`],
    ['signaling/hub.ts', `import { render } from 'preact'`],
    ['signaling/hub.ts', `import { fake } from '../test/support/fake.ts'`],
    ['signaling/hub.ts', `await import(name)`],
    ['signaling/setup/a.mjs', `import pino from 'pino'`],
    ['turn/a.ts', `import { L } from '../signaling/protocol/limits.ts'`],
    ['web/client/room.ts', `import { hub } from '../../signaling/hub.ts'`],
    ['web/client/room.ts', `export * from '../chat/lines.ts'`],
    ['web/client/room.ts', `import { readFile } from 'node:fs/promises'`],
    ['web/client/carriers/a.ts', `import { WebSocket } from 'ws'`],
    ['web/client/carriers/a.ts', `import type { Room } from '../room/room.ts'`],
    ['web/client/paths/a.ts', `import { Link } from '../link/link.ts'`],
    ['web/client/paths/a.ts', `type Channel = import('../channel.ts').Channel`],
    ['web/client/delivery/a.ts', `import { Path } from '../paths/path.ts'`],
    ['web/client/delivery/a.ts', `import Peer from 'simple-peer'`],
    ['web/chat/a.tsx', `import { joinRoom } from '../client/index.ts'`],
    ['web/chat/a.tsx', `import type { Hello } from '../../signaling/protocol/control.ts'`],
    ['web/chat/a.tsx', `import pino from 'pino'`],
    ['web/chat/a.tsx', `import { fake } from '../../test/support/fake.ts'`],
  ]
  for (const [path, source] of forbidden) {
    it(`finds ${path}: ${source}`, () => expect(brokenRules(path, source, packages)).toHaveLength(1))
  }
})
