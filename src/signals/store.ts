import { sql } from 'kysely'
import { bytesArray, jsonTexts, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { askKept, executeKept } from '../db/kept.ts'
import { askTogether, type Events, type Some } from '../db/participants-at-once.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Current } from './lifecycle.ts'
import { SIGNAL_STATE } from './schema.ts'

export interface SubmissionRow {
  submission_id: Uuid
  jti: string
  typ: number
  od: Buffer
  jws: string
  n: number
  leaves: Buffer
  response: string
  received_at: Date
}

export interface SignalRow extends Current {
  signal_id: Uuid
  category: number
  audience_id: Uuid
  last_event: Uuid
}

/** As it stands before a change, with the event of the value that is sealed beside it. */
export interface LockedSignal extends SignalRow {
  value_event: Uuid | null
}

/** What a change of the signal comes after. */
export const eventsOf = ({ last_event, value_event }: Pick<LockedSignal, 'last_event' | 'value_event'>): Uuid[] =>
  value_event === null ? [last_event] : [last_event, value_event]

/** Of these signals those beside which a value is sealed. */
export const valued = (rows: readonly Pick<LockedSignal, 'signal_id' | 'value_event'>[]): Uuid[] =>
  rows.flatMap(({ signal_id, value_event }) => (value_event === null ? [] : [signal_id]))

export interface RevisionRow {
  signal_id: Uuid
  revision: number
  submission_id: Uuid
  item_index: number
  salt: Buffer
  item: string
}

export interface UploadRow {
  upload_id: Uuid
  next_line: bigint
  updated_at: Date
}

const COLUMNS = [
  'signal_id',
  'signal_key',
  'type',
  'profile',
  'category',
  'audience_id',
  'revision',
  'state',
  'expires_at',
  'leaf',
  'last_event',
] as const

/** The participant's signals among `ids`, locked until the transaction ends. */
export const signalsForUpdate = (tx: Tx, participant_id: Uuid, ids: readonly Uuid[]): Promise<LockedSignal[]> =>
  askKept(
    tx,
    tx
      .selectFrom('signal')
      .select([...COLUMNS, 'value_event'])
      .where('participant_id', '=', participant_id)
      .where(sql<boolean>`signal_id = any(${ids}::uuid[])`)
      .forUpdate(),
  )

/** Submissions of the participant with these identifiers, for replays. */
export const submissionsByJti = (tx: Tx, participant_id: Uuid, jtis: readonly string[]) =>
  askKept(
    tx,
    tx
      .selectFrom('submission')
      .select(['submission_id', 'jti', 'od', 'response'])
      .where('participant_id', '=', participant_id)
      .where(sql<boolean>`jti = any(${jtis}::text[])`),
  )

/** A replayed answer commits a write too: it then waits for the standby as its first telling did. */
export async function countReplay(tx: Tx, participant_id: Uuid, submission_id: Uuid): Promise<void> {
  await tx
    .updateTable('submission')
    .set((eb) => ({ replays: eb('replays', '+', 1) }))
    .where('participant_id', '=', participant_id)
    .where('submission_id', '=', submission_id)
    .execute()
}

export interface Change {
  submissions: readonly SubmissionRow[]
  signals: readonly SignalRow[]
  revisions: readonly RevisionRow[]
}

/** Everything a group of submissions changes, but for its records, in one statement. */
export async function insertSubmissions(tx: Tx, participant_id: Uuid, change: Change): Promise<void> {
  const { submissions: s, signals: g, revisions: r } = change
  const statement = sql`
    with new_submission as (
      insert into submission (participant_id, submission_id, jti, typ, od, jws, n, leaves, response, received_at)
      select ${participant_id}::uuid, * from unnest(
        ${plainArray(s.map((x) => x.submission_id))}::uuid[], ${s.map((x) => x.jti)}::text[],
        ${plainArray(s.map((x) => x.typ))}::int2[], ${bytesArray(s.map((x) => x.od))}::bytea[],
        string_to_array(${jsonTexts(s.map((x) => x.jws))}, E'\\x1f'), ${plainArray(s.map((x) => x.n))}::int4[],
        ${bytesArray(s.map((x) => x.leaves))}::bytea[],
        string_to_array(${jsonTexts(s.map((x) => x.response))}, E'\\x1f'),
        ${plainArray(s.map((x) => x.received_at.toISOString()))}::timestamptz[])
    ), new_signal as (
      insert into signal (participant_id, signal_id, signal_key, type, profile, category, audience_id, revision, state,
        expires_at, leaf, last_event)
      select ${participant_id}::uuid, * from unnest(
        ${plainArray(g.map((x) => x.signal_id))}::uuid[], ${bytesArray(g.map((x) => x.signal_key))}::bytea[],
        ${plainArray(g.map((x) => x.type))}::int2[], ${g.map((x) => x.profile)}::text[],
        ${plainArray(g.map((x) => x.category))}::int2[], ${plainArray(g.map((x) => x.audience_id))}::uuid[],
        ${plainArray(g.map((x) => x.revision))}::int4[], ${plainArray(g.map((x) => x.state))}::int2[],
        ${plainArray(g.map((x) => x.expires_at.toISOString()))}::timestamptz[],
        ${bytesArray(g.map((x) => x.leaf))}::bytea[], ${plainArray(g.map((x) => x.last_event))}::uuid[])
      on conflict (participant_id, signal_id) do update set
        category = excluded.category, audience_id = excluded.audience_id, revision = excluded.revision,
        state = excluded.state, expires_at = excluded.expires_at, leaf = excluded.leaf, last_event = excluded.last_event
    )
    insert into signal_revision (participant_id, signal_id, revision, submission_id, item_index, salt, item)
    select ${participant_id}::uuid, * from unnest(
      ${plainArray(r.map((x) => x.signal_id))}::uuid[], ${plainArray(r.map((x) => x.revision))}::int4[],
      ${plainArray(r.map((x) => x.submission_id))}::uuid[], ${plainArray(r.map((x) => x.item_index))}::int2[],
      ${bytesArray(r.map((x) => x.salt))}::bytea[],
      string_to_array(${jsonTexts(r.map((x) => x.item))}, E'\\x1f'))`
  await executeKept(tx, statement)
}

/** How far uploads are durable, or settled as refused; never backwards. */
export async function moveUploads(tx: Tx, participant_id: Uuid, rows: readonly UploadRow[]): Promise<void> {
  await sql`
    insert into upload (participant_id, upload_id, next_line, updated_at)
    select ${participant_id}::uuid, * from unnest(${rows.map((x) => x.upload_id)}::uuid[],
      ${rows.map((x) => x.next_line)}::int8[], ${rows.map((x) => x.updated_at.toISOString())}::timestamptz[])
    on conflict (participant_id, upload_id) do update set
      next_line = greatest(upload.next_line, excluded.next_line), updated_at = excluded.updated_at`.execute(tx)
}

export const uploadOf = (tx: Tx, participant_id: Uuid, upload_id: Uuid) =>
  tx
    .selectFrom('upload')
    .select(['next_line'])
    .where('participant_id', '=', participant_id)
    .where('upload_id', '=', upload_id)
    .executeTakeFirst()

/** One participant's uploads whose last line came before a time, the oldest first; answers how many. */
export async function forgetUploads(
  tx: Tx,
  participant_id: Uuid,
  of: { before: Date; limit: number },
): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from upload where participant_id = ${participant_id} and upload_id in (
      select upload_id from upload where participant_id = ${participant_id} and updated_at < ${of.before}
      order by updated_at limit ${of.limit})`.execute(tx)
  return Number(numAffectedRows ?? 0n)
}

/** How many rested that long. */
export async function restedUploads(db: Db, participant_id: Uuid, before: Date): Promise<number> {
  const { n } = await db
    .selectFrom('upload')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('participant_id', '=', participant_id)
    .where('updated_at', '<', before)
    .executeTakeFirstOrThrow()
  return Number(n)
}

/** Live or held signals whose time is over by a moment, by type. */
export async function dueByType(db: Db, participant_id: Uuid, before: Date): Promise<{ type: number; n: number }[]> {
  const rows = await db
    .selectFrom('signal')
    .select((eb) => ['type', eb.fn.countAll<bigint>().as('n')])
    .where('participant_id', '=', participant_id)
    .where('state', 'in', [SIGNAL_STATE.live, SIGNAL_STATE.held])
    .where('expires_at', '<=', before)
    .groupBy('type')
    .orderBy('type')
    .execute()
  return rows.map(({ type, n }) => ({ type, n: Number(n) }))
}

/** Live or held signals whose time is over, at most `limit`, locked. */
export const dueForUpdate = (tx: Tx, participant_id: Uuid, now: Date, limit: number) =>
  tx
    .selectFrom('signal')
    .select(['signal_id', 'revision', 'type', 'category', 'value_event'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`(state = 1 or state = 4)`)
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute()

export async function expireSignals(
  tx: Tx,
  change: { participant_id: Uuid; ids: readonly Uuid[]; event: Uuid; state: number },
): Promise<void> {
  await sql`
    update signal set state = ${change.state}, last_event = ${change.event}
    where participant_id = ${change.participant_id} and signal_id = any(${change.ids}::uuid[])`.execute(tx)
}

/** The newest stored revision of one's own signal, for revising and withdrawing it. */
export const ownSignal = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  tx
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join
        .onRef('r.participant_id', '=', 's.participant_id')
        .onRef('r.signal_id', '=', 's.signal_id')
        .onRef('r.revision', '=', 's.revision'),
    )
    .select(['s.signal_id', 's.revision', 's.state', 's.leaf', 's.expires_at', 'r.item', 'r.submission_id'])
    .where('s.participant_id', '=', participant_id)
    .where('s.signal_id', '=', signal_id)
    .executeTakeFirst()

// ---- holds

/** A hold as it began, and the signal's new state with it. */
export async function insertHold(
  tx: Tx,
  hold: {
    participant_id: Uuid
    held_event: Uuid
    signal_id: Uuid
    revision: number
    dispute_id: Uuid | null
    held_at: Date
    request: Uuid | null
  },
): Promise<void> {
  await tx
    .insertInto('signal_hold')
    .values({ ...hold, released_event: null, released_at: null })
    .execute()
  const { participant_id, signal_id, held_event } = hold
  await setState(tx, { participant_id, signal_id, state: SIGNAL_STATE.held, last_event: held_event })
}

export async function endHold(
  tx: Tx,
  hold: { participant_id: Uuid; signal_id: Uuid; held_event: Uuid; released_event: Uuid; released_at: Date },
): Promise<void> {
  const { participant_id, signal_id, held_event, released_event, released_at } = hold
  await tx
    .updateTable('signal_hold')
    .set({ released_event, released_at })
    .where('participant_id', '=', participant_id)
    .where('held_event', '=', held_event)
    .execute()
  await setState(tx, { participant_id, signal_id, state: SIGNAL_STATE.live, last_event: released_event })
}

async function setState(
  tx: Tx,
  { participant_id, signal_id, ...set }: { participant_id: Uuid; signal_id: Uuid; state: number; last_event: Uuid },
): Promise<void> {
  await tx
    .updateTable('signal')
    .set(set)
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .execute()
}

/** The newest hold of a signal. */
export const lastHold = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  tx
    .selectFrom('signal_hold')
    .select(['held_event', 'dispute_id', 'request'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .orderBy('held_event', 'desc')
    .limit(1)
    .executeTakeFirst()

/** When a hold of the signal that two persons had not placed ended last; null while the newest of them stands. */
export const lastRelease = (tx: Tx, participant_id: Uuid, signal_id: Uuid) =>
  tx
    .selectFrom('signal_hold')
    .select('released_at')
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .where('request', 'is', null)
    .orderBy('held_event', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Live signals of a source that began with a submission of that id or a later one; the oldest first. */
export async function liveSince(
  db: Db | Tx,
  participant_id: Uuid,
  { since, limit }: { since: Uuid; limit: number },
): Promise<Uuid[]> {
  const rows = await db
    .selectFrom('signal_revision as r')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'r.participant_id').onRef('s.signal_id', '=', 'r.signal_id'),
    )
    .select('r.signal_id')
    .where('r.participant_id', '=', participant_id)
    .where('r.submission_id', '>=', since)
    .where('r.revision', '=', 1)
    .where('s.state', '=', SIGNAL_STATE.live)
    .orderBy('r.submission_id')
    .orderBy('r.signal_id')
    .limit(limit)
    .execute()
  return rows.map(({ signal_id }) => signal_id)
}

/** Signals of a source that two persons hold, but for those with a dispute that it has not answered. */
export async function heldByRequest(tx: Tx, participant_id: Uuid): Promise<Uuid[]> {
  const rows = await tx
    .selectFrom('signal_hold as h')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'h.participant_id').onRef('s.signal_id', '=', 'h.signal_id'),
    )
    .select('h.signal_id')
    .where('h.participant_id', '=', participant_id)
    .where('h.request', 'is not', null)
    .where('h.released_event', 'is', null)
    .where('s.state', '=', SIGNAL_STATE.held)
    .where(
      sql<boolean>`not exists (select from dispute_received d where d.participant_id = ${participant_id}
        and d.signal_id = h.signal_id and not exists (select from dispute_answer a
          where a.participant_id = ${participant_id} and a.dispute_id = d.dispute_id))`,
    )
    .orderBy('h.held_event')
    .execute()
  return rows.map(({ signal_id }) => signal_id)
}

// ---- the auditor's

/** The accepted items of submissions with what their signals are now, each submission's in their order. */
export const acceptedItems = (db: Db, submissions: Events) =>
  askTogether(submissions, (some) => itemsOf(db, some).execute())

const itemsOf = (db: Db, { participants, events }: Some) =>
  db
    .selectFrom('signal_revision as r')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'r.participant_id').onRef('s.signal_id', '=', 'r.signal_id'),
    )
    .select(['r.submission_id', 'r.signal_id', 'r.revision', 'r.item_index', 'r.salt', 'r.item'])
    .select(['s.type', 's.category', 's.audience_id', 's.expires_at'])
    .where(sql<boolean>`r.participant_id = any(${participants}::uuid[])`)
    .where(sql<boolean>`r.submission_id = any(${events}::uuid[])`)
    .orderBy('r.item_index')

/** The signals that one expiry ended, those among them that were erased since. */
export const expiredBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('signal')
    .select(['signal_id', 'revision'])
    .where('participant_id', '=', participant_id)
    .where((eb) =>
      eb.or([
        eb.and([eb('last_event', '=', event), eb('state', '=', SIGNAL_STATE.expired)]),
        eb.and([eb('ended_by', '=', event), eb('state', '=', SIGNAL_STATE.erased)]),
      ]),
    )
    .orderBy('signal_id')
    .execute()

/** The signals that one erasure ended. */
export const erasedBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('signal')
    .select(['signal_id', 'revision'])
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', event)
    .where('state', '=', SIGNAL_STATE.erased)
    .orderBy('signal_id')
    .execute()

/** One participant's signals after an id, in order, without what they are looked up by. */
export const signalsAfter = (db: Db, participant_id: Uuid, { after, limit }: { after: Uuid; limit: number }) =>
  db
    .selectFrom('signal')
    .select(['signal_id', 'type', 'category', 'audience_id', 'revision', 'state', 'expires_at', 'leaf', 'last_event'])
    .where('participant_id', '=', participant_id)
    .where('signal_id', '>', after)
    .orderBy('signal_id')
    .limit(limit)
    .execute()
