import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isConfirmation } from '../feedback/opinion.ts'
import { OUTCOME } from '../feedback/schema.ts'
import { dayOf } from '../kernel/day.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { FirstShare, Submitted } from '../provenance/explore.ts'
import type { LoggedEvent } from '../provenance/service.ts'
import type { ShareCounts, ShareKey, ShareRow } from './shares.ts'
import * as store from './store.ts'
import { noWaits, sumOf, waitsOf } from './waits.ts'

export interface CountingOptions {
  /** Logs in as `aldis_projector`. */
  projector: Db
  logId: number
  directory: {
    slugOf(participant: Uuid): string
    audience(id: Uuid): { members: ReadonlySet<Uuid> } | undefined
  }
}

export type Delta = ShareKey & Partial<ShareCounts>

/** What entries of the log tell of who shared with whom, added up by day; each entry is counted with its place, once. */
export const createCounting = (options: CountingOptions) => ({
  async count(entries: readonly ToldEntry[]): Promise<(tx: Tx<'log'>) => Promise<void>> {
    const rows = folded(await deltasOf(options, entries))
    return (tx) => store.addShares(tx, options.logId, rows)
  },
})

/** An entry, with whom it reached when it was carried, and what it shared for the first time. */
export type ToldEntry = LoggedEvent & { recipients: readonly string[]; shares: readonly FirstShare[] }

export async function deltasOf(options: CountingOptions, entries: readonly ToldEntry[]): Promise<Delta[]> {
  const deltas: Delta[] = []
  for (const [kind, count] of Object.entries(ON)) {
    const own = entries.filter((entry) => entry.kind === kind)
    if (own.length > 0) deltas.push(...(await count(options, own)))
  }
  return deltas
}

/** What submissions did, by the event of each: whom they reach, and what they shared for the first time. */
export const createSubmitted =
  ({ projector, directory }: Pick<CountingOptions, 'projector' | 'directory'>) =>
  async (entries: readonly LoggedEvent[]): Promise<Map<Uuid, Submitted>> => {
    const did = new Map<Uuid, { reached: Set<string>; shares: FirstShare[] }>()
    const submitted = entries.filter(({ kind }) => SUBMITTED.has(kind))
    for (const [participant, own] of Map.groupBy(submitted, ({ participant_id }) => participant_id)) {
      for (const { submission_id, ...said } of await store.saidBy(projector, participant, idsOf(own))) {
        const known = did.get(submission_id) ?? { reached: new Set(), shares: [] }
        for (const slug of membersOf(directory, said.audience)) known.reached.add(slug)
        known.shares.push(...firstIn(said))
        did.set(submission_id, known)
      }
    }
    return new Map([...did].map(([event, { reached, shares }]) => [event, { reached: [...reached], shares }]))
  }

const membersOf = (directory: CountingOptions['directory'], audience: Uuid): string[] =>
  [...(directory.audience(audience)?.members ?? [])].map((member) => directory.slugOf(member))

const firstIn = ({ category, audience, signals }: { category: string; audience: Uuid; signals: string | null }) =>
  signals === null ? [] : [{ category, audience, signals: signals.split(' ') as Uuid[] }]

const idsOf = (entries: readonly LoggedEvent[]): Uuid[] => entries.map(({ event_id }) => event_id)

/** Events that changed a signal, whoever's it is. */
export const createEventsOf =
  (projector: Db, participants: () => readonly { participant_id: Uuid }[]) =>
  (signal: Uuid): Promise<Uuid[]> =>
    store.eventsOf(
      projector,
      participants().map(({ participant_id }) => participant_id),
      signal,
    )

const SUBMITTED: ReadonlySet<string> = new Set(['signal.submitted', 'signal.revised', 'signal.withdrawn'])

/** Of entries of one kind. */
type Count = (options: CountingOptions, entries: readonly ToldEntry[]) => Promise<Delta[]>

/** What each participant said with its entries, asked for of one at a time: each has a shard of its own. */
async function saidIn<T>(
  entries: readonly ToldEntry[],
  ask: (participant: Uuid, events: readonly Uuid[]) => Promise<T[]>,
): Promise<(T & { giver: Uuid })[]> {
  const said: (T & { giver: Uuid })[] = []
  for (const [giver, own] of Map.groupBy(entries, ({ participant_id }) => participant_id))
    for (const one of await ask(giver, idsOf(own))) said.push({ ...one, giver })
  return said
}

