import type { ComponentChildren } from 'preact'
import { Logo } from './Logo.tsx'
import { ThemeToggle } from './ThemeToggle.tsx'

export interface SiteHeaderProps {
  readonly root: URL
  readonly children?: ComponentChildren
}

/** Head of the start and diagnostics pages. */
export function SiteHeader({ root, children }: SiteHeaderProps) {
  return (
    <header class="site-header">
      <a class="site-name" href={root.href}>
        <Logo />
        Partyline
      </a>
      <nav class="site-nav" aria-label="Pages">
        {children}
      </nav>
      <ThemeToggle />
    </header>
  )
}
