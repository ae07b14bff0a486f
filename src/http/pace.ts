import { Refusal } from '../kernel/errors.ts'

export interface Pace {
  /** What a sender has to reach, taken over the whole of its body. */
  bytesPerSecond: number
  /** Milliseconds that it may be behind. */
  graceMs: number
}

/**
 * The chunks of a body whose sender keeps the pace; `request-timeout` once it is too far behind. Only the time spent on
 * waiting for the sender counts, not what we take to work on what it sent.
 */
export async function* paced(
  chunks: AsyncIterable<Uint8Array>,
  { bytesPerSecond, graceMs }: Pace,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  let bytes = 0
  let waited = 0
  try {
    for (;;) {
      const began = performance.now()
      const next = await within(iterator.next(), graceMs + (bytes / bytesPerSecond) * 1_000 - waited)
      if (next.done === true) return
      waited += performance.now() - began
      bytes += next.value.length
      yield next.value
    }
  } finally {
    // Not awaited: it would wait for the very chunk that does not come.
    iterator.return?.().catch(() => {})
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Refusal('request-timeout')), Math.max(0, ms))
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
