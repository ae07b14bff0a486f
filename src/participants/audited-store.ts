import type { Db } from '../db/connect.ts'
import { FEED_KIND } from './schema.ts'

// What auditors see of the programme's own tables: no name of a person, no code, no key but the public ones.

export const participants = (db: Db) =>
  db
    .selectFrom('participant')
    .select(['participant_id', 'slug', 'kind', 'status', 'probation_until', 'last_event'])
    .orderBy('slug')
    .execute()

export const agreements = (db: Db) =>
  db
    .selectFrom('agreement as a')
    .innerJoin('participant as p', 'p.participant_id', 'a.participant_id')
    .select(['p.slug', 'a.version', 'a.accepted_at', 'a.last_event'])
    .orderBy('p.slug')
    .orderBy('a.version')
    .execute()

export const credentials = (db: Db) =>
  db
    .selectFrom('credential as c')
    .innerJoin('participant as p', 'p.participant_id', 'c.participant_id')
    .select(['c.credential_id', 'p.slug', 'c.spki', 'c.scopes', 'c.status', 'c.not_before', 'c.not_after'])
    .select('c.last_event')
    .orderBy('c.credential_id')
    .execute()

export const signingKeys = (db: Db) =>
  db
    .selectFrom('signing_key as k')
    .innerJoin('participant as p', 'p.participant_id', 'k.participant_id')
    .select(['p.slug', 'k.kid', 'k.jwk', 'k.status', 'k.not_before', 'k.not_after', 'k.last_event'])
    .orderBy('p.slug')
    .orderBy('k.kid')
    .execute()

export const groups = (db: Db) =>
  db.selectFrom('participant_group').select(['slug', 'ended_at', 'last_event']).orderBy('slug').execute()

/** Who is or was in which group, each stay by itself. */
export const groupMembers = (db: Db) =>
  db
    .selectFrom('group_member as m')
    .innerJoin('participant_group as g', 'g.group_id', 'm.group_id')
    .innerJoin('participant as p', 'p.participant_id', 'm.participant_id')
    .select(['g.slug as group', 'p.slug', 'm.joined_at', 'm.left_at', 'm.last_event'])
    .orderBy('g.slug')
    .orderBy('p.slug')
    .orderBy('m.joined_at')
    .execute()

export const audiences = (db: Db) =>
  db
    .selectFrom('audience as a')
    .leftJoin('participant_group as g', 'g.group_id', 'a.group_id')
    .leftJoin('participant as p', 'p.participant_id', 'a.owner')
    .innerJoin('feed as f', 'f.audience_id', 'a.audience_id')
    .select(['a.audience_id', 'a.kind', 'a.mode', 'g.slug as group', 'p.slug as owner', 'f.feed_id', 'a.last_event'])
    .orderBy('a.audience_id')
    .execute()

export const inboxes = (db: Db) =>
  db
    .selectFrom('feed as f')
    .innerJoin('participant as p', 'p.participant_id', 'f.participant_id')
    .select(['p.slug', 'f.feed_id'])
    .where('f.kind', '=', FEED_KIND.inbox)
    .orderBy('p.slug')
    .execute()

export const audienceMembers = (db: Db) =>
  db
    .selectFrom('audience_member as m')
    .innerJoin('participant as p', 'p.participant_id', 'm.participant_id')
    .select(['m.audience_id', 'p.slug', 'm.until_seq'])
    .orderBy('m.audience_id')
    .orderBy('p.slug')
    .execute()

export const hashProfiles = (db: Db) =>
  db
    .selectFrom('hash_profile')
    .select(['kid', 'suite', 'status', 'not_before', 'not_after', 'public_key', 'shares', 'last_event'])
    .orderBy('kid')
    .execute()

export const quotas = (db: Db) =>
  db
    .selectFrom('evaluation_quota as q')
    .innerJoin('participant as p', 'p.participant_id', 'q.participant_id')
    .select(['p.slug', 'q.purpose', 'q.per_day', 'q.last_event'])
    .orderBy('p.slug')
    .orderBy('q.purpose')
    .execute()

export const policies = (db: Db) =>
  db.selectFrom('policy').select(['kind', 'version', 'body', 'last_event']).orderBy('kind').orderBy('version').execute()

export const holds = (db: Db) =>
  db
    .selectFrom('hold_switch')
    .select(['region', 'legal_basis', 'surface', 'held', 'last_event'])
    .orderBy('region')
    .orderBy('legal_basis')
    .orderBy('surface')
    .execute()

export const pauses = (db: Db) =>
  db.selectFrom('feed_pause').select(['feed_id', 'paused', 'reason', 'last_event']).orderBy('feed_id').execute()

export const people = (db: Db) =>
  db.selectFrom('person').select(['person_id', 'organisation', 'status', 'last_event']).orderBy('person_id').execute()

export const roles = (db: Db) =>
  db
    .selectFrom('role_grant')
    .select(['person_id', 'role', 'granted_at', 'ended_at', 'last_event'])
    .orderBy('person_id')
    .orderBy('role')
    .orderBy('granted_at')
    .execute()

export const logins = (db: Db) =>
  db
    .selectFrom('login')
    .select(['login_id', 'person_id', 'issuer', 'subject', 'ended_at', 'last_event'])
    .orderBy('login_id')
    .execute()

export const requests = (db: Db) =>
  db
    .selectFrom('approval_request')
    .select(['request_id', 'action', 'digest', 'requested_by', 'executed_at', 'cancelled_at', 'last_event'])
    .orderBy('request_id')
    .execute()

export const votes = (db: Db) =>
  db
    .selectFrom('approval')
    .select(['request_id', 'approver', 'digest', 'verdict', 'last_event'])
    .orderBy('request_id')
    .orderBy('approver')
    .execute()

export const onboardings = (db: Db) =>
  db
    .selectFrom('onboarding')
    .select(['onboarding_id', 'slug', 'kind', 'outcome', 'last_event'])
    .orderBy('onboarding_id')
    .execute()

export const onboardingItems = (db: Db) =>
  db
    .selectFrom('onboarding_item')
    .select(['onboarding_id', 'item', 'state', 'version', 'digest', 'last_event'])
    .orderBy('onboarding_id')
    .orderBy('item')
    .execute()

export const codes = (db: Db) =>
  db
    .selectFrom('enrolment as e')
    .innerJoin('participant as p', 'p.participant_id', 'e.participant_id')
    .select(['e.enrolment_id', 'p.slug', 'e.scopes', 'e.expires_at', 'e.tries', 'e.used_at', 'e.last_event'])
    .orderBy('e.enrolment_id')
    .execute()
