/** Stands in for the package `debug`, which simple-peer imports: it says nothing and weighs nothing. */
const silent = (): void => {}

export default (_name: string): (() => void) => silent
