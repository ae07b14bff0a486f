import type { Writable } from 'node:stream'

/** Waits until what was written is taken, or nobody will take it any more. One that was closed before says neither: it is not waited for. */
export function drained(out: Writable): Promise<void> {
  if (out.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      out.off('drain', end).off('close', end)
      resolve()
    }
    out.on('drain', end).on('close', end)
  })
}
