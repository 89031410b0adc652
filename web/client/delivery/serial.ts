/** Serial number arithmetic over 32 bits (RFC 1982): numbers wrap, and compare within half the circle. */

/** How far `to` lies beyond `from`, 0 to 2^32 - 1. */
export const distance = (from: number, to: number): number => (to - from) >>> 0

/** Whether `a` comes before `b`. */
export const before = (a: number, b: number): boolean => ((a - b) | 0) < 0

export const plus = (seq: number, count: number): number => (seq + count) >>> 0
