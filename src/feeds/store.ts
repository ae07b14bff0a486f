import { sql } from 'kysely'
import { bytesArray, hexArray, jsonTexts, plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { copyBytes } from '../db/copy-out.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import type { Placed } from './plan.ts'

// ---- what the projector reads of the origins

export interface ProjectedItem {
  submission_id: Uuid
  signal_id: Uuid
  revision: number
  item_index: number
  /** Null once the item is erased. */
  salt: Buffer | null
  item: string
  signal_key: Buffer
  type: number
  profile: string
}

/** The accepted items of submissions of one participant, in their order. */
export const itemsOf = (db: Db, participant_id: Uuid, submissions: readonly Uuid[]): Promise<ProjectedItem[]> =>
  db
    .selectFrom('signal_revision as r')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'r.participant_id').onRef('s.signal_id', '=', 'r.signal_id'),
    )
    .select(['r.submission_id', 'r.signal_id', 'r.revision', 'r.item_index', 'r.salt', 'r.item'])
    .select(['s.signal_key', 's.type', 's.profile'])
    .where('r.participant_id', '=', participant_id)
    .where(sql<boolean>`r.submission_id = any(${submissions}::uuid[])`)
    .orderBy('r.submission_id')
    .orderBy('r.item_index')
    .execute()

