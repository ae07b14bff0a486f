import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { SaidRow, Signed, Value } from './writes.ts'

/** A value with what the clients of ThreatExchange and StopNCII are told of its record. */
export interface ValueRecord extends Value {
  pos: number
  last_updated: number
  live: 0 | 1
  erased: 0 | 1
  ended_seq: number | null
}

export interface RecordsAsked {
  /** After a place, or from a second on. */
  from: { pos: number } | { second: number }
  /** Up to a second, exclusive. */
  before?: number | undefined
  types?: readonly string[] | undefined
  /** Ended ones are told from behind this place on: whoever begins needs none but those that ended meanwhile. */
  endedAfter: number
  limit: number
}

export interface Reads {
  /** Of one feed, in the order in which they changed last. */
  records(feed: string, asked: RecordsAsked): ValueRecord[]
  /** The last place of a feed. */
  lastPos(feed: string): number
  /** The last place before a second. */
  posBefore(feed: string, second: number): number
  /** The last second of a feed; 0 for an empty one. */
  newest(feed: string): number
  /** Below this second tombstones were taken away. */
  purgedUpto(feed: string): number
  signsOf(value: Value): Signed[]
  /** Live or held, of every feed and source that has one. */
  signsBySignal(signal: string): Signed[]
  signsByValue(type: string, indicator: string): Signed[]
  /** The value of an indicator's number. */
  valueOf(indicator: string): Value | undefined
  /** In the order of a feed; of some objects, if they are named by their UUIDs. */
  objects(
    feed: string,
    asked: { after: number } | { addedUs: number },
    limit: number,
    objects?: readonly string[],
  ): Signed[]
  /** What was said in an inbox, in its order; of some objects, if they are named by their UUIDs. */
  said(
    feed: string,
    asked: { after: number } | { addedUs: number },
    limit: number,
    objects?: readonly string[],
  ): SaidRow[]
  reactions(source: string, signal: string): { giver: string; outcome: string }[]
  /** The place that all of these clients have come to, of those that came at all; undefined where none did. */
  reached(feed: string, clients: readonly string[]): number | undefined
  reach(client: string, feed: string, pos: number, at: number): void
  /** The last end of a feed up to a place. */
  lastEnd(feed: string, pos: number): number | undefined
  /** The last end of a feed of which its source was told that clients have it. */
  told(feed: string, stage: string): number
  tell(feed: string, stage: string, seq: number): void
  /** Takes tombstones away that are too old, and erased ones that every client passed. */
  purge(feed: string, of: { before: number; erasedBefore: number; reached: number }): number
}

/** The values of what has ended go with their records. */
const FORGET = `update sign set type = null, indicator = null, tags = null
  where feed = ? and state = 'ended' and type is not null and not exists (
    select 1 from record r where r.feed = sign.feed and r.type = sign.type and r.indicator = sign.indicator)`
const FORGET_FORMER = `delete from former where feed = ? and not exists (
    select 1 from record r where r.feed = former.feed and r.type = former.type and r.indicator = former.indicator)`

