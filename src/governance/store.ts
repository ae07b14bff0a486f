import { sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ShareCounts, ShareKey, ShareRow, SharesTold } from './shares.ts'
import { noWaits } from './waits.ts'

// Who shared what with whom, by day; and what of signals and feedback it is counted from.

const COUNTS = ['shared', 'confirmed', 'not_violating', 'answered', 'disputed'] as const

/** Adds to what was counted before; each row once. */
export async function addShares(tx: Tx, log_id: number, rows: readonly ShareRow[]): Promise<void> {
  if (rows.length === 0) return
  const texts = <K extends 'source' | 'recipient' | 'category'>(key: K): string[] => rows.map((row) => row[key])
  const [shared = '{}', confirmed = '{}', not_violating = '{}', answered = '{}', disputed = '{}'] = COUNTS.map((key) =>
    plainArray(rows.map((row) => row[key])),
  )
  await sql`
    insert into share_day as d
      (log_id, day, source, recipient, category, audience, shared, confirmed, not_violating, answered, disputed, waits)
    select ${log_id}::int, u.day, u.source, u.recipient, u.category, u.audience, u.shared, u.confirmed, u.not_violating,
      u.answered, u.disputed, u.waits::int[]
    from unnest(
      ${plainArray(rows.map(({ day }) => day))}::date[], ${texts('source')}::text[], ${texts('recipient')}::text[],
      ${texts('category')}::text[], ${plainArray(rows.map(({ audience }) => audience))}::uuid[], ${shared}::int[],
      ${confirmed}::int[], ${not_violating}::int[], ${answered}::int[], ${disputed}::int[],
      ${rows.map(({ waits }) => plainArray(waits))}::text[]
    ) as u(day, source, recipient, category, audience, shared, confirmed, not_violating, answered, disputed, waits)
    on conflict (log_id, day, source, recipient, category, audience) do update set
      shared = d.shared + excluded.shared, confirmed = d.confirmed + excluded.confirmed,
      not_violating = d.not_violating + excluded.not_violating, answered = d.answered + excluded.answered,
      disputed = d.disputed + excluded.disputed,
      waits = array(select a + b from unnest(d.waits, excluded.waits) with ordinality as w(a, b, i) order by i)`.execute(
    tx,
  )
}

export interface SharesAsked {
  /** Days as `2026-11-01`, the last without it. */
  from: string
  to: string
  category?: string | undefined
  audience?: Uuid | undefined
  /** Of one organisation alone, as source or recipient. */
  party?: string | undefined
}

/** Days as `2026-11-01`. */
export interface ToldAsked extends Pick<SharesAsked, 'from' | 'to'> {
  /** The first day of what is recent. */
  recent: string
  /** The last day whose signals should have their answers. */
  due: string
}

/** Added up by the database: of a large programme a month has millions of rows. */
export async function sharesTold(tx: Tx, log_id: number, { from, to, recent, due }: ToldAsked): Promise<SharesTold> {
  const days = tx.selectFrom('share_day').where('log_id', '=', log_id).where('day', '>=', from).where('day', '<', to)
  const sum = (count: (typeof COUNTS)[number]) => sql<number>`sum(${sql.ref(count)})::float8`.as(count)
  const isRecent = sql<boolean>`day >= ${recent}::date`
  // An answer counts on the day on which it came: one to an older signal may make them more than were shared.
  const unanswered = sql<number>`sum(greatest(shared - answered, 0))::float8`.as('unanswered')
  const [mixes, answers, owed] = await Promise.all([
    days
      .select(['source', 'category', isRecent.as('recent'), sum('shared')])
      .groupBy(['source', 'category', 'recent'])
      .execute(),
    days
      .select(['source', sum('not_violating'), sum('answered')])
      .groupBy('source')
      .execute(),
    days
      .where('day', '<=', due)
      .select(['recipient', sum('shared'), unanswered])
      .groupBy('recipient')
      .execute(),
  ])
  return { mixes, answers, due: owed }
}

const WAITS = sql.join(noWaits().map((_, i) => sql`sum(waits[${sql.lit(i + 1)}])::float8`))

