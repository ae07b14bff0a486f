import { SEVERITY } from '../../../review/priority.ts'
import { needsSecond } from '../../../review/second.ts'
import type { Planned, Verdict } from './act.ts'
import type { Party } from './cast.ts'
import type { Draft } from './draft.ts'
import { countsOf, verdictOf } from './words.ts'

/** Days from being shared until the slowest platform has taken its feeds. */
export const REACHED = 5

/** How many signals have a story, of each 1,000; one at least. */
export type Quota = (of1000: number) => number

/** Long enough after being shared, and so long alive. */
export const lasting =
  (days: number, more: (one: Planned) => boolean = () => true) =>
  (one: Planned) =>
    one.day + days <= one.lives && !WORDS.has(one.type) && more(one)
const WORDS: ReadonlySet<string> = new Set(['keyword_pattern', 'tactic'])

/** Signals with that many days left of the past. */
const within = (draft: Draft, days: number, more?: (one: Planned) => boolean) =>
  lasting(days, (one) => one.day + days <= draft.last && (more?.(one) ?? true))

/** Whether two persons have to stand for it. */
export const takesTwo = ({ severity }: Planned, { verdict }: Verdict): boolean =>
  needsSecond(SEVERITY[severity], verdict, 'required')

/** Found by a recipient on the day on which it takes its feeds, and decided; answers that day. */
export function reviewed(
  draft: Draft,
  one: Planned,
  at: { by: Party; from: number; count: number; said: Verdict },
): number {
  const day = draft.nextSync(at.by, at.from)
  draft.hit(day, at.by, one.name, at.count)
  decided(draft, one, { by: at.by, day, said: at.said })
  return day
}

export function decided(
  draft: Draft,
  one: Planned,
  { by, day, said, undone }: { by: Party; day: number; said: Verdict; undone?: Verdict },
): void {
  const [operator, other] = draft.pair()
  draft.add(day, 'review', {
    ...{ kind: 'review', by, signal: one.name, operator, said },
    ...(takesTwo(one, said) ? { second: other } : {}),
    ...(undone === undefined ? {} : { undone }),
  })
}

/** Every verdict, by one recipient or by several. */
export function verdicts(draft: Draft, quota: Quota): void {
  const { random } = draft
  const plain = {
    ...{ confirmed_action_taken: 38, confirmed_no_presence: 14, not_violating: 8, disagree_category: 5, outdated: 8 },
  }
  for (const [verdict, of1000] of Object.entries(plain) as [keyof typeof plain, number][])
    for (const one of draft.take(quota(of1000), within(draft, REACHED))) {
      const [first, ...rest] = random.shuffled(one.recipients)
      if (first === undefined) continue
      const said = verdictOf(random, verdict, one.type)
      reviewed(draft, one, { by: first, from: one.day + 1, count: random.from(1, 14), said })
      for (const by of rest.slice(0, random.from(0, 2)))
        reviewed(draft, one, {
          ...{ by, from: one.day + 1, count: random.from(1, 9) },
          said: verdictOf(random, random.weighted({ confirmed_action_taken: 6, confirmed_no_presence: 3 }), one.type),
        })
    }
}

/** What is looked into or asked about waits, and is decided once it is clear. */
export function waiting(draft: Draft, quota: Quota): void {
  const { random } = draft
  for (const verdict of ['seen_here', 'needs_information'] as const)
    for (const one of draft.take(quota(4), within(draft, REACHED + 3))) {
      const by = random.pick(one.recipients)
      const said = verdictOf(random, verdict, one.type)
      const day = reviewed(draft, one, { by, from: one.day + 1, count: random.from(1, 9), said })
      if (verdict === 'needs_information') {
        const note = 'seen on several days of the same week, by two reviewers'
        draft.add(day + 1, 'source', {
          kind: 'revise',
          by: one.source,
          signal: one.name,
          change: { note, confidence: 90 },
        })
        // What the source was asked is a case of its own.
        decided(draft, one, {
          by: one.source,
          day: day + 1,
          said: verdictOf(random, 'confirmed_action_taken', one.type),
        })
      }
      decided(draft, one, { by, day: day + 3, said: verdictOf(random, 'confirmed_no_presence', one.type) })
    }
}

