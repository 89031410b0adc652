import type { Finding, Verdict } from './check.ts'

/** A check's finding by its id. */
export type Findings = ReadonlyMap<string, Finding>

/** What all findings mean together. */
export function conclude(findings: Findings): { readonly verdict: Verdict; readonly text: string } {
  const verdictOf = (id: string): Verdict | undefined => findings.get(id)?.verdict
  if (verdictOf('uplink') === 'bad') {
    return { verdict: 'bad', text: 'Partyline does not work here: the server lets nobody in from this browser.' }
  }
  if (verdictOf('relay-path') === 'bad') {
    return { verdict: 'bad', text: 'Partyline does not work here: messages do not get through the server.' }
  }
  if (verdictOf('secure-context') === 'bad') {
    return { verdict: 'bad', text: 'This page is not secure: see below for what to do.' }
  }
  if (verdictOf('direct-path') !== 'good') {
    return verdictOf('turn-path') === 'good'
      ? { verdict: 'poor', text: 'It works; messages go through the TURN server, since direct paths are blocked here.' }
      : { verdict: 'poor', text: 'It works; messages go through the server, since WebRTC is blocked here.' }
  }
  if ([...findings.values()].some(({ verdict }) => verdict === 'poor' || verdict === 'bad')) {
    return { verdict: 'poor', text: 'It works, and something could be better: see below.' }
  }
  return { verdict: 'good', text: 'Everything works here.' }
}
