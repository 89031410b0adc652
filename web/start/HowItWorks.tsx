const POINTS = [
  { path: 'direct', text: 'A straight line over WebRTC, as soon as there is one. Messages on it pass no server.' },
  { path: 'turn', text: 'Through a TURN server, where firewalls forbid the straight line.' },
  { path: 'relay', text: 'Through the Partyline server: at once, and whenever nothing else works.' },
] as const

/** The three ways a message can take; the same badges stand beside each member of a room. */
export function HowItWorks() {
  return (
    <section aria-label="How it works">
      <ul class="ways">
        {POINTS.map(({ path, text }) => (
          <li key={path}>
            <span class={`badge badge-${path}`}>
              <span class="badge-dot" aria-hidden="true" />
              {path}
            </span>
            <span>{text}</span>
          </li>
        ))}
      </ul>
      <p class="start-promise">
        Partyline changes between them while you talk. Every message arrives once and in order, or you are told.
      </p>
    </section>
  )
}