/** How many items submissions of one participant have. */
export const sizesOf = (db: Db, participant_id: Uuid, submissions: readonly Uuid[]) =>
  db
    .selectFrom('submission')
    .select(['submission_id', 'n'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`submission_id = any(${submissions}::uuid[])`)
    .execute()

export const submissionsOf = (db: Db, participant_id: Uuid, submissions: readonly Uuid[]) =>
  db
    .selectFrom('submission')
    .select(['submission_id', 'jws', 'n', 'leaves', 'response'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`submission_id = any(${submissions}::uuid[])`)
    .execute()

/** The texts of the revisions before these, and perhaps of others of the same signals. */
export const formerItems = (db: Db, participant_id: Uuid, later: readonly { signal_id: Uuid; revision: number }[]) =>
  db
    .selectFrom('signal_revision')
    .select(['signal_id', 'revision', 'item'])
    .where('participant_id', '=', participant_id)
    .where(sql<boolean>`signal_id = any(${later.map(({ signal_id }) => signal_id)}::uuid[])`)
    .where(sql<boolean>`revision = any(${[...new Set(later.map(({ revision }) => revision - 1))]}::int4[])`)
    .execute()

/** The signals that one expiry event ended, with the text of their last revision. */
export const expiredBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join
        .onRef('r.participant_id', '=', 's.participant_id')
        .onRef('r.signal_id', '=', 's.signal_id')
        .onRef('r.revision', '=', 's.revision'),
    )
    .select(['s.signal_id', 's.signal_key', 's.type', 's.profile', 's.revision', 'r.item'])
    .select((eb) => eb('s.state', '=', 5).$castTo<boolean>().as('erased'))
    .where('s.participant_id', '=', participant_id)
    .where((eb) =>
      eb.or([
        eb.and([eb('s.last_event', '=', event), eb('s.state', '=', 3)]),
        eb.and([eb('s.ended_by', '=', event), eb('s.state', '=', 5)]),
      ]),
    )
    .orderBy('s.signal_id')
    .execute()

/** The signals that one erasure took, each with its audiences in the order in which it came to them. */
export async function erasedBy(db: Db, participant_id: Uuid, event: Uuid) {
  const rows = await db
    .selectFrom('signal as s')
    .innerJoin('signal_revision as r', (join) =>
      join.onRef('r.participant_id', '=', 's.participant_id').onRef('r.signal_id', '=', 's.signal_id'),
    )
    .select(['s.signal_id', 's.revision', 'r.item'])
    .where('s.participant_id', '=', participant_id)
    .where('s.last_event', '=', event)
    .where('s.state', '=', 5)
    .orderBy('s.signal_id')
    .orderBy('r.revision')
    .execute()
  return [...Map.groupBy(rows, ({ signal_id }) => signal_id)].map(([signal_id, own]) => ({
    signal_id,
    revision: own[0]?.revision ?? 0,
    audiences: [...new Set(own.flatMap(({ item }) => (JSON.parse(item) as { audience?: Uuid }).audience ?? []))],
  }))
}

const heldItem = (db: Db, participant_id: Uuid) =>
  db
    .selectFrom('signal_hold as h')
    .innerJoin('signal as s', (join) =>
      join.onRef('s.participant_id', '=', 'h.participant_id').onRef('s.signal_id', '=', 'h.signal_id'),
    )
    .innerJoin('signal_revision as r', (join) =>
      join
        .onRef('r.participant_id', '=', 'h.participant_id')
        .onRef('r.signal_id', '=', 'h.signal_id')
        .onRef('r.revision', '=', 'h.revision'),
    )
    .select(['h.signal_id', 'h.revision', 'r.submission_id', 'r.item_index', 'r.salt', 'r.item'])
    .select(['s.signal_key', 's.type', 's.profile'])
    .where('h.participant_id', '=', participant_id)

/** The signal that a hold began with, as it stood. */
export const heldBy = (db: Db, participant_id: Uuid, event: Uuid): Promise<ProjectedItem | undefined> =>
  heldItem(db, participant_id).where('h.held_event', '=', event).executeTakeFirst()

/** The signal whose hold an event ended. */
export const releasedBy = (db: Db, participant_id: Uuid, event: Uuid): Promise<ProjectedItem | undefined> =>
  heldItem(db, participant_id).where('h.released_event', '=', event).executeTakeFirst()

/** What one participant said of another's signal, with the JWS if it signed. */
export async function feedbackOf(db: Db, participant_id: Uuid, event: Uuid) {
  const row = await db
    .selectFrom('feedback')
    .select(['origin as recipient', 'signal_id', 'revision', 'told'])
    .where('participant_id', '=', participant_id)
    .where('feedback_id', '=', event)
    .executeTakeFirst()
  return row === undefined ? undefined : { ...row, ...(await signedAct(db, participant_id, event)) }
}

export async function disputeOpenedBy(db: Db, participant_id: Uuid, event: Uuid) {
  const row = await db
    .selectFrom('dispute')
    .select(['origin as recipient', 'signal_id', 'revision', 'told'])
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', event)
    .executeTakeFirst()
  return row === undefined ? undefined : { ...row, ...(await signedAct(db, participant_id, event)) }
}

/** The signature of what an event tells; undefined where it was attested. */
const signedAct = (db: Db, participant_id: Uuid, act_id: Uuid) =>
  db
    .selectFrom('signed_act')
    .select(['jws', 'salt', 'item', 'countersignature'])
    .where('participant_id', '=', participant_id)
    .where('act_id', '=', act_id)
    .executeTakeFirst()

export const disputeClosedBy = (db: Db, participant_id: Uuid, event: Uuid) =>
  db
    .selectFrom('dispute_answer')
    .select(['opener as recipient', 'signal_id', 'revision', 'told'])
    .where('participant_id', '=', participant_id)
    .where('last_event', '=', event)
    .executeTakeFirst()

export const nextIndex = async (db: Db, log_id: number): Promise<bigint> => {
  const row = await db
    .selectFrom('projector')
    .select('next_idx')
    .where('log_id', '=', log_id)
    .where('name', '=', 'feeds')
    .executeTakeFirst()
  return row?.next_idx ?? 0n
}

export async function moveNextIndex(tx: Tx, log_id: number, next_idx: bigint): Promise<void> {
  await tx
    .insertInto('projector')
    .values({ log_id, name: 'feeds', next_idx })
    .onConflict((oc) => oc.columns(['log_id', 'name']).doUpdateSet({ next_idx }))
    .execute()
}

// ---- feeds

export const lockFeed = (tx: Tx, feed_id: Uuid) =>
  tx
    .selectFrom('feed_head')
    .select(['next_seq', 'applied_idx', 'added_us', 'sealed_seq'])
    .where('feed_id', '=', feed_id)
    .forUpdate()
    .executeTakeFirstOrThrow()

export interface EntryRow {
  seq: bigint
  log_idx: bigint
  kind: number
  origin: Uuid
  signal_id: Uuid
  revision: number
  submission_id: Uuid
  body: string
}

/** Entries and the submissions that prove them, in one statement. */
export async function insertEntries(
  tx: Tx,
  feed_id: Uuid,
  rows: { entries: readonly EntryRow[]; submissions: readonly { submission_id: Uuid; body: string }[] },
): Promise<void> {
  const { entries: e, submissions: s } = rows
  await sql`
    with new_submission as (
      insert into feed_submission (feed_id, submission_id, body)
      select ${feed_id}::uuid, * from unnest(
        ${plainArray(s.map((x) => x.submission_id))}::uuid[], string_to_array(${jsonTexts(s.map((x) => x.body))}, E'\\x1f'))
      on conflict (feed_id, submission_id) do nothing
    )
    insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body)
    select ${feed_id}::uuid, * from unnest(
      ${plainArray(e.map((x) => x.seq))}::int8[], ${plainArray(e.map((x) => x.log_idx))}::int8[],
      ${plainArray(e.map((x) => x.kind))}::int2[], ${plainArray(e.map((x) => x.origin))}::uuid[],
      ${plainArray(e.map((x) => x.signal_id))}::uuid[], ${plainArray(e.map((x) => x.revision))}::int4[],
      ${plainArray(e.map((x) => x.submission_id))}::uuid[],
      string_to_array(${jsonTexts(e.map((x) => x.body))}, E'\\x1f'))`.execute(tx)
}

export async function moveFeed(
  tx: Tx,
  feed_id: Uuid,
  head: { next_seq: bigint; applied_idx: bigint; added_us: bigint },
): Promise<void> {
  await tx.updateTable('feed_head').set(head).where('feed_id', '=', feed_id).execute()
}

/** Where entries of these log indices stand, for a round that is done again. */
export const placesOf = (tx: Tx, feed_id: Uuid, range: { from: bigint; to: bigint }) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'log_idx', 'signal_id', 'revision'])
    .where('feed_id', '=', feed_id)
    .where('log_idx', '>=', range.from)
    .where('log_idx', '<=', range.to)
    .orderBy('seq')
    .execute()

