/**
 * Stands in for the package `err-code`, which simple-peer imports: as an ES module, so that the bundle needs no runtime
 * for CommonJS. Defined, not assigned: browsers' own errors (DOMException, RTCError) have a `code` that cannot be set.
 */
export default <E extends Error>(error: E, code: string): E & { code: string } =>
  Object.defineProperty(error, 'code', { value: code, configurable: true }) as E & { code: string }
