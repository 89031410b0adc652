import { recall, remember } from './remembered.ts'

export type Theme = 'light' | 'dark'

const asTheme = (value: string | undefined): Theme | undefined =>
  value === 'light' || value === 'dark' ? value : undefined

/** What is kept when somebody chooses a theme: nothing when it is the system's, so that the page follows the system again. */
export const themeToKeep = (chosen: Theme, system: Theme): Theme | undefined => (chosen === system ? undefined : chosen)

const systemTheme = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')

export const currentTheme = (): Theme => asTheme(recall('theme')) ?? systemTheme()

/** Shows the theme and keeps the choice. `public/theme.js` shows it again before the first paint of the next page. */
export function chooseTheme(chosen: Theme): void {
  const kept = themeToKeep(chosen, systemTheme())
  remember('theme', kept)
  if (kept === undefined) delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = kept
}
