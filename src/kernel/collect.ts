import { setFlagsFromString } from 'node:v8'

/**
 * Collects all garbage, in a process that was started with `--expose-gc`; else does nothing. For the end of work that left much
 * of it behind, such as starting: V8 would let it lie until the heap has grown to a multiple of what lives.
 */
export const collect = (): void => {
  globalThis.gc?.()
}

/**
 * The same, and gives back what is free: V8 keeps the young generation as large as it once grew, and shrinks it where it collects
 * as a last resort alone. Takes a few times as long; for the end of work that does not go on at once.
 */
export const release = (): void => {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}

/**
 * Keeps the young generation of this thread as large as it is by now; V8 lets it grow to 64 MB. For a program that reads millions
 * of lines and keeps few bytes of each.
 */
export const keepYoungSmall = (): void => setFlagsFromString('--semi-space-growth-factor=1')
