import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { Site, type SiteOptions } from './site.ts'

/**
 * One site for all tests of a file, handed to `keep` before the first. After each, everybody goes home, and no page may
 * have said what it ought not to.
 */
export function useSite(keep: (site: Site) => void, options: SiteOptions = {}): void {
  let site: Site | undefined
  beforeAll(async () => {
    site = await Site.start(options)
    keep(site)
  })
  afterEach(async () => {
    expect(await site?.empty()).toEqual([])
  })
  afterAll(() => site?.close())
}
