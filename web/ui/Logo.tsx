/** One line, several people on it. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="logo-line" d="M3 21c5 0 5-10 10-10s6 10 10 10 4-6 6-6" />
      <circle class="logo-dot" cx="5" cy="21" r="3.5" />
      <circle class="logo-dot" cx="14" cy="11" r="3.5" />
      <circle class="logo-dot" cx="25" cy="20" r="3.5" />
    </svg>
  )
}
