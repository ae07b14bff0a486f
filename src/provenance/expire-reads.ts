import { atControl, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { newId, timeOf, type Uuid } from '../kernel/ids.ts'
import type { RecordEraser } from './erase.ts'
import * as store from './expire-reads-store.ts'
import { daysBegin, isOver, JOURNAL_RULE, journalDays } from './journal-rule.ts'
import type { Recorder } from './service.ts'

export interface ReadExpiryOptions {
  /** Logs in as `aldis_admin`. */
  admin: Db
  clock: Clock
  recorder: Recorder
  records: Pick<RecordEraser, 'places'>
  /** Whether a hold keeps what the participant read; asked under the lock that `keepReads` takes. */
  isKept(tx: Tx, participant: Uuid): Promise<boolean>
  /** The text of the retention policy that is in force. */
  policy(): string
}

/** A portion of one participant's: so many batches, and rows of the journal unless the first has more. */
const BATCHES_AT_ONCE = 64
const ROWS_AT_ONCE = 10_000
/** Reads stay so long after the entry that names them: whoever is exporting the log then comes to its end. */
export const NAMED_MS = 86_400_000

/**
 * Ends the reads of one participant whose time by the policy is over, a portion at a time: an entry names their batches, and a
 * day later they go. What their batches are stays, with how many reads there were and of whom; safe to repeat after a failure.
 */
export function createReadExpiry(options: ReadExpiryOptions) {
  const { admin } = options
  return {
    /** Answers how many batches an entry names. */
    name: (participant: Uuid, slug: string): Promise<number> =>
      atControl(admin, (tx) => name(options, tx, { participant, slug })),
    /** How many reads are over and still there, named or not. */
    due: (participant: Uuid): Promise<number> => due(options, participant),
    /** Answers of how many batches the reads went. */
    remove: (participant: Uuid): Promise<number> => atControl(admin, (tx) => remove(options, tx, participant)),
  }
}

/** Until the transaction ends nothing of what the participant read goes; what is going is waited for. */
export const keepReads = async (tx: Tx, participant: Uuid): Promise<void> =>
  void (await store.expiryHead(tx, participant))

type WholeBatch = store.ExpiryBatch & { last: Date; begin: number }

async function name(
  { clock, recorder, records, policy, isKept }: ReadExpiryOptions,
  tx: Tx,
  of: { participant: Uuid; slug: string },
): Promise<number> {
  const text = policy()
  const days = journalDays(text)
  if (days === undefined) throw new Error(`the retention policy does not say ${JOURNAL_RULE}`)
  const head = await store.expiryHead(tx, of.participant)
  if (head === undefined || (await isKept(tx, of.participant))) return 0
  const at = clock()
  const found = await portion(tx, of.participant, {
    after: head.expired_no,
    due: ({ begin }) => isOver(days, { begin, at: at.getTime() }),
  })
  const known = await records.places(
    tx,
    found.map(({ event_id }) => event_id),
  )
  const places = found.map(({ event_id }) => known.get(event_id)?.find(({ carried }) => carried)?.place)
  const missing = places.indexOf(undefined)
  const named = missing === -1 ? found : found.slice(0, missing)
  const last = named.at(-1)
  if (last === undefined) return 0
  const event = newId(at)
  await store.markExpired(tx, of.participant, { from: head.expired_no, upto: last.batch_no, event })
  await recorder.record(tx, {
    ...{ kind: 'reads.expired', event_id: event, participant_id: of.participant, at, subject: of.slug },
    fields: {
      ...{ rule: JOURNAL_RULE, policy: text },
      batches: places.slice(0, named.length).map(String),
      n: named.reduce((sum, { n }) => sum + n, 0),
    },
  })
  return named.length
}

async function due({ admin, clock, policy }: ReadExpiryOptions, participant: Uuid): Promise<number> {
  const days = journalDays(policy())
  if (days === undefined) throw new Error(`the retention policy does not say ${JOURNAL_RULE}`)
  return store.overReads(admin, participant, new Date(clock().getTime() - days * 86_400_000))
}

async function remove({ clock, records, isKept }: ReadExpiryOptions, tx: Tx, participant: Uuid): Promise<number> {
  const head = await store.expiryHead(tx, participant)
  if (head === undefined || head.gone_no === head.expired_no || (await isKept(tx, participant))) return 0
  const now = clock().getTime()
  const named = await portion(tx, participant, {
    after: head.gone_no,
    due: ({ expired_by }) => expired_by !== null && now >= timeOf(expired_by) + NAMED_MS,
  })
  const events = new Set(named.flatMap(({ expired_by }) => expired_by ?? []))
  const logged = await records.places(tx, [...events])
  // Of a log that was halted meanwhile nothing is missing before it tells so.
  const waiting = named.findIndex(({ expired_by }) => expired_by === null || !logged.has(expired_by))
  const gone = waiting === -1 ? named : named.slice(0, waiting)
  const last = gone.at(-1)
  if (last === undefined) return 0
  await store.deleteReads(tx, participant, { from: head.gone_no, upto: last.batch_no, until: last.last })
  return gone.length
}

/** The first batches that are due. Throws where reads of one are gone that no entry names: what is missing is not covered up. */
async function portion(
  tx: Tx,
  participant: Uuid,
  { after, due }: { after: bigint; due(batch: WholeBatch): boolean },
): Promise<WholeBatch[]> {
  const taken: WholeBatch[] = []
  let rows = 0
  for (const batch of await store.batchesAfter(tx, participant, { after, limit: BATCHES_AT_ONCE })) {
    const { last, entry } = batch
    if (last === null || entry === null || batch.reads !== batch.n)
      throw new Error(`the batch of reads ${batch.event_id} is not whole`)
    const whole = { ...batch, last, begin: daysBegin({ last: last.getTime(), entry: entry.getTime() }) }
    rows += batch.rows
    if (!due(whole) || (taken.length > 0 && rows > ROWS_AT_ONCE)) break
    taken.push(whole)
  }
  return taken
}