/** Taken back within the grace, or corrected after it. */
export function secondThoughts(draft: Draft, quota: Quota): void {
  const { random } = draft
  const calm = (one: Planned): boolean => one.severity !== 'critical'
  for (const one of draft.take(quota(5), within(draft, REACHED, calm))) {
    const by = random.pick(one.recipients)
    const day = draft.nextSync(by, one.day + 1)
    draft.hit(day, by, one.name, 1)
    const [undone, said] = [
      verdictOf(random, 'outdated', one.type),
      verdictOf(random, 'confirmed_action_taken', one.type),
    ]
    decided(draft, one, { by, day, said, undone })
  }
  for (const one of draft.take(quota(5), within(draft, REACHED + 2, calm))) {
    const by = random.pick(one.recipients)
    const said = verdictOf(random, 'confirmed_action_taken', one.type)
    const day = reviewed(draft, one, { by, from: one.day + 1, count: 2, said })
    const corrected: Verdict = {
      verdict: 'not_violating',
      reason: 'policy_differs',
      note_shared: 'restored on appeal here',
    }
    draft.add(day + 1, 'review', { kind: 'correct', by, signal: one.name, operator: draft.pair()[0], said: corrected })
  }
}

/** Acted on, and seen again since; the last of them are open. */
export function seenAgain(draft: Draft, quota: Quota): void {
  const { random } = draft
  for (const one of draft.take(quota(8), within(draft, REACHED * 2))) {
    const by = random.pick(one.recipients)
    const said = verdictOf(random, 'confirmed_action_taken', one.type)
    const day = reviewed(draft, one, { by, from: one.day + 1, count: 1, said })
    const again = draft.nextSync(by, day + 2)
    draft.hit(again, by, one.name, random.from(2, 6))
    if (random.chance(0.7))
      decided(draft, one, { by, day: again, said: verdictOf(random, 'confirmed_action_taken', one.type) })
  }
}

/** Taken back before anybody decided: the case is void. */
export function voided(draft: Draft, quota: Quota): void {
  for (const one of draft.take(quota(8), within(draft, REACHED + 1))) {
    const by = draft.random.pick(one.recipients)
    const day = draft.nextSync(by, one.day + 1)
    draft.hit(day, by, one.name, 1)
    draft.add(day, 'source', { kind: 'withdraw', by: one.source, signal: one.name, reason: 'mistaken' })
  }
}

/** Words without a case, signed by the platform's own key; each outcome occurs. */
export function words(draft: Draft, quota: Quota): void {
  const { random } = draft
  const outcomes = {
    ...{ ingested: 24, already_known: 10, in_review: 8, confirmed_action_taken: 8, confirmed_no_presence: 6 },
    ...{ seen_here: 4, not_violating: 3, disagree_category: 2, outdated: 4, needs_information: 2 },
  }
  for (const [outcome, of1000] of Object.entries(outcomes) as [keyof typeof outcomes, number][])
    for (const one of draft.take(quota(of1000), within(draft, REACHED))) {
      const by = random.pick(one.recipients)
      const day = draft.nextSync(by, one.day + 1)
      const isVerdict = outcome !== 'ingested' && outcome !== 'already_known' && outcome !== 'in_review'
      draft.add(day, 'say', {
        ...{ kind: 'say', by, signal: one.name, outcome },
        ...(isVerdict ? { reason: verdictOf(random, outcome, one.type).reason } : {}),
        ...(outcome === 'confirmed_action_taken' ? { counts: countsOf(random, one.type) } : {}),
      })
    }
}
