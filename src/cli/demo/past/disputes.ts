import type { DisputeResult } from '../../../feedback/schema.ts'
import type { Planned } from './act.ts'
import type { Draft } from './draft.ts'
import { decided, lasting, type Quota, REACHED, reviewed } from './stories.ts'
import { verdictOf } from './words.ts'

const GROUNDS = ['false_match', 'wrong_identifier', 'appeal_upheld'] as const
const ANSWERS: Readonly<Record<DisputeResult, string>> = {
  confirmed: 'we took one account for another',
  rejected: 'two reviewers looked again and stand by it',
  amended: 'right account, wrong confidence',
}

const until = (draft: Draft, days: number, more: (one: Planned) => boolean = () => true) =>
  lasting(days, (one) => one.day + days <= draft.last && more(one))

/** A verdict whose reason disputes the signal; its source answers, and whoever disputed looks at the answer. */
export function disputedByVerdict(draft: Draft, quota: Quota): void {
  const { random } = draft
  const cases = GROUNDS.flatMap((ground) =>
    (Object.keys(ANSWERS) as DisputeResult[]).map((result) => ({ ground, result })),
  )
  for (const { ground, result } of cases)
    for (const one of draft.take(quota(1), until(draft, REACHED + 3))) {
      const by = random.pick(one.recipients)
      const said = { verdict: 'not_violating', reason: ground, note_shared: 'not the one that we found' } as const
      const day = reviewed(draft, one, { by, from: one.day + 1, count: random.from(1, 4), said })
      answered(draft, one, { day: day + 1, result })
      decided(draft, one, { by, day: day + 2, said: { verdict: 'outdated', reason: 'inactive' } })
      // What stays held waits for its source; most are taken back.
      if (result === 'confirmed' && random.chance(0.7))
        draft.add(day + 2, 'source', { kind: 'withdraw', by: one.source, signal: one.name, reason: 'mistaken' })
    }
}

/** A dispute is a case of the source too: it looks, and answers. */
function answered(draft: Draft, one: Planned, { day, result }: { day: number; result: DisputeResult }): void {
  const { source: by, name: signal, type } = one
  const verdict = result === 'confirmed' ? 'outdated' : 'confirmed_action_taken'
  decided(draft, one, { by, day, said: verdictOf(draft.random, verdict, type) })
  draft.add(day, 'source', { kind: 'answer', by, signal, result, note: ANSWERS[result] })
  if (result === 'amended') draft.add(day, 'source', { kind: 'revise', by, signal, change: { confidence: 40 } })
}

/** Disputes signed by the platform's own key: answered, overdue, and of the last days. */
export function disputedBySignature(draft: Draft, quota: Quota): void {
  const { random, last } = draft
  const open = (one: Planned, day: number): { by: Planned['source']; day: number } => {
    const by = random.pick(one.recipients)
    const at = draft.nextSync(by, day)
    const ground = random.pick([...GROUNDS, 'unlawful'])
    draft.add(at, 'say', {
      kind: 'dispute',
      by,
      signal: one.name,
      ground,
      note: 'please look again',
    })
    return { by, day: at }
  }
  for (const one of draft.take(quota(3), until(draft, REACHED + 2))) {
    const { day } = open(one, one.day + 1)
    answered(draft, one, { day: day + 1, result: 'rejected' })
  }
  for (const one of draft.take(quota(2), until(draft, REACHED + 4))) open(one, one.day + 1)
  for (const one of draft.take(
    quota(3),
    until(draft, 2, ({ lives }) => lives > last),
  ))
    open(one, last - 1)
}

/** Three organisations that each reviewed a hit of their own disagree: held for all, and then let go, taken back, or neither. */
export function heldTogether(draft: Draft, quota: Quota): void {
  const { random } = draft
  for (const then of ['release', 'withdraw', 'wait'] as const)
    for (const one of draft.take(
      quota(1.5),
      until(draft, REACHED + 2, ({ recipients }) => recipients.length >= 3),
    )) {
      const days = random
        .shuffled(one.recipients)
        .slice(0, 3)
        .map((by) =>
          reviewed(draft, one, {
            ...{ by, from: one.day + 1, count: random.from(1, 5) },
            said: { verdict: 'not_violating', reason: 'policy_differs', note_shared: 'many of our users link to it' },
          }),
        )
      const day = Math.max(...days) + 2
      const { source: by, name: signal } = one
      if (then === 'release') draft.add(day, 'source', { kind: 'release', by, signal })
      if (then === 'withdraw') draft.add(day, 'source', { kind: 'withdraw', by, signal, reason: 'mistaken' })
    }
}
