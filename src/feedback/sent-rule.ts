import { SIGNAL_STATE } from '../signals/schema.ts'
import { isConfirmation } from './opinion.ts'
import { OUTCOME, type Outcome } from './schema.ts'

/** Signals that are alike: in one state, with the same said of them. */
interface Alike {
  state: number
  /** JSON: how many say what; null where nobody says anything. */
  counts: string | null
  disputed: boolean
  n: number
}

/** Each signal counts once in each figure, however many said so of it. */
export function countedSent(rows: readonly Alike[]) {
  const said = rows.map((row) => ({ ...row, outcomes: outcomesIn(row.counts) }))
  const total = (holds: (row: (typeof said)[number]) => boolean): number =>
    said.reduce((n, row) => n + (holds(row) ? row.n : 0), 0)
  return {
    sent: total(() => true),
    answered: total(({ outcomes }) => outcomes.length > 0),
    confirmed: total(({ outcomes }) => outcomes.some((one) => isConfirmation(OUTCOME[one]))),
    not_violating: total(({ outcomes }) => outcomes.includes('not_violating')),
    disputed: total(({ disputed }) => disputed),
    withdrawn: total(({ state }) => state === SIGNAL_STATE.withdrawn),
  }
}

const outcomesIn = (counts: string | null): Outcome[] => {
  const by = JSON.parse(counts ?? '{}') as Partial<Record<Outcome, number>>
  return (Object.keys(by) as Outcome[]).filter((name) => (by[name] ?? 0) > 0)
}