/** The same added up over days, categories and audiences, a row for each source and recipient. */
export async function cellsBetween(
  db: Db | Tx,
  log_id: number,
  { from, to, category, audience, party }: SharesAsked,
): Promise<(ShareCounts & Pick<ShareKey, 'source' | 'recipient'>)[]> {
  let query = db
    .selectFrom('share_day')
    .select(['source', 'recipient', sql<number[]>`array[${WAITS}]`.as('waits')])
    .select(COUNTS.map((count) => sql<number>`sum(${sql.ref(count)})::float8`.as(count)))
    .where('log_id', '=', log_id)
    .where('day', '>=', from)
    .where('day', '<', to)
    .groupBy(['source', 'recipient'])
  if (category !== undefined) query = query.where('category', '=', category)
  if (audience !== undefined) query = query.where('audience', '=', audience)
  if (party !== undefined) query = query.where((eb) => eb.or([eb('source', '=', party), eb('recipient', '=', party)]))
  return query.execute()
}

/** PostgreSQL reads nothing of JSON in which a NUL is escaped, as in a note; of one length, so that what stands before stays as it is. */
const ITEM = sql`replace(r.item, '\\u0000', '\\ufffd')::json`

/** Of what the source first said of a signal, in which category, and whom it may reach. */
const SAID = [
  sql<string>`${ITEM} ->> 'category'`.as('category'),
  sql<Uuid>`${ITEM} ->> 'audience'`.as('audience'),
] as const

const among = (column: string, ids: readonly Uuid[]) =>
  sql<boolean>`${sql.ref(column)} = any(${plainArray(ids)}::uuid[])`

/**
 * By category and audience what submissions said, with the signals that they shared for the first time; of a withdrawal, which
 * names no audience, that of what it ends.
 */
export const saidBy = (db: Db, participant_id: Uuid, submissions: readonly Uuid[]) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('signal_revision as r')
        .select(['r.submission_id', 'r.signal_id', 'r.revision', 'r.item_index'])
        .select(sql<{ category: string }>`${ITEM}`.as('item'))
        .where('r.participant_id', '=', participant_id)
        .where(among('r.submission_id', submissions))
        .offset(0)
        .as('r'),
    )
    .select([
      'r.submission_id',
      sql<string>`r.item ->> 'category'`.as('category'),
      sql<Uuid>`coalesce((r.item ->> 'audience')::uuid, (select s.audience_id from signal s
        where s.participant_id = ${participant_id}::uuid and s.signal_id = r.signal_id))`.as('audience'),
      sql<string | null>`string_agg(r.signal_id::text, ' ' order by r.item_index) filter (where r.revision = 1)`.as(
        'signals',
      ),
    ])
    .groupBy(['r.submission_id', 'category', 'audience'])
    .orderBy('category')
    .orderBy('audience')
    .execute()

/** A signal as its source's rows say now, with what the source said last and before that. */
export const signalNow = (db: Db, participant_id: Uuid, signal_id: Uuid) =>
  db
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join.onRef('r.participant_id', '=', 's.participant_id').onRef('r.signal_id', '=', 's.signal_id'),
    )
    .select(['s.audience_id', 's.state', 's.expires_at', 'r.item'])
    .where('s.participant_id', '=', participant_id)
    .where('s.signal_id', '=', signal_id)
    .orderBy('r.revision', 'desc')
    .limit(2)
    .execute()

/** Signals of these sources as they were first sent. */
export const firstSent = (db: Db, sources: readonly Uuid[], signals: readonly Uuid[]) =>
  db
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join.onRef('r.participant_id', '=', 's.participant_id').onRef('r.signal_id', '=', 's.signal_id'),
    )
    .innerJoin('submission as b', (join) =>
      join.onRef('b.participant_id', '=', 'r.participant_id').onRef('b.submission_id', '=', 'r.submission_id'),
    )
    .select(['s.participant_id', 's.signal_id', ...SAID, 'b.received_at'])
    .where(among('s.participant_id', sources))
    .where(among('s.signal_id', signals))
    .where('r.revision', '=', 1)
    // Two sources may choose one id: it is told of whoever sent it first.
    .orderBy('b.received_at')
    .execute()

