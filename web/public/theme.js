// The chosen theme, shown before the first paint. A file of its own, since the pages allow no inline scripts.
try {
  const theme = localStorage.getItem('partyline.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage is refused: the system's theme it is.
}
