import type { Kysely } from 'kysely'
import { policy, run } from '../src/db/ddl.ts'

/** Reads whose time is over: first an entry names their batches, later their rows go. */
const RETENTION: readonly string[] = [
  'alter table read_head add column expired_no bigint not null default 0',
  'alter table read_head add column gone_no bigint not null default 0',
  'alter table read_head add column gone_until timestamptz',
  'grant select, update (expired_no, gone_no, gone_until) on read_head to aldis_admin',
  policy('read_head', 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
  'alter table read_batch add column expired_by uuid',
  'create index read_batch_expired on read_batch (participant_id, event_id) where expired_by is not null',
  'grant select, update (expired_by) on read_batch to aldis_admin',
  policy('read_batch', 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
  'grant delete on read_journal to aldis_admin',
]

/** What is kept for a while for the operator's sake, or a client's. */
const KEPT: readonly string[] = [
  'grant delete on handshake_refusal to aldis_admin',
  'create index upload_updated on upload (participant_id, updated_at)',
  'grant select, delete on upload to aldis_admin',
  policy('upload', 'aldis_admin', { for: 'all', using: 'true' }),
]

export async function readRetention(db: Kysely<unknown>): Promise<void> {
  await run(db, RETENTION)
  await run(db, KEPT)
}
