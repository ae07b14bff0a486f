import type { Kysely } from 'kysely'
import { ME, policy, run, secured } from '../src/db/ddl.ts'

const MY_AUDIENCES = `select m.audience_id from audience_member m where m.participant_id = ${ME} and m.until_seq is null`

const RELATIONS: readonly string[] = [
  // Two rows a relation, one at each end: it is asked for by either.
  `create table shared_relation (
    signal_id uuid not null,
    origin uuid not null,
    relation_id uuid not null,
    other_id uuid not null,
    outward boolean not null,
    kind smallint not null,
    audience_id uuid not null,
    revision integer not null,
    state smallint not null,
    observed_at timestamptz not null,
    expires_at timestamptz not null,
    log_idx bigint not null,
    primary key (signal_id, origin, relation_id))`,
  // So that what was stated among others, or has ended, costs a reader nothing.
  `create index shared_relation_audience on shared_relation (audience_id, signal_id, relation_id)
    where state = 1`,
  ...secured('shared_relation'),
  'grant select on shared_relation to aldis_app',
  policy('shared_relation', 'aldis_app', {
    for: 'select',
    using: `origin = ${ME} or (state = 1 and audience_id in (${MY_AUDIENCES}))`,
  }),
  'grant select, insert, update on shared_relation to aldis_projector',
  policy('shared_relation', 'aldis_projector', { for: 'all', using: 'true', check: 'true' }),
  'grant select, delete on shared_relation to aldis_admin',
  policy('shared_relation', 'aldis_admin', { for: 'all', using: 'true', check: 'true' }),
  'create index shared_signal_id on shared_signal (signal_id)',
]

/** Relations by the signals that they name, and shared signals by their id. */
export const networks = (db: Kysely<unknown>): Promise<void> => run(db, RELATIONS)
