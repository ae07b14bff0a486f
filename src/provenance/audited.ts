import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { SignalChange } from './signal-change.ts'

/** One row of the state that the log's entries must fold to; `docs/formats.md` lists them. */
export interface StateRow {
  /** Which row: its table and its key, words with a space between. */
  of: string
  state: Readonly<Record<string, unknown>>
  /** The event that changed it last; absent where the table does not say. */
  event?: Uuid
}

/** Rows of one kind, a page at a time. */
export interface StatePart {
  /** Whether its rows follow the log, entry by entry, instead of being written with what they tell of. */
  follows?: true
  /** Rows after a place, and the place behind them; undefined behind the last. `db` sees one moment of the whole database. */
  page(db: Db, after: string | undefined): Promise<{ rows: StateRow[]; next: string | undefined }>
}

/** A submission that was accepted; `withdrawn` if it ended signals. */
export interface AcceptedEvent {
  participant_id: Uuid
  event_id: Uuid
  withdrawn: boolean
}

/** What auditors are told of other features, by these features. */
export interface Audited {
  /** Which signals accepted submissions changed, and to what, by the event. */
  changes(db: Db, events: readonly AcceptedEvent[]): Promise<ReadonlyMap<Uuid, SignalChange[]>>
  /** Which signals an expiry ended. */
  expired(db: Db, event: { participant: Uuid; event_id: Uuid }): Promise<{ signal: Uuid; revision: number }[]>
  /** Which signals an erasure took. */
  erased(db: Db, event: { participant: Uuid; event_id: Uuid }): Promise<{ signal: Uuid; revision: number }[]>
  state: readonly StatePart[]
}
