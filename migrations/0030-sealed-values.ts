import type { Kysely } from 'kysely'
import { ownRows, policy, run } from '../src/db/ddl.ts'

/** Raw links that sources gave beside their signals, each under a data key of its own; who asked for how many on a day. */
const SEALED: readonly string[] = [
  `create table sealed_value (
    participant_id uuid not null,
    signal_id uuid not null,
    audience_id uuid not null,
    revision integer not null check (revision >= 1),
    kek_id text collate "C" not null,
    wrapped_dek bytea not null check (octet_length(wrapped_dek) = 60),
    nonce bytea not null check (octet_length(nonce) = 12),
    ciphertext bytea not null check (octet_length(ciphertext) > 0),
    tag bytea not null check (octet_length(tag) = 16),
    sealed_at timestamptz not null,
    last_event uuid not null,
    primary key (participant_id, signal_id))`,
  ...ownRows('sealed_value', 'select, insert, update, delete'),
  // Ends of signals and departures are written by administrators too; nothing there is read.
  'grant select (participant_id, signal_id), delete on sealed_value to aldis_admin',
  policy('sealed_value', 'aldis_admin', { for: 'all', using: 'true' }),
  // Auditors are told which values there are, and a digest; without the wrapped key nobody opens one.
  'grant select (participant_id, signal_id, audience_id, revision, nonce, ciphertext, tag, last_event) on sealed_value to aldis_ledger',
  policy('sealed_value', 'aldis_ledger', { for: 'select', using: 'true' }),
  // Whoever ends a signal has locked its row: this says that a value goes with it, and what it comes after.
  'alter table signal add column value_event uuid',
  'grant update (value_event) on signal to aldis_admin',
  `create table reveal_use (
    participant_id uuid not null,
    day date not null,
    who uuid not null,
    used integer not null,
    primary key (participant_id, day, who))`,
  ...ownRows('reveal_use', 'select, insert, update, delete'),
]

export async function sealedValues(db: Kysely<unknown>): Promise<void> {
  await run(db, SEALED)
}
