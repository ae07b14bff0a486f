/**
 * When the entries of a round came into their feed, in microseconds since 1970: each later than all before it, in a millisecond that no
 * former round used; of one signal each in a millisecond of its own, since versions of an object are told apart by that much.
 */
export function stampsAfter(last: bigint, now: Date, signals: readonly string[]): bigint[] {
  const present = BigInt(now.getTime()) * MS
  let next = present > last ? present : afterMs(last)
  const seen = new Map<string, bigint>()
  return signals.map((signal) => {
    const before = seen.get(signal)
    if (before !== undefined && before / MS >= next / MS) next = afterMs(before)
    const stamp = next
    seen.set(signal, stamp)
    next += 1n
    return stamp
  })
}

const MS = 1_000n
const afterMs = (stamp: bigint): bigint => (stamp / MS + 1n) * MS

/** Entries from before stamps were noted: in January 1970, in their order. */
export const stampOf = ({ added_us, seq }: { added_us: bigint; seq: bigint }): bigint =>
  added_us === 0n ? UNNOTED + seq : added_us

const UNNOTED = 1_000_000n
