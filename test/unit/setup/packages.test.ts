import { describe, expect, it } from 'vitest'
import { missingPackages } from '../../../signaling/setup/packages.mjs'

const here = { version: '1.0.0', integrity: 'sha512-a' }
const otherPlatform = { ...here, optional: true }

describe('missing packages', () => {
  it('are all of them before the first installation', () => {
    expect(missingPackages({ packages: {} }, undefined)).toBe('no packages are installed yet')
  })

  it('are none when every entry of the lock file is installed', () => {
    const lock = { packages: { '': {}, 'node_modules/a': here } }
    expect(missingPackages(lock, { packages: { 'node_modules/a': here } })).toBeUndefined()
  })

  it('are not the optional ones of other platforms', () => {
    expect(missingPackages({ packages: { 'node_modules/a': otherPlatform } }, { packages: {} })).toBeUndefined()
  })

  it('are those the lock file has gained', () => {
    const lock = { packages: { 'node_modules/a': here, 'node_modules/b': here } }
    expect(missingPackages(lock, { packages: { 'node_modules/a': here } })).toBe('node_modules/b is not installed')
  })

  it('are those of another version', () => {
    const lock = { packages: { 'node_modules/a': { ...here, version: '1.0.1' } } }
    expect(missingPackages(lock, { packages: { 'node_modules/a': here } })).toBe('node_modules/a should be 1.0.1')
  })

  it('are those of the same version with another content', () => {
    const lock = { packages: { 'node_modules/a': { ...here, integrity: 'sha512-b' } } }
    expect(missingPackages(lock, { packages: { 'node_modules/a': here } })).toBe('node_modules/a should be 1.0.0')
  })
})
