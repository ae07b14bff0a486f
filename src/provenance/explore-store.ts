import { type RawBuilder, type SqlBool, sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

// What the explorer finds entries by.

export interface EntryRow {
  idx: bigint
  event_id: Uuid
  participant_id: Uuid
  kind: string
  actor: string
  at: Date
  recipients: string[]
}

export interface IndexedEntry extends EntryRow {
  logged_at: Date
  terms: readonly string[]
}

/** The newest entry that can be found; undefined before the first. */
export const lastEntry = (db: Db | Tx, log_id: number) =>
  db
    .selectFrom('log_entry')
    .select(['idx', 'logged_at'])
    .where('log_id', '=', log_id)
    .orderBy('idx', 'desc')
    .limit(1)
    .executeTakeFirst()

export async function insertEntries(tx: Tx, log_id: number, entries: readonly IndexedEntry[]): Promise<void> {
  const plain = <K extends 'idx' | 'event_id' | 'participant_id' | 'kind'>(key: K): string =>
    plainArray(entries.map((one) => one[key]))
  const instants = (key: 'at' | 'logged_at'): string => plainArray(entries.map((one) => one[key].toISOString()))
  await sql`
    insert into log_entry (log_id, idx, event_id, participant_id, kind, actor, at, logged_at, recipients)
    select ${log_id}::int, u.idx, u.event_id, u.participant_id, u.kind, u.actor, u.at, u.logged_at,
      string_to_array(u.told, ' ')
    from unnest(
      ${plain('idx')}::bigint[], ${plain('event_id')}::uuid[], ${plain('participant_id')}::uuid[],
      ${plain('kind')}::text[], ${entries.map(({ actor }) => actor)}::text[], ${instants('at')}::timestamptz[],
      ${instants('logged_at')}::timestamptz[], ${entries.map(({ recipients }) => recipients.join(' '))}::text[]
    ) as u(idx, event_id, participant_id, kind, actor, at, logged_at, told)`.execute(tx)
  await insertMentions(tx, log_id, entries)
}

/** In the order of their index, which has a place of growth for each term; a term is sent once for all of its entries. */
async function insertMentions(tx: Tx, log_id: number, entries: readonly IndexedEntry[]): Promise<void> {
  const mentions = new Map<string, bigint[]>()
  for (const { idx, terms } of entries) {
    for (const term of terms) {
      const known = mentions.get(term)
      if (known === undefined) mentions.set(term, [idx])
      else known.push(idx)
    }
  }
  const terms = [...mentions.keys()].sort()
  await sql`
    insert into log_mention (log_id, term, idx)
    select ${log_id}::int, t.term, i.idx
    from unnest(
      ${plainArray(terms)}::text[], ${terms.map((term) => (mentions.get(term) ?? []).join(' '))}::text[]
    ) with ordinality as t(term, list, place), unnest(string_to_array(t.list, ' ')::bigint[]) as i(idx)
    order by t.place, i.idx`.execute(tx)
}

export interface Wanted {
  /** Entries below it, the newest first. */
  below: bigint
  /** None before it. */
  from: bigint
  kinds: readonly string[] | undefined
  notKinds: readonly string[]
  actor: string | undefined
  notActors: readonly string[]
  /** Terms that each entry has, and those that none has. */
  terms: readonly string[]
  notTerms: readonly string[]
  /**
   * Who sees its own entries alone. That others are named in one is told where that one or the other made it: an entry that gives
   * something out of several sources tells none of them of the others.
   */
  seer: string | undefined
  /** Entries of the signals that are asked for; undefined where none is. */
  among: readonly bigint[] | undefined
  /** Entries that are looked at before a page ends. */
  looked: number
  limit: number
}

/** The entries that are looked at: by the one term that leaves the fewest, along its index, and no more than `looked`. */
function candidates(db: Db | Tx, log_id: number, wanted: Wanted) {
  const { below, from, kinds, actor, terms, among, looked } = wanted
  const [term] = terms
  const all = db
    .selectFrom('log_entry as e')
    .select(['e.idx', 'e.event_id', 'e.participant_id', 'e.kind', 'e.actor', 'e.at', 'e.recipients'])
    .where('e.log_id', '=', log_id)
  if (among !== undefined)
    return all
      .where(sql<SqlBool>`e.idx = any(${plainArray(among)}::bigint[])`)
      .where('e.idx', '<', below)
      .where('e.idx', '>=', from)
      .orderBy('e.idx', 'desc')
      .limit(looked)
  if (term !== undefined) {
    const mentions = db
      .selectFrom('log_mention')
      .select('idx')
      .where('log_id', '=', log_id)
      .where('term', '=', term)
      .where('idx', '<', below)
      .where('idx', '>=', from)
      .orderBy('idx', 'desc')
      .limit(looked)
    // Entry by entry: joined otherwise, a term that few entries have would have all of them read.
    return (
      db
        .selectFrom(mentions.as('m'))
        .innerJoinLateral(
          (eb) =>
            eb
              .selectFrom('log_entry as e')
              .selectAll()
              .where('e.log_id', '=', log_id)
              .whereRef('e.idx', '=', 'm.idx')
              .offset(0)
              .as('e'),
          (join) => join.onTrue(),
        )
        // By the index of the mention, whose order the page then has without sorting all of them.
        .select(['m.idx', 'e.event_id', 'e.participant_id', 'e.kind', 'e.actor', 'e.at', 'e.recipients'])
        .orderBy('m.idx', 'desc')
    )
  }
  const along = all.where('e.idx', '<', below).where('e.idx', '>=', from).orderBy('e.idx', 'desc').limit(looked)
  if (actor !== undefined) return along.where('e.actor', '=', actor)
  const [kind, ...more] = kinds ?? []
  return kind !== undefined && more.length === 0 ? along.where('e.kind', '=', kind) : along
}

/** Whether every term fits a candidate. */
function fits(log_id: number, wanted: Wanted): RawBuilder<SqlBool> {
  const { kinds, notKinds, actor, notActors, terms, notTerms, seer } = wanted
  // A value for each candidate, and no join: see above.
  const mentioned = (term: string): RawBuilder<SqlBool> =>
    sql`(select x.idx from log_mention x
      where x.log_id = ${log_id}::int and x.term = ${term} and x.idx = k.idx) is not null`
  const has = (term: string): RawBuilder<SqlBool> => {
    const [field, named = ''] = term.split(':')
    if (seer === undefined || named === seer || field === 'signal') return mentioned(term)
    return sql`(k.actor = any(${[seer, named]}::text[]) and ${mentioned(term)})`
  }
  // The candidates were found by it.
  const [, ...others] = wanted.among === undefined ? terms : ['', ...terms]
  const conditions: RawBuilder<SqlBool>[] = [
    ...(kinds === undefined ? [] : [sql<SqlBool>`k.kind = any(${plainArray(kinds)}::text[])`]),
    ...(notKinds.length === 0 ? [] : [sql<SqlBool>`k.kind <> all(${plainArray(notKinds)}::text[])`]),
    ...(actor === undefined ? [] : [sql<SqlBool>`k.actor = ${actor}`]),
    ...(notActors.length === 0 ? [] : [sql<SqlBool>`k.actor <> all(${notActors}::text[])`]),
    ...others.map(has),
    ...notTerms.map((term) => sql<SqlBool>`not ${has(term)}`),
  ]
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `)
}

export interface Looked {
  /** Those that fit, the newest first, as many as are wanted. */
  entries: EntryRow[]
  /** Entries that were looked at, and the last of them. */
  n: number
  last: bigint | undefined
  /** By kind and actor, those of them that fit. */
  facets: { kind: string; actor: string; n: number }[]
}

type Facet = [kind: string, actor: string, looked: number, n: number, last: string]
type Found = Omit<EntryRow, 'idx' | 'at'> & { idx: string; at: string; place: number }

/** Candidates are looked at once, for all that is told of them. */
export async function lookedAt(db: Db | Tx, log_id: number, wanted: Wanted): Promise<Looked> {
  const { rows } = await sql<{ facets: Facet[]; entries: Found[] }>`
    with c as materialized (
      select k.*, ${fits(log_id, wanted)} as fits from (${candidates(db, log_id, wanted)}) as k
    )
    select
      (select coalesce(json_agg(json_build_array(g.kind, g.actor, g.looked, g.n, g.last::text)), '[]') from (
        select c.kind, c.actor, count(*) as looked, count(*) filter (where c.fits) as n, min(c.idx) as last
        from c group by c.kind, c.actor) as g) as facets,
      (select coalesce(json_agg(e order by e.place desc), '[]') from (
        select c.idx as place, c.idx::text as idx, c.event_id, c.participant_id, c.kind, c.actor, c.at, c.recipients
        from c where c.fits order by c.idx desc limit ${wanted.limit}) as e) as entries`.execute(db)
  const { facets = [], entries = [] } = rows[0] ?? {}
  const lasts = facets.map(([, , , , last]) => BigInt(last))
  return {
    entries: entries.map(({ idx, at, place: _, ...entry }) => ({ ...entry, idx: BigInt(idx), at: new Date(at) })),
    n: facets.reduce((sum, [, , looked]) => sum + looked, 0),
    last: lasts.reduce<bigint | undefined>(
      (least, one) => (least === undefined || one < least ? one : least),
      undefined,
    ),
    facets: facets.flatMap(([kind, actor, , n]) => (n === 0 ? [] : [{ kind, actor, n }])),
  }
}

/** The first index at which the log's own time had come; undefined if it has not. */
export const firstAt = async (db: Db | Tx, log_id: number, at: Date): Promise<bigint | undefined> =>
  (
    await db
      .selectFrom('log_entry')
      .select('idx')
      .where('log_id', '=', log_id)
      .where('logged_at', '>=', at)
      .orderBy('logged_at')
      .orderBy('idx')
      .limit(1)
      .executeTakeFirst()
  )?.idx

export const entryAt = (db: Db | Tx, log_id: number, idx: bigint): Promise<EntryRow | undefined> =>
  db
    .selectFrom('log_entry')
    .select(['idx', 'event_id', 'participant_id', 'kind', 'actor', 'at', 'recipients'])
    .where('log_id', '=', log_id)
    .where('idx', '=', idx)
    .executeTakeFirst()

/** Entries of a term, the newest first. */
export const indicesOf = async (db: Db | Tx, log_id: number, term: string, limit: number): Promise<bigint[]> =>
  (
    await db
      .selectFrom('log_mention')
      .select('idx')
      .where('log_id', '=', log_id)
      .where('term', '=', term)
      .orderBy('idx', 'desc')
      .limit(limit)
      .execute()
  ).map(({ idx }) => idx)

/** Where events stand in this log, as far as they do: not beyond its end, if it was closed. */
export async function placesOf(db: Db | Tx, log_id: number, events: readonly Uuid[]): Promise<bigint[]> {
  if (events.length === 0) return []
  const rows = await db
    .selectFrom('log_event as e')
    .innerJoin('log_head as h', 'h.log_id', 'e.log_id')
    .select('e.idx')
    .where('e.log_id', '=', log_id)
    .where(sql<SqlBool>`e.event_id = any(${plainArray(events)}::uuid[])`)
    .where(sql<SqlBool>`(h.closed_size is null or e.idx < h.closed_size)`)
    .execute()
  return rows.map(({ idx }) => idx)
}

export const isMentioned = async (
  db: Db | Tx,
  log_id: number,
  { term, idx }: { term: string; idx: bigint },
): Promise<boolean> =>
  (await db
    .selectFrom('log_mention')
    .select('idx')
    .where('log_id', '=', log_id)
    .where('term', '=', term)
    .where('idx', '=', idx)
    .executeTakeFirst()) !== undefined
