import { asParticipant, atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { LoggedEvent, ProvenanceService } from '../provenance/service.ts'
import type { Holds } from '../signals/hold.ts'
import { openDisputes } from './dispute-store.ts'
import { isHeldByOpinions } from './hold-rule.ts'
import { countsOf } from './opinion.ts'
import { OUTCOME } from './schema.ts'
import * as store from './store.ts'

/** Carries one entry of the log to the rows of those whom it concerns; done again it changes nothing. */
export type Consumer = (entry: LoggedEvent) => Promise<void>

/** Begins a round, whose entries are known: what is read once for all of them holds what was there before any of them. */
export type BeginRound = () => Consumer

export interface FollowerOptions {
  /** Logs in as `aldis_projector`. */
  projector: Db
  provenance: Pick<ProvenanceService, 'entriesFrom' | 'wake'>
  logId: number
  /** Reads who takes part: an entry may tell of what another process has just made. */
  refresh(): Promise<void>
  /** In this order, entry by entry. */
  consumers: readonly BeginRound[]
}

/** Entries of one round. */
export const ENTRIES_AT_ONCE = 256
const NAME = 'feedback'

/** Follows one log; answers how many entries it took. What it was doing when it failed it does again. */
export function createFollower(options: FollowerOptions): { round(): Promise<number> } {
  const { projector, provenance, logId, consumers } = options
  return {
    async round() {
      const from = await store.nextIndex(projector, logId, NAME)
      const entries = await provenance.entriesFrom(projector, { logId, from, limit: ENTRIES_AT_ONCE })
      if (entries.length === 0) return 0
      await options.refresh()
      const begun = consumers.map((begin) => begin())
      for (const entry of entries) for (const consume of begun) await consume(entry)
      const next_idx = from + BigInt(entries.length)
      await atLog(projector, logId, (tx) => store.moveNextIndex(tx, { log_id: logId, name: NAME, next_idx }))
      provenance.wake()
      return entries.length
    },
  }
}

export interface OpinionsOptions {
  app: Db
  projector: Db
  clock: Clock
  holds: Holds
  slugOf(participant: Uuid): string
}

/** What others say of a signal comes to its source's rows, where it is counted and where enough of it holds the signal. */
export const createOpinions = (options: OpinionsOptions): BeginRound => {
  const on: Readonly<Record<string, Consumer>> = {
    'feedback.given': (entry) => takeFeedback(options, entry),
    'dispute.opened': (entry) => takeDispute(options, entry),
    'dispute.closed': (entry) => takeAnswer(options, entry),
    'signal.released': (entry) => takeRelease(options, entry),
    'signal.revised': ({ participant_id, event_id }) =>
      asParticipant(options.app, participant_id, (tx) => store.moveTallies(tx, participant_id, event_id)),
  }
  return () => async (entry) => on[entry.kind]?.(entry)
}

function there<T>({ idx }: LoggedEvent, row: T | undefined): T {
  if (row === undefined) throw new Error(`log entry ${idx} has no row`)
  return row
}

async function takeDispute(options: OpinionsOptions, entry: LoggedEvent): Promise<void> {
  const { participant_id: opener, event_id } = entry
  const { origin, ...dispute } = there(entry, await store.disputeAt(options.projector, opener, event_id))
  await asParticipant(options.app, origin, async (tx) => {
    await store.insertReceived(tx, { ...dispute, participant_id: origin, opener })
    await count(options, tx, { origin, signal: dispute.signal_id })
  })
}

async function takeAnswer(options: OpinionsOptions, entry: LoggedEvent): Promise<void> {
  const { participant_id: origin, event_id } = entry
  const row = there(entry, await store.answerAt(options.projector, origin, event_id))
  const { opener, signal_id: signal, ...answer } = row
  await asParticipant(options.app, opener, (tx) => store.insertResult(tx, { ...answer, participant_id: opener }))
  await asParticipant(options.app, origin, (tx) => count(options, tx, { origin, signal }))
}

async function takeFeedback(options: OpinionsOptions, entry: LoggedEvent): Promise<void> {
  const { participant_id: giver, event_id, place } = entry
  const row = there(entry, await store.feedbackAt(options.projector, giver, event_id))
  const { origin, signal_id: signal, outcome, own_hits, recurrences, at } = row
  await asParticipant(options.app, origin, async (tx) => {
    const opinion = { signal_id: signal, giver, outcome, independent: own_hits > 0, recurrences, at, place }
    if (!(await store.upsertOpinion(tx, { participant_id: origin, ...opinion }, OUTCOME.needs_information))) return
    await count(options, tx, { origin, signal })
  })
}

/** What was said while two persons held a signal is counted once they let it go. */
async function takeRelease(options: OpinionsOptions, { participant_id: origin, event_id }: LoggedEvent): Promise<void> {
  await asParticipant(options.app, origin, async (tx) => {
    const row = await store.releasedByRequest(tx, origin, event_id)
    if (row !== undefined) await count(options, tx, { origin, signal: row.signal_id })
  })
}

/** Counts anew what is said of a signal, and holds it where enough of it disagrees. */
async function count(
  { clock, holds, slugOf }: OpinionsOptions,
  tx: Tx<'participant'>,
  { origin, signal }: { origin: Uuid; signal: Uuid },
): Promise<void> {
  // Locked first: of two opinions that come together the second counts the first.
  const standing = await holds.standing(tx, { participant: origin, signal })
  if (standing === undefined) return
  const opinions = await store.opinionsOf(tx, origin, signal)
  await store.upsertTally(tx, {
    ...{ participant_id: origin, signal_id: signal, audience_id: standing.audience_id },
    counts: JSON.stringify(countsOf(opinions)),
    open_disputes: await openDisputes(tx, origin, signal),
    recurrences: opinions.filter(({ recurrences }) => recurrences > 0).length,
  })
  if (!standing.live) return
  const releasedAt = await holds.releasedAt(tx, { participant: origin, signal })
  if (!isHeldByOpinions(opinions, { releasedAt })) return
  await holds.hold(tx, { participant: origin, slug: slugOf(origin), signal, dispute: undefined, now: clock() })
}
