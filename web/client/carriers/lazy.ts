import type { OpenCarrier } from './carrier.ts'
import type { HttpCarrierKind } from './http.ts'

/** A carrier over plain HTTP. Its code is loaded when it is first needed, which for most is never. */
export const lazyHttp =
  (kind: HttpCarrierKind): OpenCarrier =>
  (server, first, events, clock, plain) => {
    let carrier: ReturnType<OpenCarrier> | undefined
    let over = false
    import('./http.ts').then(
      ({ openHttp }) => {
        if (!over) carrier = openHttp(kind)(server, first, events, clock, plain)
      },
      (error: unknown) => {
        if (!over) events.closed(1006, String(error))
      },
    )
    return {
      kind,
      send: (message) => carrier?.send(message) ?? false,
      bufferedBytes: () => carrier?.bufferedBytes() ?? 0,
      close(code, reason) {
        over = true
        carrier?.close(code, reason)
      },
    }
  }
