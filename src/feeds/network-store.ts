import { sql } from 'kysely'
import { plainArray } from '../db/arrays.ts'
import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { RelationRow, SeenRelation, SeenSignal } from './network.ts'

/** A later state of the same source's relation, at both of its ends. */
export async function upsertRelations(tx: Tx, rows: readonly RelationRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql`
    insert into shared_relation (signal_id, origin, relation_id, other_id, outward, kind, audience_id, revision, state,
      observed_at, expires_at, log_idx)
    select * from unnest(
      ${plainArray(rows.map((x) => x.signal_id))}::uuid[], ${plainArray(rows.map((x) => x.origin))}::uuid[],
      ${plainArray(rows.map((x) => x.relation_id))}::uuid[], ${plainArray(rows.map((x) => x.other_id))}::uuid[],
      ${plainArray(rows.map((x) => String(x.outward)))}::bool[], ${plainArray(rows.map((x) => x.kind))}::int2[],
      ${plainArray(rows.map((x) => x.audience_id))}::uuid[], ${plainArray(rows.map((x) => x.revision))}::int4[],
      ${plainArray(rows.map((x) => x.state))}::int2[],
      ${plainArray(rows.map((x) => x.observed_at.toISOString()))}::timestamptz[],
      ${plainArray(rows.map((x) => x.expires_at.toISOString()))}::timestamptz[],
      ${plainArray(rows.map((x) => x.log_idx))}::int8[])
    on conflict (signal_id, origin, relation_id) do update set
      audience_id = excluded.audience_id, revision = excluded.revision, state = excluded.state,
      observed_at = excluded.observed_at, expires_at = excluded.expires_at, log_idx = excluded.log_idx
    where excluded.log_idx > shared_relation.log_idx`.execute(tx)
}

const SEEN = ['origin', 'relation_id', 'other_id', 'outward', 'kind', 'revision', 'observed_at', 'log_idx'] as const

/**
 * Live relations at a signal that the open transaction's participant may see: at most `limit` of its audiences, and as many
 * of its own elsewhere. Row-level security cuts what is not the reader's; audiences and order are written out so that an
 * index is followed, and what others stated among themselves is not read.
 */
export async function relationsAt(
  tx: Tx,
  signal_id: Uuid,
  of: { reader: Uuid; audiences: readonly Uuid[]; now: Date; limit: number },
): Promise<SeenRelation[]> {
  const live = tx
    .selectFrom('shared_relation')
    .select(SEEN)
    .where('signal_id', '=', signal_id)
    .where('state', '=', 1)
    .where('expires_at', '>', of.now)
    .limit(of.limit)
  const shared = await live
    .where(sql<boolean>`audience_id = any(${of.audiences}::uuid[])`)
    .orderBy('audience_id')
    .orderBy('relation_id')
    .execute()
  const own = await live
    .where('origin', '=', of.reader)
    .where(sql<boolean>`audience_id <> all(${of.audiences}::uuid[])`)
    .orderBy('relation_id')
    .execute()
  return [...shared, ...own]
}

/** Live relations at any of these signals that the reader may see, by what they lead to; at most `limit`. */
export const relationsOf = (
  tx: Tx,
  signals: readonly Uuid[],
  of: { reader: Uuid; audiences: readonly Uuid[]; now: Date; limit: number },
): Promise<{ signal_id: Uuid; other_id: Uuid }[]> =>
  tx
    .selectFrom('shared_relation')
    .select(['signal_id', 'other_id'])
    .distinct()
    .where(sql<boolean>`signal_id = any(${signals}::uuid[])`)
    .where('state', '=', 1)
    .where('expires_at', '>', of.now)
    .where(sql<boolean>`(audience_id = any(${of.audiences}::uuid[]) or origin = ${of.reader})`)
    .limit(of.limit)
    .execute()

/** Live signals of these ids that the open transaction's participant may see, of each source that has one. */
export const signalsOf = (tx: Tx, ids: readonly Uuid[], now: Date): Promise<SeenSignal[]> =>
  tx
    .selectFrom('shared_signal')
    .select(['signal_id', 'origin', 'type', 'revision', 'log_idx'])
    .where(sql<boolean>`signal_id = any(${ids}::uuid[])`)
    .where('state', '=', 1)
    .where('expires_at', '>', now)
    .execute()

/** What an erased relation said. */
export async function forgetRelations(
  tx: Tx,
  of: { ends: readonly Uuid[]; origin: Uuid; relations: readonly Uuid[] },
): Promise<void> {
  await sql`delete from shared_relation where signal_id = any(${of.ends}::uuid[]) and origin = ${of.origin}::uuid
    and relation_id = any(${of.relations}::uuid[])`.execute(tx)
}
