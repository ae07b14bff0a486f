import { Refusal } from '../kernel/errors.ts'
import type { Given, Ledger } from './ledger.ts'

/** The logs of a node as they are given out, by their number. */
export type Ledgers = ReadonlyMap<number, Ledger>

/**
 * Each with its own tree. A record is given out with the proof of the log that holds it, whichever was asked: a
 * submission that was answered shortly before a rotation is an entry of the next log.
 */
export function joinLedgers(ledgers: Ledgers): Ledgers {
  if (ledgers.size < 2) return ledgers
  const newestFirst = [...ledgers].sort(([a], [b]) => b - a).map(([, ledger]) => ledger)

  const first = async <T>(ask: (ledger: Ledger) => Promise<T>, waits: (answer: T) => boolean): Promise<T> => {
    let waiting: T | undefined
    for (const ledger of newestFirst) {
      const answer = await ask(ledger).catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'not-found') return undefined
        throw error
      })
      if (answer !== undefined && !waits(answer)) return answer
      waiting ??= answer
    }
    if (waiting === undefined) throw new Refusal('not-found')
    return waiting
  }
  const isPending = ({ outcome }: Given | { outcome: 'none' }): boolean => outcome === 'pending'

  const records: Pick<Ledger, 'receipt' | 'readReceipt' | 'itemReceipt' | 'record'> = {
    receipt: (holder, event_id) => first((ledger) => ledger.receipt(holder, event_id), isPending),
    readReceipt: (holder, id, place) => first((ledger) => ledger.readReceipt(holder, id, place), isPending),
    itemReceipt: (holder, event_id, item) => first((ledger) => ledger.itemReceipt(holder, event_id, item), isPending),
    record: (holder, event_id) =>
      first(
        (ledger) => ledger.record(holder, event_id),
        (answer) => answer === 'pending',
      ),
  }
  return new Map([...ledgers].map(([id, ledger]) => [id, { ...ledger, ...records }]))
}
