import type { RawLine } from '../../../client/derive.ts'
import type { Day, Planned, SignalName } from './act.ts'
import { CAST } from './cast.ts'
import { disputedBySignature, disputedByVerdict, heldTogether } from './disputes.ts'
import { createDraft, type Draft } from './draft.ts'
import { desks, lookUps } from './endings.ts'
import { networks, refinedWords, revisedAndWithdrawn } from './lives.ts'
import { createRandom } from './random.ts'
import { planSignals, type Shared } from './signals.ts'
import { type Quota, secondThoughts, seenAgain, verdicts, voided, waiting, words } from './stories.ts'

export interface PlanOptions {
  seed: string
  /** Of which the last is today. */
  days: number
  /** Relations come on top. */
  signals: number
}

export interface Plan extends PlanOptions {
  timetable: readonly Day[]
  /** What is shared on it, relations included. */
  planned: readonly Planned[]
}

/** Days of the shortest past: what takes longest from the first word to the last needs them. */
export const DAYS_MIN = 10
/** Keys are enrolled anew before their ninety days are over. */
const KEYS_DAY = 76
/** After this part of the past tokens are made under the next key epoch. */
const EPOCH_PART = 0.85

/** What everybody does on each day. The same seed is the same plan; nothing else is asked. */
export function planPast({ seed, days, signals }: PlanOptions): Plan {
  if (days < DAYS_MIN || signals < 1) throw new RangeError(`at least ${DAYS_MIN} days and one signal`)
  const random = createRandom(`aldis past ${seed}`)
  const shared = planSignals(random.named('signals'), { days, signals })
  const planned = shared.map((one) => one.planned)
  const draft = createDraft(random.named('stories'), planned, days)
  const quota: Quota = (of1000) => Math.max(1, Math.round((of1000 * signals) / 1_000))
  routing(draft)
  draft.add(Math.floor(days * EPOCH_PART), 'begin', { kind: 'next_epoch' })
  if (days > KEYS_DAY) draft.add(KEYS_DAY, 'begin', { kind: 'renew_keys' })
  // What needs the longest time first: a short past has few signals that are old enough.
  for (const story of [heldTogether, disputedByVerdict, seenAgain, waiting, disputedBySignature, secondThoughts])
    story(draft, quota)
  for (const story of [voided, desks, verdicts, revisedAndWithdrawn, words]) story(draft, quota)
  refinedWords(draft, shared)
  const tied = networks(draft, shared, quota)
  shares(draft, [...shared, ...tied])
  asked(draft, shared)
  return { seed, days, signals, timetable: draft.days(), planned: [...planned, ...tied.map((one) => one.planned)] }
}

/** Damson has a case of each pattern, Elder of what concerns trafficking. */
function routing(draft: Draft): void {
  const none = { keyword_patterns: false, critical: false, not_reviewed: false, new_sources: false, categories: [] }
  draft.add(0, 'begin', { kind: 'route', by: 'damson', rules: { ...none, keyword_patterns: true } })
  draft.add(0, 'begin', { kind: 'route', by: 'elder', rules: { ...none, categories: ['trafficking'] } })
}

function shares(draft: Draft, all: readonly Shared[]): void {
  const batches = Map.groupBy(all, ({ planned: { day, source, audience } }) => `${day} ${source} ${audience}`)
  for (const batch of batches.values()) {
    const [first] = batch
    if (first === undefined) continue
    const { day, source: by, audience } = first.planned
    draft.add(day, 'share', { kind: 'share', by, audience, lines: batch.map(({ line }) => line) })
  }
}

const LOOKED_UP: ReadonlySet<string> = new Set(['url', 'domain', 'email', 'media_hash'])

function asked(draft: Draft, shared: readonly Shared[]): void {
  const lines = new Map<SignalName, RawLine>(shared.map(({ planned, line }) => [planned.name, line.line]))
  const known = new Map(
    CAST.map((party) => [
      party,
      shared.flatMap(({ planned }) =>
        planned.recipients.includes(party) && LOOKED_UP.has(planned.type) ? [planned] : [],
      ),
    ]),
  )
  lookUps(draft, known, (name) => {
    const { type, raw, algorithm, hash } = lines.get(name) ?? {}
    return type === undefined
      ? []
      : [{ type, ...(raw === undefined ? {} : { raw }), ...(hash && algorithm ? { hash, algorithm } : {}) }]
  })
}
