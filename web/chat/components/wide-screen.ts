import { useEffect, useState } from 'preact/hooks'

/** From this width on the members stand beside the conversation; the same as in `styles/layout.css`. */
const WIDE = '(width > 48rem)'

export function useWideScreen(): boolean {
  const [isWide, setWide] = useState(() => matchMedia(WIDE).matches)
  useEffect(() => {
    const query = matchMedia(WIDE)
    const look = (): void => setWide(query.matches)
    query.addEventListener('change', look)
    return () => query.removeEventListener('change', look)
  }, [])
  return isWide
}
