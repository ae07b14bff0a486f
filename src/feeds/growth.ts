import { EventEmitter, once } from 'node:events'
import type { Uuid } from '../kernel/ids.ts'

/** Wakes the waiting readers of a feed when it grows in this process; a tick finds what other processes wrote. */
export interface Growth {
  grew(feeds: readonly Uuid[]): void
  /** Take this before reading: a growth after it ends the wait. */
  next(feed: Uuid): { promise: Promise<unknown>; cancel(): void }
  wait(grown: { promise: Promise<unknown>; cancel(): void }, ms: number, signal?: AbortSignal): Promise<void>
}

const TICK_MS = 1_000

export function createGrowth(): Growth {
  const emitter = new EventEmitter()
  emitter.setMaxListeners(0)
  return {
    grew(feeds) {
      for (const feed of feeds) emitter.emit(feed)
    },
    next(feed) {
      const stop = new AbortController()
      const promise = once(emitter, feed, { signal: stop.signal }).catch(() => {})
      return { promise, cancel: () => stop.abort() }
    },
    async wait(grown, ms, signal) {
      const timer = Promise.withResolvers<void>()
      const handle = setTimeout(timer.resolve, Math.max(0, Math.min(ms, TICK_MS)))
      const stopped = () => timer.resolve()
      signal?.addEventListener('abort', stopped, { once: true })
      await Promise.race([grown.promise, timer.promise])
      clearTimeout(handle)
      signal?.removeEventListener('abort', stopped)
      signal?.throwIfAborted()
    },
  }
}
