import { OUTCOME, type Outcome } from './schema.ts'

/** What one recipient says of a signal now. */
export interface Opinion {
  outcome: number
  /** An own hit was reviewed. */
  independent: boolean
  /** Times that it was seen again after an action. */
  recurrences: number
  at: Date
}

export type Standing = 'seed' | 'confirmed' | 'negative' | 'disputed'

const POSITIVE: ReadonlySet<number> = new Set([OUTCOME.confirmed_action_taken, OUTCOME.confirmed_no_presence])
const NEGATIVE: ReadonlySet<number> = new Set([OUTCOME.not_violating, OUTCOME.outdated])
const NAME = new Map<number, Outcome>(Object.entries(OUTCOME).map(([name, id]) => [id, name as Outcome]))

/** Opinions by outcome, in the order of the outcomes; those that nobody has are absent. */
export function countsOf(opinions: readonly Pick<Opinion, 'outcome'>[]): Partial<Record<Outcome, number>> {
  const counts: Partial<Record<Outcome, number>> = {}
  for (const { outcome } of opinions.toSorted((a, b) => a.outcome - b.outcome)) {
    const name = NAME.get(outcome)
    if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** Seed: nobody said yes or no. An open dispute disputes even what nobody else has looked at. */
export function standingOf(counts: Partial<Record<string, number>>, openDisputes: number): Standing {
  const total = (of: ReadonlySet<number>): number =>
    [...of].reduce((n, outcome) => n + (counts[NAME.get(outcome) ?? ''] ?? 0), 0)
  const [yes, no] = [total(POSITIVE), total(NEGATIVE)]
  if (openDisputes > 0 || (yes > 0 && no > 0)) return 'disputed'
  if (yes > 0) return 'confirmed'
  return no > 0 ? 'negative' : 'seed'
}

/** How many said yes, how many no, and how many asked. */
export interface Sides {
  plus: number
  minus: number
  asked: number
}

export const sidesOf = (counts: Partial<Record<string, number>>): Sides => {
  const total = (of: Iterable<number>): number =>
    [...of].reduce((n, outcome) => n + (counts[NAME.get(outcome) ?? ''] ?? 0), 0)
  return { plus: total(POSITIVE), minus: total(NEGATIVE), asked: total([OUTCOME.needs_information]) }
}

export const isConfirmation = (outcome: number): boolean => POSITIVE.has(outcome)
