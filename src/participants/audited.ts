import type { Db } from '../db/connect.ts'
import { toBase64Url, toHex } from '../kernel/bytes.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { StatePart, StateRow } from '../provenance/audited.ts'
import { inboxName } from '../provenance/schema.ts'
import * as store from './audited-store.ts'
import { ITEM_STATE, ONBOARDING_OUTCOME } from './checklist.ts'
import { loginDigest } from './login.ts'
import {
  AUDIENCE_KIND,
  AUDIENCE_MODE,
  CREDENTIAL_STATUS,
  KEY_STATUS,
  nameOf,
  PARTICIPANT_KIND,
  PARTICIPANT_STATUS,
  PERSON_STATUS,
  PROFILE_STATUS,
  VERDICT,
} from './schema.ts'

/** Each table of the programme as rows that its log can be held against; each is small, and one page. */
export const auditedProgramme: readonly StatePart[] = [
  whole(async (db) =>
    (await store.participants(db)).map(({ slug, kind, status, probation_until, last_event }) => ({
      of: `participant ${slug}`,
      state: {
        ...{ kind: nameOf(PARTICIPANT_KIND, kind), status: nameOf(PARTICIPANT_STATUS, status) },
        ...(probation_until !== null && { probation: probation_until.toISOString() }),
      },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.agreements(db)).map(({ slug, version, accepted_at, last_event }) => ({
      of: `agreement ${slug} ${version}`,
      state: { accepted: accepted_at.toISOString() },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.credentials(db)).map((row) => ({
      of: `credential ${row.credential_id}`,
      state: {
        ...{ participant: row.slug, spki: toHex(row.spki), scopes: row.scopes },
        ...{ status: nameOf(CREDENTIAL_STATUS, row.status), ...datesOf(row) },
      },
      event: row.last_event,
    })),
  ),
  whole(async (db) =>
    (await store.signingKeys(db)).map((row) => ({
      of: `signing-key ${row.slug} ${row.kid}`,
      state: { key: row.jwk, status: nameOf(KEY_STATUS, row.status), ...datesOf(row) },
      event: row.last_event,
    })),
  ),
  whole(async (db) =>
    (await store.groups(db)).map(({ slug, ended_at, last_event }) => ({
      of: `group ${slug}`,
      state: ended_at === null ? {} : { ended: ended_at.toISOString() },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.groupMembers(db)).map(({ group, slug, joined_at, left_at, last_event }) => ({
      of: `group-member ${group} ${slug} ${joined_at.toISOString()}`,
      state: { left: left_at?.toISOString() ?? null },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.audiences(db)).map(({ audience_id, kind, mode, group, owner, last_event }) => ({
      of: `audience ${audience_id}`,
      state: {
        ...{ kind: nameOf(AUDIENCE_KIND, kind), mode: nameOf(AUDIENCE_MODE, mode) },
        ...{ group, owner },
      },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.audiences(db)).map(({ audience_id, feed_id }) => ({
      of: `feed ${audience_id}`,
      state: { feed: feed_id },
    })),
  ),
  whole(async (db) =>
    (await store.inboxes(db)).map(({ slug, feed_id }) => ({ of: `feed ${inboxName(slug)}`, state: { feed: feed_id } })),
  ),
  whole(async (db) =>
    (await store.audienceMembers(db)).map(({ audience_id, slug, until_seq }) => ({
      of: `audience-member ${audience_id} ${slug}`,
      state: { member: until_seq === null },
    })),
  ),
  whole(async (db) =>
    (await store.hashProfiles(db)).map((row) => ({
      of: `hash-profile ${row.kid}`,
      state: {
        ...{ suite: row.suite, status: nameOf(PROFILE_STATUS, row.status), ...datesOf(row) },
        public_key: row.public_key === null ? null : toBase64Url(row.public_key),
        shares: row.shares === null ? null : (JSON.parse(row.shares) as unknown),
      },
      event: row.last_event,
    })),
  ),
  whole(async (db) =>
    (await store.quotas(db)).map(({ slug, purpose, per_day, last_event }) => ({
      of: `quota ${slug} ${purpose}`,
      state: { per_day },
      event: last_event,
    })),
  ),
  // The digest of what is stored, not the one that is stored beside it.
  whole(async (db) =>
    (await store.policies(db)).map(({ kind, version, body, last_event }) => ({
      of: `policy ${kind} ${version}`,
      state: { digest: toBase64Url(sha256(body)) },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.holds(db)).map(({ region, legal_basis, surface, held, last_event }) => ({
      of: `collection ${region} ${legal_basis} ${surface}`,
      state: { held },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.pauses(db)).map(({ feed_id, paused, reason, last_event }) => ({
      of: `feed-pause ${feed_id}`,
      state: { paused, reason },
      event: last_event,
    })),
  ),
]

/** The same of people, requests and codes. */
export const auditedPeople: readonly StatePart[] = [
  whole(async (db) =>
    (await store.people(db)).map(({ person_id, organisation, status, last_event }) => ({
      of: `person ${person_id}`,
      state: { organisation, status: nameOf(PERSON_STATUS, status) },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.roles(db)).map(({ person_id, role, granted_at, ended_at, last_event }) => ({
      of: `role ${person_id} ${role} ${granted_at.toISOString()}`,
      state: { ended: ended_at?.toISOString() ?? null },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.logins(db)).map(({ login_id, person_id, issuer, subject, ended_at, last_event }) => ({
      of: `login ${login_id}`,
      state: {
        ...{ person: person_id, digest: loginDigest(login_id, { issuer, subject }) },
        ended: ended_at?.toISOString() ?? null,
      },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.requests(db)).map((row) => ({
      of: `request ${row.request_id}`,
      state: {
        ...{ action: row.action, digest: toBase64Url(row.digest), by: row.requested_by },
        executed: row.executed_at?.toISOString() ?? null,
        ...(row.cancelled_at !== null && { cancelled: row.cancelled_at.toISOString() }),
      },
      event: row.last_event,
    })),
  ),
  whole(async (db) =>
    (await store.votes(db)).map(({ request_id, approver, digest, verdict, last_event }) => ({
      of: `vote ${request_id} ${approver}`,
      state: { digest: toBase64Url(digest), verdict: nameOf(VERDICT, verdict) },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.onboardings(db)).map(({ onboarding_id, slug, kind, outcome, last_event }) => ({
      of: `onboarding ${onboarding_id}`,
      state: {
        ...{ participant: slug, kind: nameOf(PARTICIPANT_KIND, kind) },
        outcome: outcome === null ? null : nameOf(ONBOARDING_OUTCOME, outcome),
      },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.onboardingItems(db)).map(({ onboarding_id, item, state, version, digest, last_event }) => ({
      of: `onboarding-item ${onboarding_id} ${item}`,
      state: { state: nameOf(ITEM_STATE, state), version, digest: toHex(digest) },
      event: last_event,
    })),
  ),
  whole(async (db) =>
    (await store.codes(db)).map(({ enrolment_id, slug, scopes, expires_at, tries, used_at, last_event }) => ({
      of: `code ${enrolment_id}`,
      state: {
        ...{ participant: slug, scopes, to: expires_at.toISOString(), tries },
        used: used_at?.toISOString() ?? null,
      },
      event: last_event,
    })),
  ),
]

function whole(read: (db: Db) => Promise<StateRow[]>): StatePart {
  return { page: async (db) => ({ rows: await read(db), next: undefined }) }
}

const datesOf = ({ not_before, not_after }: { not_before: Date; not_after: Date }) => ({
  from: not_before.toISOString(),
  to: not_after.toISOString(),
})
