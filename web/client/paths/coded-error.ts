/** Stands in for the package `err-code`, which simple-peer imports: nobody reads its codes. */
export default <E extends Error>(error: E, _code: string): E => error
