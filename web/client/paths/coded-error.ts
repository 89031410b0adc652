/**
 * Stands in for the package `err-code`, which simple-peer imports: as an ES module, so that the bundle needs no runtime
 * for CommonJS.
 */
export default <E extends Error>(error: E, code: string): E & { code: string } => Object.assign(error, { code })