const ON: Readonly<Record<string, Count>> = {
  'signal.submitted': countSubmitted,
  'feedback.given': countFeedback,
  'dispute.opened': countDisputes,
}

/** By what the first revisions said, which no later one changes; what is left of an erased one says it too. */
async function countSubmitted({ directory }: CountingOptions, entries: readonly ToldEntry[]): Promise<Delta[]> {
  return entries.flatMap(({ participant_id, at, recipients, shares }) =>
    shares.flatMap(({ category, audience, signals }) => {
      const key = { day: dayOf(at), source: directory.slugOf(participant_id), category, audience }
      return membersOf(directory, audience).flatMap((recipient): Delta[] =>
        recipients.includes(recipient) ? [{ ...key, recipient, shared: signals.length }] : [],
      )
    }),
  )
}

/** What somebody said of a signal, with what its source had first said of it. */
type Answer<T> = T & { first: { category: string; audience: Uuid; received_at: Date } }

async function withFirst<T extends { origin: Uuid; signal_id: Uuid }>(
  { projector }: CountingOptions,
  said: readonly T[],
): Promise<Answer<T>[]> {
  const answers: Answer<T>[] = []
  for (const [origin, own] of Map.groupBy(said, (one) => one.origin)) {
    const signals = own.map(({ signal_id }) => signal_id)
    const firsts = new Map(
      (await store.firstSent(projector, [origin], [...new Set(signals)])).map((row) => [row.signal_id, row]),
    )
    for (const one of own) {
      const first = firsts.get(one.signal_id)
      if (first !== undefined) answers.push({ ...one, first })
    }
  }
  return answers
}

/** Where an answer to a signal is counted: at the source, for whoever answers. */
function keyOf(
  { directory }: CountingOptions,
  { giver, origin, at, first }: Answer<{ giver: Uuid; origin: Uuid; at: Date }>,
): ShareKey {
  const { category, audience } = first
  return { day: dayOf(at), source: directory.slugOf(origin), recipient: directory.slugOf(giver), category, audience }
}

/** Of several answers to one signal the last counts, and how long the first one took. */
async function countFeedback(options: CountingOptions, entries: readonly ToldEntry[]): Promise<Delta[]> {
  const said = await saidIn(entries, (giver, events) => store.feedbackOf(options.projector, giver, events))
  const answers = await withFirst(
    options,
    said.filter(({ outcome }) => outcome <= store.LAST_VERDICT),
  )
  return answers.flatMap((answer): Delta[] => {
    const { at, outcome, before, first } = answer
    const key = keyOf(options, answer)
    const now: Delta = { ...key, ...opinion(outcome, 1) }
    if (before === undefined)
      return [{ ...now, answered: 1, waits: waitsOf(at.getTime() - first.received_at.getTime()) }]
    return [now, { ...key, day: dayOf(before.at), ...opinion(before.outcome, -1) }]
  })
}

const opinion = (outcome: number, n: 1 | -1): Pick<Delta, 'confirmed' | 'not_violating'> => ({
  ...(isConfirmation(outcome) && { confirmed: n }),
  ...(outcome === OUTCOME.not_violating && { not_violating: n }),
})

async function countDisputes(options: CountingOptions, entries: readonly ToldEntry[]): Promise<Delta[]> {
  const said = await saidIn(entries, (giver, events) => store.disputesOf(options.projector, giver, events))
  const disputes = said.map(({ opened_at: at, ...dispute }) => ({ ...dispute, at }))
  return (await withFirst(options, disputes)).map((one) => ({ ...keyOf(options, one), disputed: 1 }))
}

/** One row for each place, in one order: two processes lock rows alike. */
export function folded(deltas: readonly Delta[]): ShareRow[] {
  const rows = new Map<string, ShareRow>()
  for (const { day, source, recipient, category, audience, waits, ...more } of deltas) {
    const name = `${day} ${source} ${recipient} ${category} ${audience}`
    const row = rows.get(name) ?? { day, source, recipient, category, audience, ...NONE, waits: noWaits() }
    rows.set(name, row)
    for (const key of COUNTS) row[key] += more[key] ?? 0
    if (waits !== undefined) row.waits = sumOf(row.waits, waits)
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

const NONE = { shared: 0, confirmed: 0, not_violating: 0, answered: 0, disputed: 0 }
const COUNTS = Object.keys(NONE) as (keyof typeof NONE)[]
