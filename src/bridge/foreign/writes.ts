import type { DatabaseSync, SQLInputValue } from 'node:sqlite'

import type { Outcome } from '../../feedback/schema.ts'
import { indicatorId } from '../../interop/threatexchange/numbers.ts'
import type { Uuid } from '../../kernel/ids.ts'

/** How far a feed was taken in, and the last times that were given there. */
export interface Place {
  bytes: number
  seq: string
  added_us: number
  second: number
  /** Records that have this second. */
  same: number
}

/** The newest of one signal in one feed. */
export interface Signed {
  feed: string
  source: string
  signal: string
  /** The UUID of its STIX object. */
  object: string
  seq: number
  revision: number
  event: string
  /** Of the event. */
  kind: string
  reason: string | null
  state: 'live' | 'held' | 'ended'
  /** JSON; of a held one as it stood. */
  item: string | null
  first_type: string | null
  /** For ThreatExchange's clients; null where it has no form. */
  type: string | null
  indicator: string | null
  tags: string | null
  created_ms: number
  modified_ms: number
  added_us: number
}

/** What somebody said of a signal of ours, at its place in our inbox. */
export interface SaidRow {
  feed: string
  seq: number
  /** The UUID of its STIX object. */
  object: string
  event: Uuid
  giver: string
  source: string
  signal: Uuid
  outcome: Outcome
  at_ms: number
  added_us: number
}

export interface Value {
  feed: string
  type: string
  indicator: string
}

/** A signal of one feed. */
type SignedName = Pick<Signed, 'feed' | 'source' | 'signal'>

/** What the shelf takes in, within a transaction. */
export interface Writes {
  place(feed: string): Place
  /** The last second of all feeds that a client may have been told: nothing new comes before it. */
  newest(): number
  move(feed: string, place: Place): void
  forget(feed: string): void
  sign(feed: string, source: string, signal: string): Signed | undefined
  put(row: Signed): void
  /** The record of a value moves to the end: something of it changed. */
  touch(value: Value & Pick<Signed, 'kind' | 'seq'>, second: number): void
  /** A signal has this value no longer. */
  leave(of: SignedName & Value): void
  /** Of a signal that was erased: what is told of the ends of its former values goes as soon as that of its last. */
  erase(of: SignedName): void
  react(of: { source: string; signal: string; giver: string; outcome: string }): void
  say(row: SaidRow): void
}

const START: Place = { bytes: 0, seq: '0', added_us: 0, second: 0, same: 0 }
const COLUMNS = [
  ...(['feed', 'source', 'signal', 'object', 'seq', 'revision', 'event', 'kind', 'reason', 'state', 'item'] as const),
  ...(['first_type', 'type', 'indicator', 'tags', 'created_ms', 'modified_ms', 'added_us'] as const),
] as const

export function shelfWrites(db: DatabaseSync): Writes {
  const placed = db.prepare('select bytes, seq, added_us, second, same from place where feed = ?')
  const moved = db.prepare(
    'insert or replace into place (feed, bytes, seq, added_us, second, same) values (?, ?, ?, ?, ?, ?)',
  )
  const found = db.prepare('select * from sign where feed = ? and source = ? and signal = ?')
  const put = db.prepare(
    `insert or replace into sign (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`,
  )
  const lives = db.prepare(
    "select count(*) as n from sign indexed by sign_value where feed = ? and type = ? and indicator = ? and state in ('live', 'held')",
  )
  const counted = db.prepare(
    "insert into counter (name, value) values ('pos', 1) on conflict (name) do update set value = value + 1 returning value",
  )
  const touched = db.prepare(
    `insert or replace into record (feed, type, indicator, number, pos, last_updated, live, ended_seq, erased)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const left = db.prepare('insert or ignore into former (feed, source, signal, type, indicator) values (?, ?, ?, ?, ?)')
  const erasing = db.prepare(
    `update record set erased = 1 where feed = ? and live = 0 and (type, indicator) in
     (select type, indicator from former where feed = ? and source = ? and signal = ?)`,
  )
  const cleared = db.prepare('delete from former where feed = ? and source = ? and signal = ?')
  const reacted = db.prepare('insert or replace into reaction (source, signal, giver, outcome) values (?, ?, ?, ?)')
  const said = db.prepare(
    `insert or replace into said (feed, seq, object, event, giver, source, signal, outcome, at_ms, added_us)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const valuesOf = db.prepare(
    'select feed, type, indicator, kind, seq from sign where source = ? and signal = ? and type is not null',
  )
  const newest = db.prepare(
    "select max((select coalesce(max(second), 0) from place), (select coalesce(max(value), 0) from counter where name = 'second')) as second",
  )
  const raised = db.prepare(
    "insert into counter (name, value) values ('second', ?) on conflict (name) do update set value = max(value, excluded.value)",
  )
  const newestNow = (): number => (newest.get() as { second: number }).second

  const touch: Writes['touch'] = ({ feed, type, indicator, kind, seq }, at) => {
    const { n } = lives.get(feed, type, indicator) as { n: number }
    const { value } = counted.get() as { value: number }
    const erased = kind === 'signal.erased' && n === 0 ? 1 : 0
    touched.run(
      feed,
      type,
      indicator,
      indicatorId(type, indicator),
      value,
      at,
      n > 0 ? 1 : 0,
      n > 0 ? null : seq,
      erased,
    )
  }
  return {
    touch,
    place: (feed) => (placed.get(feed) as Place | undefined) ?? START,
    newest: newestNow,
    move(feed, { bytes, seq, added_us, second, same }) {
      moved.run(feed, bytes, seq, added_us, second, same)
      // Beside the places, which go where a feed is taken anew.
      raised.run(second)
    },
    forget(feed) {
      for (const table of ['place', 'sign', 'said', 'record', 'former', 'reached'])
        db.prepare(`delete from ${table} where feed = ?`).run(feed)
    },
    sign: (feed, source, signal) => found.get(feed, source, signal) as Signed | undefined,
    put: (row) => void put.run(...COLUMNS.map((name): SQLInputValue => row[name])),
    say({ feed, seq, object, event, giver, source, signal, outcome, at_ms, added_us }) {
      said.run(feed, seq, object, event, giver, source, signal, outcome, at_ms, added_us)
    },
    leave: ({ feed, source, signal, type, indicator }) => void left.run(feed, source, signal, type, indicator),
    erase({ feed, source, signal }) {
      erasing.run(feed, feed, source, signal)
      cleared.run(feed, source, signal)
    },
    react({ source, signal, giver, outcome }) {
      reacted.run(source, signal, giver, outcome)
      for (const value of valuesOf.all(source, signal) as unknown as (Value & Pick<Signed, 'kind' | 'seq'>)[])
        touch(value, newestNow())
    },
  }
}
