import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

/** From which networks each key was used on each day, as keyed hashes, and how many look-ups of an organisation found something. */
const SIGHTINGS: readonly string[] = [
  `create table network_day (
    participant_id uuid not null,
    credential_id uuid not null,
    day date not null,
    network bytea not null check (octet_length(network) = 16),
    primary key (participant_id, credential_id, day, network))`,
  'create index network_day_old on network_day (day)',
  'grant select, insert, delete on network_day to aldis_admin',
  `create table lookup_day (
    participant_id uuid not null,
    day date not null,
    lookups bigint not null,
    with_hits bigint not null,
    primary key (participant_id, day))`,
  'grant select, insert, update (lookups, with_hits), delete on lookup_day to aldis_admin',
]

/** Feeds that two persons paused: reference data, which every process reads. */
const PAUSES: readonly string[] = [
  `create table feed_pause (
    feed_id uuid primary key references feed,
    paused boolean not null,
    reason text collate "C" not null,
    at timestamptz not null,
    last_event uuid not null)`,
  'grant select on feed_pause to aldis_app, aldis_ledger, aldis_integrator, aldis_signer, aldis_projector, aldis_admin',
  'grant insert, update on feed_pause to aldis_admin',
]

export async function sightingsPauses(db: Kysely<unknown>): Promise<void> {
  await run(db, SIGHTINGS)
  await run(db, PAUSES)
}
