import type { Kysely } from 'kysely'
import { policy, run } from '../src/db/ddl.ts'

/** Columns that auditors are told of, by table: never a match key, a name of a person, a code. */
const PLACED: Readonly<Record<string, string>> = {
  prov_outbox: 'participant_id, event_id, log_id',
  signal: 'participant_id, signal_id, type, category, audience_id, revision, state, expires_at, leaf, last_event',
  signal_revision: 'participant_id, signal_id, revision, submission_id, item_index, salt, item',
  feed_ack: 'participant_id, feed_id, stage, seq, last_event',
}
const CONTROL: Readonly<Record<string, string>> = {
  person: 'person_id, organisation, status, last_event',
  role_grant: 'person_id, role, granted_at, ended_at, last_event',
  approval_request: 'request_id, action, digest, requested_by, executed_at, last_event',
  approval: 'request_id, approver, digest, verdict, last_event',
  enrolment: 'enrolment_id, participant_id, scopes, expires_at, tries, used_at, last_event',
}

/** What the log's entries must fold to is read by whoever gives the log out. */
export async function audit(db: Kysely<unknown>): Promise<void> {
  for (const [table, columns] of Object.entries({ ...PLACED, ...CONTROL }))
    await run(db, [`grant select (${columns}) on ${table} to aldis_ledger`])
  for (const table of Object.keys(PLACED))
    await run(db, [policy(table, 'aldis_ledger', { for: 'select', using: 'true' })])
}
