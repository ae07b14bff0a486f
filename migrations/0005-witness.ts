import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

const TABLES: Readonly<Record<string, string>> = {
  // A witness may cosign one size again, later.
  log_cosignature: `
    log_id integer not null,
    size bigint not null,
    witness text collate "C" not null,
    seconds bigint not null,
    line text not null,
    primary key (log_id, size, witness, seconds)`,
  log_witness: `
    log_id integer not null,
    witness text collate "C" not null,
    size bigint not null,
    seconds bigint not null,
    missing_since timestamptz,
    primary key (log_id, witness)`,
  log_published: `
    log_id integer primary key,
    size bigint not null,
    at timestamptz not null,
    note text not null,
    cosigned integer not null,
    wanted integer not null,
    quorum boolean not null`,
  log_outage: `
    log_id integer primary key,
    policy text collate "C",
    policy_at timestamptz,
    since timestamptz,
    ended timestamptz`,
}

/** Nobody may update or delete a cosignature. */
const GRANTS: readonly string[] = [
  'grant insert on log_cosignature to aldis_signer',
  'grant select, insert, update on log_witness, log_published, log_outage to aldis_signer',
  'grant select on log_witness, log_published to aldis_ledger',
]

export async function witness(db: Kysely<unknown>): Promise<void> {
  for (const [table, columns] of Object.entries(TABLES)) await run(db, [`create table ${table} (${columns})`])
  await run(db, GRANTS)
}
