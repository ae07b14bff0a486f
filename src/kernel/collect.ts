/**
 * Collects all garbage, in a process that was started with `--expose-gc`; else does nothing. For the end of work that left much
 * of it behind, such as starting: V8 would let it lie until the heap has grown to a multiple of what lives.
 */
export const collect = (): void => {
  globalThis.gc?.()
}
