import { Refusal } from '../kernel/errors.ts'

export interface Pace {
  /** What a sender has to reach. */
  bytesPerSecond: number
  /** Milliseconds that it may be behind. */
  graceMs: number
  /** Milliseconds that it may be ahead: whoever sent fast may be silent for no longer than that and its grace. */
  leadMs: number
}

/**
 * The chunks of a body whose sender keeps the pace; `request-timeout` once it is too far behind. Only the time spent on
 * waiting for the sender counts, not what we take to work on what it sent.
 */
export async function* paced(
  chunks: AsyncIterable<Uint8Array>,
  { bytesPerSecond, graceMs, leadMs }: Pace,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  let lead = 0
  try {
    for (;;) {
      const began = performance.now()
      const next = await within(iterator.next(), graceMs + lead)
      if (next.done === true) return
      const earned = (next.value.length / bytesPerSecond) * 1_000
      lead = Math.min(leadMs, lead - (performance.now() - began) + earned)
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
