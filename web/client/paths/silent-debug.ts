/** Stands in for the package `debug` inside simple-peer: the library tells what happens by its own events and stats. */
export default function debug(): () => void {
  return () => undefined
}
