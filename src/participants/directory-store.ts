import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'

// What the directory tells of participants, all of it; each table is small.

export const admitted = (db: Db | Tx) =>
  db
    .selectFrom('participant')
    .select(['participant_id', 'slug', 'name', 'kind', 'status', 'admitted_at', 'probation_until'])
    .orderBy('slug')
    .execute()

/** The groups that each participant is in now. */
export const presentGroups = (db: Db | Tx) =>
  db
    .selectFrom('group_member as m')
    .innerJoin('participant_group as g', 'g.group_id', 'm.group_id')
    .select(['m.participant_id', 'g.slug'])
    .where('m.left_at', 'is', null)
    .orderBy('g.slug')
    .execute()

/** In the order in which they were accepted. */
export const agreements = (db: Db | Tx) =>
  db
    .selectFrom('agreement')
    .select(['participant_id', 'version', 'digest', 'accepted_at'])
    .orderBy('accepted_at')
    .execute()

export const credentials = (db: Db | Tx) =>
  db
    .selectFrom('credential')
    .select(['credential_id', 'participant_id', 'label', 'spki', 'scopes', 'status', 'not_before', 'not_after'])
    .orderBy('not_after', 'desc')
    .execute()

export const signingKeys = (db: Db | Tx) =>
  db
    .selectFrom('signing_key')
    .select(['participant_id', 'kid', 'alg', 'status', 'not_before', 'not_after'])
    .orderBy('not_after', 'desc')
    .execute()
