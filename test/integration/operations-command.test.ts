import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { WireClient } from '../conformance/wire-client.ts'
import { partyline } from './partyline-command.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).reverse()) await act()
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'partyline-reload-'))
  undo.push(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const args = (dataFolder: string): string[] => [
  ...['--port', '0', '--host', '127.0.0.1', '--turn', 'off', '--log-format', 'text'],
  ...['--data-folder', dataFolder],
]

it('reads its file again when that changes and on SIGHUP, refuses a bad one, and drops nobody', async () => {
  const data = folder()
  const config = join(data, 'partyline.json')
  writeFileSync(config, '{ "membersPerRoom": 10 }')
  const run = partyline(...args(data), '--config', config)
  undo.push(() => run.child.kill('SIGKILL'))
  const url = await run.printed(/Partyline is ready: (\S+)/)
  const ada = await WireClient.connect(url)
  await ada.join({ room: 'lobby' })

  writeFileSync(config, '{ "membersPerRoom": 1 }')
  await run.logged(/taken: --members-per-room\n/)
  const late = await WireClient.connect(url)
  late.sayJoin({ room: 'lobby' })
  expect(await late.next('error')).toMatchObject({ code: 'room-full' })

  writeFileSync(config, '{ "membersPerRoom": 1, ')
  run.child.kill('SIGHUP')
  await run.logged(
    /ERROR the new configuration is refused, the old one stays: \S+partyline\.json: cannot be read as JSON: [^\n]+\n/,
  )

  writeFileSync(config, '{ "membersPerRoom": 2, "turnPort": 5000 }')
  run.child.kill('SIGHUP')
  await run.logged(/WARN {2}only after a restart: --turn-port\n/)
  const bob = await WireClient.connect(url)
  await bob.join({ room: 'lobby' })
  await ada.settle()

  run.child.kill('SIGTERM')
  expect(await ada.next('bye')).toMatchObject({ code: 1012 })
  const { code, err } = await run.ended
  expect(code).toBe(0)
  expect(err).not.toMatch(/\n\s+at /)
})

it('takes SIGHUP for the end of its terminal when there is no file to read', async () => {
  const run = partyline(...args(folder()))
  undo.push(() => run.child.kill('SIGKILL'))
  await run.printed(/Partyline is ready/)
  run.child.kill('SIGHUP')
  expect(await run.ended).toMatchObject({ code: 0 })
})

it('says 503 on /readyz for --drain-delay-ms, and goes on until then', async () => {
  const run = partyline(...args(folder()), '--drain-delay-ms', '6000')
  undo.push(() => run.child.kill('SIGKILL'))
  const url = await run.printed(/Partyline is ready: (\S+)/)
  const ada = await WireClient.connect(url)
  await ada.join({ room: 'lobby' })
  run.child.kill('SIGTERM')
  await run.logged(/draining/)
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
  await ada.settle()
  expect(await ada.next('bye')).toMatchObject({ code: 1012 })
  expect(await run.ended).toMatchObject({ code: 0 })
})