// ---- what others look up

/** A later state of the same source's signal; what another source calls by the same id is another row. */
export async function upsertShared(tx: Tx, rows: readonly Placed[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into shared_signal (signal_key, signal_id, origin, type, profile, audience_id, revision, state, expires_at,
      log_idx, feed_id, seq)
    select * from unnest(
      ${bytesArray(rows.map((x) => x.signal_key))}::bytea[], ${plainArray(rows.map((x) => x.signal_id))}::uuid[],
      ${plainArray(rows.map((x) => x.origin))}::uuid[], ${plainArray(rows.map((x) => x.type))}::int2[],
      ${rows.map((x) => x.profile)}::text[], ${plainArray(rows.map((x) => x.audience_id))}::uuid[],
      ${plainArray(rows.map((x) => x.revision))}::int4[], ${plainArray(rows.map((x) => x.state))}::int2[],
      ${plainArray(rows.map((x) => x.expires_at.toISOString()))}::timestamptz[],
      ${plainArray(rows.map((x) => x.log_idx))}::int8[], ${plainArray(rows.map((x) => x.feed_id))}::uuid[],
      ${plainArray(rows.map((x) => x.seq))}::int8[])
    on conflict (signal_key, signal_id, origin) do update set
      audience_id = excluded.audience_id, revision = excluded.revision, state = excluded.state,
      expires_at = excluded.expires_at, log_idx = excluded.log_idx, feed_id = excluded.feed_id, seq = excluded.seq
    where excluded.log_idx > shared_signal.log_idx`.execute(tx)
}

/** Live signals behind the keys, in hex, that the open transaction's participant may see: row-level security cuts the rest. */
export const lookUp = (tx: Tx, keys: readonly string[], now: Date) =>
  tx
    .selectFrom('shared_signal')
    .select(['signal_key', 'signal_id', 'type', 'profile', 'origin', 'revision', 'feed_id', 'seq', 'log_idx'])
    .where(sql<boolean>`signal_key = any(${hexArray(keys)}::bytea[])`)
    .where('state', '=', 1)
    .where('expires_at', '>', now)
    .execute()

/** Bytes of a key, and of the three ids behind it: whose signal, which, and the audience. */
const KEY_ROW = 80

/** A page of every key that is shared, packed, so that reading them all leaves little behind. */
export async function sharedKeys(
  tx: Tx,
  { after, limit }: { after: Buffer | undefined; limit: number },
): Promise<Buffer[]> {
  const from =
    after === undefined
      ? ''
      : `where (signal_key, signal_id, origin) >
        ('\\x${after.toString('hex', 0, 32)}'::bytea, '${after.toString('hex', 32, 48)}', '${after.toString('hex', 48, 64)}')`
  const packed = await copyBytes(
    tx,
    `select string_agg(signal_key || uuid_send(signal_id) || uuid_send(origin) || uuid_send(audience_id), ''::bytea
        order by signal_key, signal_id, origin)
     from (select signal_key, signal_id, origin, audience_id from shared_signal ${from}
       order by signal_key, signal_id, origin limit ${Number(limit)}) as page
     having count(*) > 0`,
  )
  return Array.from({ length: (packed?.length ?? 0) / KEY_ROW }, (_, i) =>
    (packed ?? Buffer.alloc(0)).subarray(KEY_ROW * i, KEY_ROW * (i + 1)),
  )
}

// ---- reading a feed

export const headOf = (tx: Tx, feed_id: Uuid) =>
  tx
    .selectFrom('feed_head')
    .select(['next_seq', 'retained_from', 'sealed_seq'])
    .where('feed_id', '=', feed_id)
    .executeTakeFirst()

export const headsOf = (tx: Tx, feeds: readonly Uuid[]) =>
  tx
    .selectFrom('feed_head')
    .select(['feed_id', 'next_seq', 'retained_from', 'sealed_seq'])
    .where(sql<boolean>`feed_id = any(${feeds}::uuid[])`)
    .execute()

const ENTRY = ['seq', 'kind', 'origin', 'signal_id', 'revision', 'submission_id', 'body'] as const

export const entriesAfter = (
  db: Tx | Db,
  feed_id: Uuid,
  range: { after: bigint; until: bigint | null; limit: number },
) => {
  const query = db
    .selectFrom('feed_entry')
    .select(ENTRY)
    .where('feed_id', '=', feed_id)
    .where('seq', '>', range.after)
    .orderBy('seq')
    .limit(range.limit)
  return (range.until === null ? query : query.where('seq', '<=', range.until)).execute()
}

/** Entries at their places, each with the body of the submission that proves it, if one does. */
export const entriesAt = (tx: Tx, feed_id: Uuid, seqs: readonly bigint[]) =>
  tx
    .selectFrom('feed_entry as e')
    .select(['seq', 'origin', 'signal_id', 'revision', 'submission_id', 'body'])
    .select((eb) =>
      eb
        .selectFrom('feed_submission as s')
        .select('s.body')
        .where('s.feed_id', '=', feed_id)
        .whereRef('s.submission_id', '=', 'e.submission_id')
        .as('proof'),
    )
    .where('e.feed_id', '=', feed_id)
    .where(sql<boolean>`e.seq = any(${seqs}::int8[])`)
    .execute()

export const submissionBodies = (db: Tx | Db, feed_id: Uuid, ids: readonly Uuid[]) =>
  db
    .selectFrom('feed_submission')
    .select(['submission_id', 'body'])
    .where('feed_id', '=', feed_id)
    .where(sql<boolean>`submission_id = any(${ids}::uuid[])`)
    .orderBy('submission_id')
    .execute()

/** Whether a submission stands in a feed, within the part of it that a reader may see. */
export async function holdsSubmission(
  tx: Tx,
  feed_id: Uuid,
  part: { submission_id: Uuid; from_seq: bigint; until_seq: bigint | null },
): Promise<boolean> {
  const { submission_id, from_seq, until_seq } = part
  const [present] = await submissionBodies(tx, feed_id, [submission_id])
  if (present === undefined || (from_seq <= 1n && until_seq === null)) return present !== undefined
  const query = tx
    .selectFrom('feed_entry')
    .select('seq')
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', from_seq)
    .where('submission_id', '=', submission_id)
    .limit(1)
  const within = until_seq === null ? query : query.where('seq', '<=', until_seq)
  return (await within.executeTakeFirst()) !== undefined
}

// ---- what a source proves

/** The submissions that hold revisions of one signal, its withdrawal among them. */
export async function submissionsWith(tx: Tx, participant_id: Uuid, signal_id: Uuid): Promise<Uuid[]> {
  const rows = await tx
    .selectFrom('signal_revision')
    .select('submission_id')
    .distinct()
    .where('participant_id', '=', participant_id)
    .where('signal_id', '=', signal_id)
    .execute()
  return rows.map(({ submission_id }) => submission_id)
}

/** The first event at or after a sequence. */
export const eventFrom = (tx: Tx, feed_id: Uuid, seq: bigint) =>
  tx
    .selectFrom('feed_entry')
    .select(['seq', 'log_idx'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', seq)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()

/** A source's events in a part of a feed, in order; of one signal if it is named. */
export const eventsOf = (
  tx: Tx,
  feed_id: Uuid,
  of: { origin: Uuid; signal?: Uuid; from: bigint; to: bigint },
): Promise<{ seq: bigint; signal_id: Uuid; revision: number }[]> => {
  const query = tx
    .selectFrom('feed_entry')
    .select(['seq', 'signal_id', 'revision'])
    .where('feed_id', '=', feed_id)
    .where('seq', '>=', of.from)
    .where('seq', '<=', of.to)
    .where('origin', '=', of.origin)
    .orderBy('seq')
  return (of.signal === undefined ? query : query.where('signal_id', '=', of.signal)).execute()
}

// ---- segments

export interface SegmentRow {
  feed_id: Uuid
  first_seq: bigint
  generation: number
  n: number
  digest: Buffer
  set_salt: Buffer
  sets: string
  bytes: Buffer
}

export const sealable = (db: Db, size: number) =>
  db
    .selectFrom('feed_head')
    .select(['feed_id', 'sealed_seq', 'erasures'])
    .where(sql<boolean>`next_seq - 1 - sealed_seq >= ${size}`)
    .execute()

/**
 * The segment first, then the mark that it may be asked for; nothing if an erasure came between, since the entries were
 * read when the feed had seen so many.
 */
export async function insertSegment(tx: Tx, row: SegmentRow, erasures: bigint): Promise<void> {
  const head = await tx
    .selectFrom('feed_head')
    .select('erasures')
    .where('feed_id', '=', row.feed_id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (head.erasures !== erasures) return
  await tx
    .insertInto('feed_segment')
    .values(row)
    .onConflict((oc) => oc.doNothing())
    .execute()
  await tx
    .updateTable('feed_head')
    .set({ sealed_seq: row.first_seq + BigInt(row.n) - 1n })
    .where('feed_id', '=', row.feed_id)
    .execute()
}

export const segmentAt = (tx: Tx, feed_id: Uuid, first_seq: bigint) =>
  tx
    .selectFrom('feed_segment')
    .select(['n', 'digest', 'set_salt', 'sets'])
    .select(sql<number>`octet_length(bytes)`.as('size'))
    .where('feed_id', '=', feed_id)
    .where('first_seq', '=', first_seq)
    .orderBy('generation', 'desc')
    .limit(1)
    .executeTakeFirst()

/** Bytes of a segment that the driver gathers at once. */
const PIECE = 65_536

export const segmentBytes = (tx: Tx, feed_id: Uuid, first_seq: bigint): Promise<Buffer | undefined> => {
  if (!isUuid(feed_id)) throw new TypeError('not a UUID')
  return copyBytes(
    tx,
    `select substring(bytes from ${PIECE} * piece + 1 for ${PIECE})
     from (select bytes from feed_segment where feed_id = '${feed_id}' and first_seq = ${BigInt(first_seq)}
       order by generation desc limit 1) as segment,
     generate_series(0, (octet_length(bytes) - 1) / ${PIECE}) as piece
     order by piece`,
  )
}

// ---- acknowledgements

export async function upsertAck(
  tx: Tx,
  ack: { participant_id: Uuid; feed_id: Uuid; stage: number; seq: bigint; last_event: Uuid },
): Promise<void> {
  const { seq, last_event } = ack
  await tx
    .insertInto('feed_ack')
    .values(ack)
    .onConflict((oc) => oc.columns(['participant_id', 'feed_id', 'stage']).doUpdateSet({ seq, last_event }))
    .execute()
}

export const ackOf = (tx: Tx, participant_id: Uuid, feed_id: Uuid, stage: number) =>
  tx
    .selectFrom('feed_ack')
    .select('seq')
    .where('participant_id', '=', participant_id)
    .where('feed_id', '=', feed_id)
    .where('stage', '=', stage)
    .forUpdate()
    .executeTakeFirst()

/** Ends by source between two sequence numbers of a feed. */
export const endsBySource = (tx: Tx, feed_id: Uuid, range: { after: bigint; upto: bigint; kinds: readonly number[] }) =>
  tx
    .selectFrom('feed_entry')
    .select((eb) => ['origin', eb.fn.countAll<bigint>().as('n')])
    .where('feed_id', '=', feed_id)
    .where('seq', '>', range.after)
    .where('seq', '<=', range.upto)
    .where(sql<boolean>`kind = any(${range.kinds}::int2[])`)
    .groupBy('origin')
    .execute()

/** How far one participant acknowledged the ends of its feeds. */
export const acksOf = (db: Db, participant_id: Uuid) =>
  db
    .selectFrom('feed_ack')
    .select(['feed_id', 'stage', 'seq', 'last_event'])
    .where('participant_id', '=', participant_id)
    .orderBy('feed_id')
    .orderBy('stage')
    .execute()
