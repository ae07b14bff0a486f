import { Refusal } from '../kernel/errors.ts'
import type { Count, Counts } from './counts.ts'

/** How long the very same request, under the same key, is not counted again. */
const FREE_AGAIN_MS = 10 * 60_000
const DAY_MS = 86_400_000

export interface Ledger {
  /** Counts a batch, on the disk, or refuses it: `quota-exceeded`, `state-conflict`. */
  debit(count: Omit<Count, 'at'>, at: Date): void
}

/** What each participant had evaluated today, for each purpose apart; the file says it again after a start. */
export function createLedger(counts: Counts, quotaOf: (participant: string) => number): Ledger {
  const used = new Map<string, number>()
  const recent = new Map<string, Count>()

  const take = (count: Count): void => {
    const day = dayOf(count)
    used.set(day, (used.get(day) ?? 0) + count.n)
    recent.set(nameOf(count), count)
  }
  /** What is over counts no longer. */
  const forget = (at: Date): void => {
    const today = at.toISOString().slice(0, 10)
    for (const day of used.keys()) if (!day.startsWith(today)) used.delete(day)
    for (const [name, count] of recent) {
      if (at.getTime() - Date.parse(count.at) < FREE_AGAIN_MS) break
      recent.delete(name)
    }
  }
  for (const count of counts.kept) take(count)

  return {
    debit(asked, at) {
      forget(at)
      const count = { at: at.toISOString(), ...asked }
      const known = recent.get(nameOf(count))
      if (known !== undefined) {
        if (known.digest === count.digest) return
        throw new Refusal('state-conflict', { detail: 'the Idempotency-Key was used before; take a new one' })
      }
      const quota = quotaOf(count.participant)
      if ((used.get(dayOf(count)) ?? 0) + count.n > quota) {
        const retryAfter = Math.ceil((DAY_MS - (at.getTime() % DAY_MS)) / 1_000)
        throw new Refusal('quota-exceeded', {
          detail: 'it begins anew at midnight UTC',
          extra: { limit: quota },
          retryAfter,
        })
      }
      counts.add(count)
      take(count)
    },
  }
}

const dayOf = ({ at, participant, purpose }: Count): string => `${at.slice(0, 10)} ${participant} ${purpose}`
const nameOf = ({ participant, key }: Count): string => `${participant} ${key}`
