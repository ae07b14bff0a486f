import type { Kysely } from 'kysely'
import { policy, run } from '../src/db/ddl.ts'

/** Columns of what recipients find that auditors are told of: no text, and no match key. */
const COLUMNS: Readonly<Record<string, string>> = {
  feed_entry: 'feed_id, seq, kind, origin, signal_id, revision',
  shared_signal: 'signal_id, origin, audience_id, revision, state, expires_at',
}

/** What feeds and look-ups give out is held against the log too. */
export async function auditedFeeds(db: Kysely<unknown>): Promise<void> {
  for (const [table, columns] of Object.entries(COLUMNS))
    await run(db, [
      `grant select (${columns}) on ${table} to aldis_ledger`,
      policy(table, 'aldis_ledger', { for: 'select', using: 'true' }),
    ])
  await run(db, ['grant select on projector to aldis_ledger'])
}
