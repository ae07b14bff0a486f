import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isConfirmation } from '../feedback/opinion.ts'
import { OUTCOME } from '../feedback/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
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

/** An entry, with whom it reached when it was carried. */
export type ToldEntry = LoggedEvent & { recipients: readonly string[] }

export async function deltasOf(options: CountingOptions, entries: readonly ToldEntry[]): Promise<Delta[]> {
  const deltas: Delta[] = []
  for (const [kind, count] of Object.entries(ON)) {
    const own = entries.filter((entry) => entry.kind === kind)
    for (const [participant, some] of Map.groupBy(own, ({ participant_id }) => participant_id))
      deltas.push(...(await count(options, participant, some)))
  }
  return deltas
}

/** The short names of those whom submissions reach, by the event of each. */
export const createReached =
  ({ projector, directory }: Pick<CountingOptions, 'projector' | 'directory'>) =>
  async (entries: readonly LoggedEvent[]): Promise<Map<Uuid, readonly string[]>> => {
    const reached = new Map<Uuid, Set<string>>()
    const submitted = entries.filter(({ kind }) => SUBMITTED.has(kind))
    for (const [participant, own] of Map.groupBy(submitted, ({ participant_id }) => participant_id)) {
      for (const { submission_id, audience } of await store.audiencesOf(projector, participant, idsOf(own))) {
        const known = reached.get(submission_id) ?? new Set()
        for (const member of directory.audience(audience)?.members ?? []) known.add(directory.slugOf(member))
        reached.set(submission_id, known)
      }
    }
    return new Map([...reached].map(([event, slugs]) => [event, [...slugs]]))
  }

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

/** Of entries of one kind, all by one participant. */
type Count = (options: CountingOptions, participant: Uuid, entries: readonly ToldEntry[]) => Promise<Delta[]>

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

const ON: Readonly<Record<string, Count>> = {
  'signal.submitted': countSubmitted,
  'feedback.given': countFeedback,
  'dispute.opened': countDisputes,
}

/** By what the first revisions said, which no later one changes; what is left of an erased one says it too. */
async function countSubmitted(
  { projector, directory }: CountingOptions,
  participant: Uuid,
  entries: readonly ToldEntry[],
): Promise<Delta[]> {
  const source = directory.slugOf(participant)
  const told = new Map(entries.map((entry) => [entry.event_id, entry]))
  const shared = await store.firstShared(projector, participant, idsOf(entries))
  return shared.flatMap(({ submission_id, category, audience, n }) => {
    const entry = told.get(submission_id)
    if (entry === undefined) return []
    const key = { day: dayOf(entry.at), source, category, audience }
    return [...(directory.audience(audience)?.members ?? [])].flatMap((member): Delta[] => {
      const recipient = directory.slugOf(member)
      return entry.recipients.includes(recipient) ? [{ ...key, recipient, shared: n }] : []
    })
  })
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
  giver: Uuid,
  { origin, at, first }: Answer<{ origin: Uuid; at: Date }>,
): ShareKey {
  const { category, audience } = first
  return { day: dayOf(at), source: directory.slugOf(origin), recipient: directory.slugOf(giver), category, audience }
}

/** Of several answers to one signal the last counts, and how long the first one took. */
async function countFeedback(options: CountingOptions, giver: Uuid, entries: readonly ToldEntry[]): Promise<Delta[]> {
  const said = await store.feedbackOf(options.projector, giver, idsOf(entries))
  const answers = await withFirst(
    options,
    said.filter(({ outcome }) => outcome <= store.LAST_VERDICT),
  )
  return answers.flatMap((answer): Delta[] => {
    const { at, outcome, before, first } = answer
    const key = keyOf(options, giver, answer)
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

async function countDisputes(options: CountingOptions, giver: Uuid, entries: readonly ToldEntry[]): Promise<Delta[]> {
  const said = await store.disputesOf(options.projector, giver, idsOf(entries))
  const disputes = said.map(({ opened_at: at, ...dispute }) => ({ ...dispute, at }))
  return (await withFirst(options, disputes)).map((one) => ({ ...keyOf(options, giver, one), disputed: 1 }))
}

/** One row for each place, in one order: two processes lock rows alike. */
export function folded(deltas: readonly Delta[]): ShareRow[] {
  const rows = new Map<string, ShareRow>()
  for (const { day, source, recipient, category, audience, waits = [], ...more } of deltas) {
    const name = [day, source, recipient, category, audience].join(' ')
    const before = rows.get(name) ?? { day, source, recipient, category, audience, ...NONE, waits: noWaits() }
    const sum = (key: keyof typeof NONE): number => before[key] + (more[key] ?? 0)
    rows.set(name, {
      ...before,
      ...{ shared: sum('shared'), confirmed: sum('confirmed'), not_violating: sum('not_violating') },
      ...{ answered: sum('answered'), disputed: sum('disputed'), waits: sumOf(before.waits, waits) },
    })
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
}

const NONE = { shared: 0, confirmed: 0, not_violating: 0, answered: 0, disputed: 0 }
