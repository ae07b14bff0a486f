import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { randomSource, randomTextSource } from '../kernel/random.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { KeyService } from '../keys/service.ts'
import type { Anchor, HaltReason } from './anchor.ts'
import { idsInRun } from './batch.ts'
import { batchRuns } from './batch-store.ts'
import type { NewEvent } from './events.ts'
import { createJournal, type Journal, sourceSets } from './journal.ts'
import { emptyRange, emptyRoot, encodeRange } from './merkle.ts'
import { placeOf } from './origin.ts'
import * as outboxStore from './outbox-store.ts'
import { prepareRecord } from './record.ts'
import * as recordStore from './record-store.ts'
import * as signStore from './sign-store.ts'
import * as store from './store.ts'
import { emptyEdges, encodeEdges } from './tile.ts'

export type { NewEvent } from './events.ts'
export type { PreparedRead } from './journal.ts'
export type { RecordRow } from './record-store.ts'

/** One entry of the log as the consumers to its right read it. */
export interface LoggedEvent {
  idx: bigint
  /** Grows over all logs of the node: see `placeOf`. */
  place: bigint
  event_id: Uuid
  participant_id: Uuid
  kind: string
  at: Date
}

/** Writes records into the transactions of the changes they tell of. */
export interface Recorder {
  /** Record and outbox row in the change's transaction; the caller makes the event id, so that its rows can carry it. */
  record(tx: Tx, event: NewEvent): Promise<{ event_id: Uuid; c: Buffer }>
}

export interface ProvenanceService extends Recorder, Omit<Journal, 'flush' | 'pending' | 'inner'> {
  /** The committed form of an event, for those that write many in one statement. */
  prepare(event: NewEvent): recordStore.RecordRow
  insert(tx: Tx, rows: readonly recordStore.RecordRow[]): Promise<void>
  /** Refuses with `log-behind` or `log-halted` while the log cannot be published: no entry, no answer. */
  admit(): void
  /** The same for what says how signals stand now: `log-behind` also while feeds and look-ups do not follow the log. */
  admitLookUp(): void
  /** Tells the loops of this process that there is something to index. */
  wake(): void
  /** Entries of a log from `from` up to the fence, at most `limit`; dense and in order. */
  entriesFrom(db: Db, at: { logId: number; from: bigint; limit: number }): Promise<LoggedEvent[]>
  /** The place in the log below which everything has reached feeds and look-ups. */
  projected(tx: Tx): Promise<bigint>
  /** Where an event stands in the order over all logs; undefined before it has an index. */
  placeOfEvent(event_id: Uuid): Promise<bigint | undefined>
  sourceSets: typeof sourceSets
  /** Where the receipt of an event is asked for. */
  receiptPath(event_id: Uuid): string
  /** 32 random bytes. */
  salt(): Uint8Array
  /** For metrics, read as `aldis_integrator`: entries, how many of them feeds show, and changes that wait for their index. */
  state(db: Db): Promise<{ size: bigint; projected: bigint; outbox: number }>
  readonly journal: Journal
}

export interface ProvenanceOptions {
  db: Db
  ledger: Db
  clock: Clock
  keys: KeyService
  logId: number
  origin: string
  onWake(): void
  /** Whether the log can be written and published now. */
  healthy(): boolean
  /** Whether feeds and look-ups follow the log. */
  following?(): boolean
  /** Why nothing may be signed until a person has acted. */
  halted?(): HaltReason | undefined
}

export function createProvenanceService(options: ProvenanceOptions): ProvenanceService {
  const { keys, logId } = options
  const salt = randomSource(32)
  const saltText = randomTextSource(32)
  const prepare = (event: NewEvent): recordStore.RecordRow => prepareRecord(event, { keys, logId, salt: saltText })
  const record: Recorder['record'] = async (tx, event) => {
    const row = prepare(event)
    await recordStore.insertRecords(tx, [row])
    return { event_id: row.event_id, c: row.c }
  }
  const journal = createJournal({ ...options, salt, saltText, record })
  const admit = (): void => {
    if (options.halted?.() !== undefined) throw new Refusal('log-halted')
    if (!options.healthy()) throw new Refusal('log-behind', { retryAfter: 5 })
  }

  return {
    record,
    prepare,
    insert: recordStore.insertRecords,
    wake: options.onWake,
    admit,
    admitLookUp() {
      admit()
      if (options.following?.() === false)
        throw new Refusal('log-behind', {
          ...{ detail: 'look-ups do not follow the log: they could show what was withdrawn', retryAfter: 5 },
        })
    },
    projected: async (tx) => placeOf(logId, (await store.projected(tx, logId))?.next_idx ?? 0n),
    placeOfEvent: (event_id) => store.eventPlace(options.ledger, logId, event_id),
    entriesFrom,
    sourceSets,
    receiptPath: (event_id) => `/provenance/${logId}/receipts/${event_id}`,
    salt,
    state: async (db) => {
      // In this order: what waits no more is within the size, and what is within it may be carried on by then.
      const outbox = await outboxStore.waiting(db, logId)
      const size = (await store.head(db, logId))?.size ?? 0n
      const projected = (await store.projected(options.db, logId))?.next_idx ?? 0n
      return { size, projected, outbox }
    },
    prepareRead: journal.prepareRead,
    prepareSegmentRead: journal.prepareSegmentRead,
    insertReads: journal.insertReads,
    journal,
  }
}

async function entriesFrom(db: Db, at: { logId: number; from: bigint; limit: number }): Promise<LoggedEvent[]> {
  const { logId, from, limit } = at
  const end = await store.carriable(db, logId)
  const most = from + BigInt(limit)
  const runs = end > from ? await batchRuns(db, logId, [{ from, to: end < most ? end : most }]) : []
  const entries = runs.flatMap((run) => idsInRun(run).map((ids, i) => ({ idx: run.first_idx + BigInt(i), ...ids })))
  const kinds = await recordStore.kindsOf(db, entries)
  return entries.map((entry) => {
    const told = kinds.get(entry.event_id)
    if (told === undefined) throw new Error(`log entry ${entry.idx} has no record`)
    return { ...entry, ...told, place: placeOf(logId, entry.idx) }
  })
}

/** Opens an empty log under its origin, which is its name for ever; once, by `aldis init`. The anchor comes first. */
export async function openLog(
  admin: Db,
  { logId, origin, at, anchor }: { logId: number; origin: string; at: Date; anchor: Anchor },
): Promise<void> {
  const root = emptyRoot(sha256)
  // A repetition finds it.
  if ((await anchor.read()) === undefined) await anchor.swap(undefined, { origin, size: 0n, root })
  await atLog(admin, logId, async (tx) => {
    const [edges, range] = [encodeEdges(emptyEdges), encodeRange(emptyRange)]
    await signStore.openLog(tx, { log_id: logId, origin, root, edges, range, at })
  })
}

/** The newest signed tree, read as `aldis_signer`. */
export async function signedTree(db: Db, logId: number): Promise<{ size: bigint; root: Uint8Array }> {
  const row = await signStore.signed(db, logId)
  if (row === undefined) throw new Error(`there is no log ${logId}`)
  return row
}

/** Every log of the node in the order in which they were opened; the present one is the last. */
export const logsOf = (db: Db): Promise<{ log_id: number; origin: string; closed_size: bigint | null }[]> =>
  store.logs(db)

/** The origin of an open log; undefined before `openLog`. */
export const originOf = async (db: Db, logId: number): Promise<string | undefined> =>
  (await store.head(db, logId))?.origin
