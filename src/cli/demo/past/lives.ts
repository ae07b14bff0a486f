import type { RawLine } from '../../../client/derive.ts'
import type { Act, Change, Planned, PlannedLine, SignalName } from './act.ts'
import type { Draft } from './draft.ts'
import type { Random } from './random.ts'
import type { Shared } from './signals.ts'
import { lasting, type Quota, REACHED, reviewed } from './stories.ts'
import { refined, widened } from './values.ts'
import { verdictOf } from './words.ts'

/** What sources do with their own signals: they say them anew, and take them back. */
export function revisedAndWithdrawn(draft: Draft, quota: Quota): void {
  const { random, last } = draft
  // Before the last day, on which everybody takes its feeds: who audits finds that all ends were read.
  const after = (one: Planned): number => random.from(one.day + 1, Math.min(last - 1, one.lives - 1))
  const live = (one: Planned): boolean => one.day < last - 1 && one.lives > one.day + 2
  for (const one of draft.take(quota(40), lasting(2, live))) {
    const [first, second] = [after(one), after(one)].sort((a, b) => a - b)
    const { source: by, name: signal } = one
    const change = (at: number | undefined, act: Extract<Act, { kind: 'revise' }>): void => {
      if (at !== undefined) draft.add(at, 'source', act)
    }
    change(first, { kind: 'revise', by, signal, change: { confidence: random.from(10, 20) * 5 } })
    if (random.chance(0.3))
      change(second, { kind: 'revise', by, signal, change: { severity: random.pick(['medium', 'high']) } })
  }
  const reasons = { mistaken: 8, outdated: 10, duplicate: 5, appeal_upheld: 4, legal: 2 } as const
  for (const [reason, of1000] of Object.entries(reasons) as [keyof typeof reasons, number][])
    for (const one of draft.take(quota(of1000), lasting(2, live)))
      draft.add(after(one), 'source', { kind: 'withdraw', by: one.source, signal: one.name, reason })
  // Whoever acted on it is told, and looks again; some have not yet.
  for (const one of draft.take(
    quota(5),
    lasting(REACHED + 2, (found) => found.day + REACHED + 2 <= last),
  )) {
    const by = random.pick(one.recipients)
    const said = verdictOf(random, 'confirmed_action_taken', one.type)
    const day = reviewed(draft, one, { by, from: one.day + 1, count: 1, said })
    draft.add(day + 2, 'source', { kind: 'withdraw', by: one.source, signal: one.name, reason: 'appeal_upheld' })
  }
}

/** Patterns and tactics are refined; the platform that routes patterns has a case of each. */
export function refinedWords(draft: Draft, shared: readonly Shared[]): void {
  for (const { planned, line } of shared) {
    const { pattern, tactic } = line.line
    if (pattern !== undefined) refine(draft, planned, (step) => patternAt(pattern, step))
    else if (tactic !== undefined) refine(draft, planned, (step) => tacticAt(tactic, step))
  }
}

const STEPS = 2

function refine({ random, last, add }: Draft, one: Planned, valueAt: (step: number) => Change['value']): void {
  let day = one.day
  for (let step = 1; step <= STEPS; step++) {
    day += random.from(2, 12)
    if (day > last || day >= one.lives || (step > 1 && random.chance(0.5))) return
    add(day, 'source', { kind: 'revise', by: one.source, signal: one.name, change: { value: valueAt(step) } })
  }
}

const patternAt = (pattern: NonNullable<RawLine['pattern']>, step: number) =>
  step === 1 ? widened(pattern, 1) : widened(widened(pattern, 1), 2)
const tacticAt = (tactic: NonNullable<RawLine['tactic']>, step: number) =>
  step === 1 ? refined(tactic, 1) : refined(refined(tactic, 1), 2)

const RELATIONS = ['same_operator', 'same_account', 'advertises', 'pays', 'redirects_to'] as const
const TIED = 6

/** Networks: signals of one source in one audience that relations tie to one another, as its later signals. */
export function networks(draft: Draft, shared: readonly Shared[], quota: Quota): Shared[] {
  const { random, last } = draft
  const made: Shared[] = []
  const groups = Map.groupBy(shared, ({ planned: { source, audience } }) => `${source} ${audience}`)
  const parts = random.shuffled([...groups.values()].flatMap((all) => chunks(all, TIED)))
  const dayOf = (group: readonly Shared[]): number => Math.max(...group.map(({ planned }) => planned.day)) + 1
  for (const group of parts.filter((one) => one.length >= 3 && dayOf(one) <= last).slice(0, quota(9))) {
    const members = group.slice(0, random.from(3, TIED)).map(({ planned }) => planned)
    for (const [from, to] of tied(random, members))
      made.push(relation(random.pick(RELATIONS), { from, to, day: dayOf(group), n: shared.length + made.length }))
  }
  return made
}

/** A chain, a star around the first, or something between. */
const tied = (random: Random, members: readonly Planned[]): [Planned, Planned][] =>
  members.flatMap((to, i) => {
    const from = members[random.chance(0.5) ? 0 : i - 1]
    return i === 0 || from === undefined ? [] : [[from, to]]
  })

type Relation = NonNullable<PlannedLine['relation']>['relation']

function relation(
  name: Relation,
  { from, to, day, n }: { from: Planned; to: Planned; day: number; n: number },
): Shared {
  const signal: SignalName = `s${n}`
  const { source, audience, recipients } = from
  return {
    planned: { name: signal, source, audience, recipients, day, type: 'relation', severity: 'high', lives: day + 179 },
    line: {
      ...{ signal, relation: { relation: name, of: [from.name, to.name] } },
      line: { type: 'relation', category: 'network_hub', severity: 'high', confidence: 80, basis: 'human_reviewed' },
    },
  }
}

const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