/** What somebody said of signals with events, and what it had said of each before. */
export async function feedbackOf(db: Db, participant_id: Uuid, events: readonly Uuid[]) {
  const rows = await db
    .selectFrom('feedback as f')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('feedback as b')
          .select(['b.outcome', 'b.at'])
          .where('b.participant_id', '=', participant_id)
          .whereRef('b.origin', '=', 'f.origin')
          .whereRef('b.signal_id', '=', 'f.signal_id')
          .whereRef('b.feedback_id', '<', 'f.feedback_id')
          .where('b.outcome', '<=', LAST_VERDICT)
          .orderBy('b.feedback_id', 'desc')
          .limit(1)
          .as('before'),
      (join) => join.onTrue(),
    )
    .select([
      'f.origin',
      'f.signal_id',
      'f.outcome',
      'f.at',
      'before.outcome as outcome_before',
      'before.at as at_before',
    ])
    .where('f.participant_id', '=', participant_id)
    .where(among('f.feedback_id', events))
    .execute()
  return rows.map(({ outcome_before: outcome, at_before: at, ...said }) => ({
    ...said,
    before: outcome === null || at === null ? undefined : { outcome, at },
  }))
}

/** Of the outcomes that a review ends with; later ones are a machine's. */
export const LAST_VERDICT = 7

export const disputesOf = (db: Db, participant_id: Uuid, events: readonly Uuid[]) =>
  db
    .selectFrom('dispute')
    .select(['origin', 'signal_id', 'opened_at'])
    .where('participant_id', '=', participant_id)
    .where(among('last_event', events))
    .execute()

/** Events that changed a signal, whichever of these sources it is of. */
export async function eventsOf(db: Db, sources: readonly Uuid[], signal_id: Uuid): Promise<Uuid[]> {
  const [revisions, signals] = await Promise.all([
    db
      .selectFrom('signal_revision')
      .select('submission_id')
      .where(among('participant_id', sources))
      .where('signal_id', '=', signal_id)
      .execute(),
    db
      .selectFrom('signal')
      .select(['last_event', 'ended_by'])
      .where(among('participant_id', sources))
      .where('signal_id', '=', signal_id)
      .execute(),
  ])
  const ends = signals.flatMap(({ last_event, ended_by }) => [last_event, ...(ended_by === null ? [] : [ended_by])])
  return [...revisions.map(({ submission_id }) => submission_id), ...ends]
}

/** Entries that are counted in. */
export async function countedUpto(db: Db | Tx, log_id: number): Promise<bigint> {
  const row = await db
    .selectFrom('log_entry')
    .select('idx')
    .where('log_id', '=', log_id)
    .orderBy('idx', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? 0n : row.idx + 1n
}

export const allShares = (db: Db | Tx, log_id: number): Promise<ShareRow[]> =>
  db
    .selectFrom('share_day')
    .select(['day', 'source', 'recipient', 'category', 'audience', 'waits', ...COUNTS])
    .where('log_id', '=', log_id)
    .execute()

/** Whom entries reached when they were carried. */
export async function recipientsBetween(
  db: Db,
  log_id: number,
  { from, to }: { from: bigint; to: bigint },
): Promise<Map<bigint, readonly string[]>> {
  const rows = await db
    .selectFrom('log_entry')
    .select(['idx', 'recipients'])
    .where('log_id', '=', log_id)
    .where('idx', '>=', from)
    .where('idx', '<', to)
    .execute()
  return new Map(rows.map(({ idx, recipients }) => [idx, recipients]))
}

/** Who is or ever was in an audience. */
export async function everMembers(db: Db): Promise<Map<Uuid, Set<Uuid>>> {
  const rows = await db.selectFrom('audience_member').select(['audience_id', 'participant_id']).execute()
  const members = new Map<Uuid, Set<Uuid>>()
  for (const { audience_id, participant_id } of rows)
    members.set(audience_id, (members.get(audience_id) ?? new Set()).add(participant_id))
  return members
}
