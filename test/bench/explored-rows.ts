import type pg from 'pg'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { Made } from './explored-entries.ts'

/** The rows that made entries tell of: signals as they were submitted, answers, disputes. */
export async function putRows(db: pg.Pool, audience: Uuid, made: readonly Made[]): Promise<void> {
  const shared = made.flatMap(({ event, signal }) => (signal === undefined ? [] : [{ ...event, ...signal }]))
  const said = made.flatMap(({ event, feedback }) => (feedback === undefined ? [] : [{ ...event, ...feedback }]))
  const opened = made.flatMap(({ event, dispute }) => (dispute === undefined ? [] : [{ ...event, ...dispute }]))
  const ids = (of: readonly (typeof shared)[number][]) => [
    of.map((one) => one.participant_id),
    of.map((one) => one.event_id),
    of.map((one) => one.at.toISOString()),
    of.map((one) => one.signal),
  ]
  const about = (of: typeof said) => [
    of.map((one) => one.participant_id),
    of.map((one) => one.event_id),
    of.map((one) => one.at.toISOString()),
    of.map((one) => one.signal),
    of.map((one) => one.origin),
  ]
  await db.query(SUBMISSIONS, ids(shared).slice(0, 3))
  await db.query(SIGNALS, [...ids(shared), audience])
  await db.query(REVISIONS, [
    ...[shared.map((one) => one.participant_id), shared.map((one) => one.event_id), shared.map((one) => one.signal)],
    shared.map((one) => one.item),
  ])
  await db.query(FEEDBACK, about(said))
  await db.query(DISPUTES, about(opened))
}

const HASH = 'sha256(uuid_send(u.event))'

const SUBMISSIONS = `
  insert into submission (participant_id, submission_id, jti, typ, od, jws, n, leaves, response, received_at)
  select u.participant, u.event, u.event::text, 1, ${HASH}, '', 1, ${HASH}, '', u.at
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u(participant, event, at)`
const SIGNALS = `
  insert into signal (participant_id, signal_id, signal_key, type, profile, category, audience_id, revision, state,
    expires_at, leaf, last_event)
  select u.participant, u.signal, ${HASH}, 1, 'email/1@epoch-1', 3, $5::uuid, 1, 1, u.at + interval '90 days', ${HASH}, u.event
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[]) as u(participant, event, at, signal)`
const REVISIONS = `
  insert into signal_revision (participant_id, signal_id, revision, submission_id, item_index, salt, item)
  select u.participant, u.signal, 1, u.event, 0, uuid_send(u.event), u.item
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) as u(participant, event, signal, item)`
const FEEDBACK = `
  insert into feedback (participant_id, feedback_id, origin, signal_id, revision, outcome, authority, own_hits, recurrences,
    told, at)
  select u.participant, u.event, u.origin, u.signal, 1, 1, 1, 0, 0, '', u.at
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::uuid[]) as u(participant, event, at, signal, origin)`
const DISPUTES = `
  insert into dispute (participant_id, dispute_id, origin, signal_id, revision, ground, authority, told, opened_at, due_at,
    last_event)
  select u.participant, u.event, u.origin, u.signal, 1, 'false_match', 1, '', u.at, u.at + interval '7 days', u.event
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::uuid[]) as u(participant, event, at, signal, origin)`