export function shelfReads(db: DatabaseSync): Reads {
  const statements = new Map<string, StatementSync>()
  const statement = (sql: string): StatementSync => {
    const known = statements.get(sql) ?? db.prepare(sql)
    statements.set(sql, known)
    return known
  }
  const all = <T>(sql: string, ...values: SQLInputValue[]): T[] => statement(sql).all(...values) as unknown as T[]
  const one = <T>(sql: string, ...values: SQLInputValue[]): T | undefined =>
    statement(sql).get(...values) as unknown as T | undefined
  const counter = (name: string): number =>
    one<{ value: number }>('select value from counter where name = ?', name)?.value ?? 0
  const raise = (name: string, value: number): void =>
    void statement(
      'insert into counter (name, value) values (?, ?) on conflict (name) do update set value = max(value, excluded.value)',
    ).run(name, value)
  return {
    records(feed, { from, before, types, endedAfter, limit }) {
      const start = 'pos' in from ? 'pos > ?' : 'last_updated >= ?'
      const kinds = types === undefined ? '' : ` and type in (${types.map(() => '?').join(', ')})`
      return all<ValueRecord>(
        `select * from record where feed = ? and ${start} and last_updated < ? and (live = 1 or pos > ?)${kinds}
         order by pos limit ?`,
        ...[feed, 'pos' in from ? from.pos : from.second, before ?? Number.MAX_SAFE_INTEGER],
        ...[endedAfter, ...(types ?? []), limit],
      )
    },
    lastPos: (feed) => one<{ pos: number | null }>('select max(pos) as pos from record where feed = ?', feed)?.pos ?? 0,
    posBefore: (feed, second) =>
      one<{ pos: number | null }>(
        'select max(pos) as pos from record where feed = ? and last_updated < ?',
        feed,
        second,
      )?.pos ?? 0,
    newest: (feed) => one<{ second: number }>('select second from place where feed = ?', feed)?.second ?? 0,
    purgedUpto: (feed) => counter(`purged ${feed}`),
    told: (feed, stage) => counter(`${stage} ${feed}`),
    tell: (feed, stage, seq) => raise(`${stage} ${feed}`, seq),
    signsOf: ({ feed, type, indicator }) =>
      all<Signed>(
        "select * from sign indexed by sign_value where feed = ? and type = ? and indicator = ? and state in ('live', 'held') order by seq",
        ...[feed, type, indicator],
      ),
    signsBySignal: (signal) =>
      all<Signed>("select * from sign where signal = ? and state in ('live', 'held') order by feed, source", signal),
    signsByValue: (type, indicator) =>
      all<Signed>(
        "select * from sign indexed by sign_value where type = ? and indicator = ? and state in ('live', 'held') order by feed, source",
        ...[type, indicator],
      ),
    valueOf: (id) => one<Value>('select feed, type, indicator from record where number = ? and live = 1 limit 1', id),
    objects: (feed, asked, limit, objects) => all<Signed>(...objectsAsked('sign', feed, { asked, limit, objects })),
    said: (feed, asked, limit, objects) => all<SaidRow>(...objectsAsked('said', feed, { asked, limit, objects })),
    reactions: (source, signal) =>
      all('select giver, outcome from reaction where source = ? and signal = ? order by giver', source, signal),
    reached(feed, clients) {
      const places = all<{ client: string; pos: number }>('select client, pos from reached where feed = ?', feed)
      const own = places.filter(({ client }) => clients.includes(client))
      return own.length === 0 ? undefined : Math.min(...own.map(({ pos }) => pos))
    },
    reach(client, feed, pos, at) {
      statement(
        `insert into reached (client, feed, pos, at) values (?, ?, ?, ?)
         on conflict (client, feed) do update set pos = max(pos, excluded.pos), at = excluded.at`,
      ).run(client, feed, pos, at)
    },
    lastEnd: (feed, pos) =>
      one<{ seq: number | null }>(
        'select max(ended_seq) as seq from record where feed = ? and live = 0 and pos <= ?',
        feed,
        pos,
      )?.seq ?? undefined,
    purge(feed, { before, erasedBefore, reached }) {
      const gone = all<{ last_updated: number }>(
        `delete from record where feed = ? and live = 0
         and (last_updated < ? or (erased = 1 and (last_updated < ? or pos <= ?))) returning last_updated`,
        ...[feed, before, erasedBefore, reached],
      )
      if (gone.length > 0) for (const sql of [FORGET, FORGET_FORMER]) statement(sql).run(feed)
      const upto = Math.max(0, ...gone.map(({ last_updated }) => last_updated))
      if (upto > 0) raise(`purged ${feed}`, upto)
      // Whoever fetched all of it goes on behind that: nothing new may come before.
      raise('second', counter(`purged ${feed}`) + 1)
      return gone.length
    },
  }
}

/** The order alone would have the whole feed looked through for the few that are named. */
function objectsAsked(
  table: 'sign' | 'said',
  feed: string,
  { asked, limit, objects = [] }: ObjectsAsked,
): [sql: string, ...SQLInputValue[]] {
  const [by, named] =
    objects.length === 0
      ? [table, '']
      : [`${table} indexed by ${table}_object`, ` and object in (${objects.map(() => '?').join(', ')})`]
  const [start, from] = 'after' in asked ? ['seq > ?', asked.after] : ['added_us > ?', asked.addedUs]
  return [`select * from ${by} where feed = ? and ${start}${named} order by seq limit ?`, feed, from, ...objects, limit]
}

interface ObjectsAsked {
  asked: Parameters<Reads['objects']>[1]
  limit: number
  objects: readonly string[] | undefined
}
