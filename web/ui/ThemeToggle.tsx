import { useState } from 'preact/hooks'
import { Icon } from './Icon.tsx'
import { testIds } from './test-ids.ts'
import { chooseTheme, currentTheme } from './theme.ts'

export function ThemeToggle() {
  const [theme, setTheme] = useState(currentTheme)
  const other = theme === 'dark' ? 'light' : 'dark'
  const label = `Change to ${other} colours`
  return (
    <button
      type="button"
      class="button button-quiet button-icon"
      data-testid={testIds.themeToggle}
      aria-label={label}
      title={label}
      onClick={() => {
        chooseTheme(other)
        setTheme(other)
      }}
    >
      <Icon name={theme === 'dark' ? 'sun' : 'moon'} />
    </button>
  )
}
