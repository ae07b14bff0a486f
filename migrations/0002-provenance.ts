import type { Kysely } from 'kysely'
import { ownRows, policy, readAll, run } from '../src/db/ddl.ts'

const RECORDS: readonly string[] = [
  `create table prov_record (
    participant_id uuid not null,
    event_id uuid not null,
    log_id integer not null,
    kind text collate "C" not null,
    at timestamptz not null,
    payload text not null,
    c bytea not null check (length(c) = 32),
    body bytea not null,
    epoch integer not null,
    primary key (participant_id, event_id))`,
  ...ownRows('prov_record', 'select, insert'),
  'grant select, insert on prov_record to aldis_admin',
  policy('prov_record', 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
  ...readAll('prov_record', 'aldis_ledger'),
  ...readAll('prov_record', 'aldis_projector'),
  // Led by event_id: the integrator reads and clears in that order.
  `create table prov_outbox (
    event_id uuid not null,
    participant_id uuid not null,
    log_id integer not null,
    at timestamptz not null,
    c bytea not null check (length(c) = 32),
    parties text collate "C" not null,
    after uuid,
    primary key (event_id, participant_id))`,
  ...ownRows('prov_outbox', 'insert'),
  'grant insert on prov_outbox to aldis_admin',
  policy('prov_outbox', 'aldis_admin', { for: 'insert', check: 'true' }),
  'grant select, delete on prov_outbox to aldis_integrator',
  policy('prov_outbox', 'aldis_integrator', { for: 'all', using: 'true' }),
]

const JOURNAL: readonly string[] = [
  `create table read_journal (
    participant_id uuid not null,
    day date not null,
    journal_id uuid not null,
    at timestamptz not null,
    n integer not null check (n between 1 and 512),
    c bytea not null check (length(c) = 32 * n),
    body bytea not null,
    epoch integer not null,
    batch_no bigint,
    batch_at integer,
    primary key (participant_id, day, journal_id))`,
  ...ownRows('read_journal', 'select, insert, update (batch_no, batch_at)'),
  ...readAll('read_journal', 'aldis_ledger'),
  'create index read_journal_batch on read_journal (participant_id, batch_no) where batch_no is not null',
  `create table read_pending (
    participant_id uuid not null,
    journal_id uuid not null,
    day date not null,
    primary key (participant_id, journal_id))`,
  ...ownRows('read_pending', 'select, insert, delete'),
  ...readAll('read_pending', 'aldis_ledger'),
  `create table read_head (
    participant_id uuid primary key,
    batch_no bigint not null)`,
  ...ownRows('read_head', 'select, insert, update'),
  `create table read_batch (
    participant_id uuid not null,
    batch_no bigint not null,
    event_id uuid not null,
    n integer not null,
    root bytea not null check (length(root) = 32),
    primary key (participant_id, batch_no))`,
  ...ownRows('read_batch', 'select, insert'),
  ...readAll('read_batch', 'aldis_ledger'),
]

const LOG: Readonly<Record<string, string>> = {
  log_head: `
    log_id integer primary key,
    origin text collate "C" not null,
    size bigint not null,
    root bytea not null check (length(root) = 32),
    edges bytea not null`,
  log_fence: `
    log_id integer primary key,
    size bigint not null,
    root bytea not null check (length(root) = 32)`,
  log_event: `
    log_id integer not null,
    event_id uuid not null,
    idx bigint not null,
    primary key (log_id, event_id)`,
  log_batch: `
    log_id integer not null,
    first_idx bigint not null,
    n integer not null check (n between 1 and 4096),
    data bytea not null,
    primary key (log_id, first_idx)`,
  log_chain: `
    log_id integer not null,
    party text collate "C" not null,
    seq bigint not null,
    link bytea not null check (length(link) = 32),
    primary key (log_id, party)`,
  log_chain_seg: `
    log_id integer not null,
    party text collate "C" not null,
    first_seq bigint not null,
    n integer not null,
    data bytea not null,
    primary key (log_id, party, first_seq)`,
  log_tile: `
    log_id integer not null,
    level smallint not null check (level between -1 and 7),
    n bigint not null,
    data bytea not null,
    primary key (log_id, level, n)`,
  log_signed: `
    log_id integer primary key,
    size bigint not null,
    root bytea not null check (length(root) = 32),
    range bytea not null,
    at timestamptz not null`,
  log_checkpoint: `
    log_id integer not null,
    size bigint not null,
    at timestamptz not null,
    note text not null,
    primary key (log_id, size, at)`,
  projector: `
    log_id integer not null,
    name text collate "C" not null,
    next_idx bigint not null,
    primary key (log_id, name)`,
}

/** Nobody may update or delete an event, batch, tile, chain segment or checkpoint. */
const LOG_GRANTS: readonly string[] = [
  'grant select, insert, update on log_head to aldis_integrator',
  'grant select, insert, update on log_fence to aldis_integrator',
  'grant select, insert on log_event, log_batch, log_chain_seg, log_tile to aldis_integrator',
  'grant select, insert, update on log_chain to aldis_integrator',
  'grant select on log_head, log_fence, log_batch to aldis_signer',
  'grant select, insert, update on log_signed to aldis_signer',
  'grant select, insert on log_checkpoint to aldis_signer',
  'grant select on log_head, log_event, log_batch, log_chain, log_chain_seg, log_tile, log_signed, log_checkpoint to aldis_ledger',
  'grant select on log_head, log_tile, log_signed, log_checkpoint, projector to aldis_app',
  'grant select on log_head, log_fence, log_signed to aldis_admin',
  'grant insert on log_head, log_fence, log_signed to aldis_admin',
  'grant select on log_fence, log_batch to aldis_projector',
  'grant select, insert, update on projector to aldis_projector',
]

export async function provenance(db: Kysely<unknown>): Promise<void> {
  await run(db, RECORDS)
  await run(db, JOURNAL)
  for (const [table, columns] of Object.entries(LOG)) await run(db, [`create table ${table} (${columns})`])
  await run(db, LOG_GRANTS)
}
