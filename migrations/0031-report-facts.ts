import type { Kysely } from 'kysely'
import { policy, readAll, run, secured } from '../src/db/ddl.ts'

/**
 * What figures of reports are made of, entries of the log together as a text. Where it ends says how far it has come: of
 * entries that were carried before there was such a table, it is written first.
 */
export async function reportFacts(db: Kysely<unknown>): Promise<void> {
  await run(db, [
    `create table report_facts (
      log_id integer not null,
      first_idx bigint not null,
      n integer not null check (n > 0),
      sealed integer not null check (sealed >= 0),
      facts text collate "C" not null,
      primary key (log_id, first_idx))`,
    ...secured('report_facts'),
    ...readAll('report_facts', 'aldis_ledger'),
    'grant select, insert on report_facts to aldis_projector',
    policy('report_facts', 'aldis_projector', { for: 'all', using: 'true', check: 'true' }),
  ])
}
