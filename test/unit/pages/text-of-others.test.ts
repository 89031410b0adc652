import type { PeerId } from 'partyline'
import { describe, expect, it } from 'vitest'
import { readFileName } from '../../../web/chat/model/file-name.ts'
import { initialsOf } from '../../../web/chat/model/initials.ts'
import { excessOf, LINE_CHARACTERS, lineFrom, readLine } from '../../../web/chat/model/line.ts'
import { nameFrom } from '../../../web/chat/model/member.ts'
import { isPicture, isShownUnasked, PICTURES_BYTES, readPictureSize } from '../../../web/chat/model/pictures.ts'
import { readPersonName } from '../../../web/ui/person-name.ts'

const ID = 'a1b2c3d4e5f60718' as PeerId

describe('names of others', () => {
  it('lose controls, invisible characters and direction overrides', () => {
    expect(readPersonName('  A\u202Eda\u200B \n Love\u0000lace ')).toBe('Ada Lovelace')
  })

  it('keep the joiners that some scripts are written with', () => {
    expect(readPersonName('علی\u200Cرضا')).toBe('علی\u200Cرضا')
  })

  it('are at most 40 characters, never half of one', () => {
    const name = readPersonName('😀'.repeat(60)) ?? ''
    expect([...name]).toHaveLength(40)
    expect(name).toBe('😀'.repeat(40))
  })

  it('are made up from the id when there is none to show', () => {
    for (const profile of [null, 5, 'Ada', {}, { name: 5 }, { name: ' \u200B ' }]) {
      expect(nameFrom(profile, ID)).toBe('Guest a1b2')
    }
    expect(nameFrom({ name: 'Ada' }, ID)).toBe('Ada')
  })

  it('give initials', () => {
    expect(initialsOf('Ada Lovelace')).toBe('AL')
    expect(initialsOf('bo')).toBe('B')
    expect(initialsOf('👩‍🚀 Zoe')).toBe('👩‍🚀Z')
  })
})

describe('lines of others', () => {
  it('are taken only when they are text', () => {
    expect(readLine({ text: 'hello' })).toBe('hello')
    for (const data of [null, 'hello', 5, [], {}, { text: 5 }, { text: ' \n' }]) expect(readLine(data)).toBeUndefined()
  })
})

describe('what is typed', () => {
  it('is sent without blank ends, its own lines kept', () => {
    expect(lineFrom('  indented\n\nlast \n')).toEqual({ text: '  indented\n\nlast' })
    expect(lineFrom(' \n ')).toBeUndefined()
  })

  it('is not cut off when it is too long, but refused', () => {
    const typed = 'x'.repeat(LINE_CHARACTERS + 5)
    expect(excessOf(typed)).toBe(5)
    expect(lineFrom(typed)).toBeUndefined()
    expect(lineFrom(typed.slice(5))?.text).toHaveLength(LINE_CHARACTERS)
  })
})

describe('files of others', () => {
  it('have names without paths and tricks', () => {
    expect(readFileName('../../etc/passwd')).toBe('_.._etc_passwd')
    expect(readFileName('invoice\u202Efdp.exe')).toBe('invoice_fdp.exe')
    expect(readFileName('...')).toBe('file')
    expect(readFileName(`${'a'.repeat(400)}.tar`)).toMatch(/^a{196}\.tar$/u)
  })

  it('are pictures only when drawn from pixels', () => {
    expect(isPicture('image/png')).toBe(true)
    for (const type of ['image/svg+xml', 'text/html', '', 'application/pdf']) expect(isPicture(type)).toBe(false)
  })

  it('are fetched unasked only while they are small pictures and not too many', () => {
    expect(isShownUnasked({ type: 'image/png', sizeBytes: 1_000 }, 0)).toBe(true)
    expect(isShownUnasked({ type: 'image/png', sizeBytes: 50_000_000 }, 0)).toBe(false)
    expect(isShownUnasked({ type: 'text/plain', sizeBytes: 1 }, 0)).toBe(false)
    expect(isShownUnasked({ type: 'image/png', sizeBytes: 1_000 }, PICTURES_BYTES)).toBe(false)
  })

  it('give a size of a picture only when it makes sense', () => {
    expect(readPictureSize({ width: 640, height: 400 })).toEqual({ width: 640, height: 400 })
    for (const meta of [null, {}, { width: 0, height: 5 }, { width: 1e9, height: 5 }, { width: '5', height: 5 }]) {
      expect(readPictureSize(meta)).toBeUndefined()
    }
  })
})
