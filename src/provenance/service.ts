import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { KeyService } from '../keys/service.ts'
import { decodeEntry } from './batch.ts'
import type { NewEvent } from './events.ts'
import { createJournal, type Journal, sourceSets } from './journal.ts'
import { prepareRecord, saltSource } from './record.ts'
import * as store from './store.ts'

export type { NewEvent } from './events.ts'
export type { PreparedRead, ReadSource } from './journal.ts'
export type { ReadItem } from './readset.ts'
export type { RecordRow } from './store.ts'

/** One entry of the log as the consumers to its right read it. */
export interface LoggedEvent {
  idx: bigint
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
  prepare(event: NewEvent): store.RecordRow
  insert(tx: Tx, rows: readonly store.RecordRow[]): Promise<void>
  /** Refuses with `log-behind` while the log cannot be published: no entry, no answer. */
  admit(): void
  /** Tells the loops of this process that there is something to index. */
  wake(): void
  /** Entries from `from` up to the fence, at most `limit`; dense and in order. */
  entriesFrom(db: Db, from: bigint, limit: number): Promise<LoggedEvent[]>
  sourceSets: typeof sourceSets
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
}

export function createProvenanceService(options: ProvenanceOptions): ProvenanceService {
  const { keys, logId } = options
  const salt = saltSource()
  const prepare = (event: NewEvent): store.RecordRow => prepareRecord(event, { keys, logId, salt })
  const record: Recorder['record'] = async (tx, event) => {
    const row = prepare(event)
    await store.insertRecords(tx, [row])
    return { event_id: row.event_id, c: row.c }
  }
  const journal = createJournal({ ...options, salt, record })

  return {
    record,
    prepare,
    insert: store.insertRecords,
    wake: options.onWake,
    admit() {
      if (!options.healthy()) throw new Refusal('log-behind', { retryAfter: 5 })
    },
    entriesFrom: (db, from, limit) => entriesFrom(db, { logId, from, limit }),
    sourceSets,
    prepareRead: journal.prepareRead,
    prepareSegmentRead: journal.prepareSegmentRead,
    insertReads: journal.insertReads,
    journal,
  }
}

async function entriesFrom(db: Db, at: { logId: number; from: bigint; limit: number }): Promise<LoggedEvent[]> {
  const { logId, from, limit } = at
  const fence = await store.fence(db, logId)
  if (fence === undefined || fence.size <= from) return []
  const first = await store.batchAt(db, logId, from)
  if (first === undefined) return []
  const rows = await store.batches(db, logId, { from: first.first_idx, to: fence.size, limit: 16 })
  const entries: { idx: bigint; event_id: Uuid; participant_id: Uuid }[] = []
  for (const { first_idx, n, data } of rows) {
    const skip = first_idx < from ? Number(from - first_idx) : 0
    for (let i = skip; i < n && entries.length < limit; i++) {
      const { event_id, participant_id } = decodeEntry(data, i)
      entries.push({ idx: first_idx + BigInt(i), event_id, participant_id })
    }
  }
  const kinds = await store.kindsOf(db, entries)
  return entries.map((entry) => {
    const told = kinds.get(entry.event_id)
    if (told === undefined) throw new Error(`log entry ${entry.idx} has no record`)
    return { ...entry, ...told }
  })
}
