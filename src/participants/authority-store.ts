import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { ReferenceData } from './snapshot.ts'

/** The number that moves with every change of reference tables. */
export const currentEpoch = async (db: Db | Tx): Promise<bigint> =>
  (await db.selectFrom('authority_epoch').select('epoch').where('one', '=', 1).executeTakeFirstOrThrow()).epoch

/** Every reference table at one moment. */
export const referenceData = (db: Db): Promise<ReferenceData> =>
  db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(readAll)

async function readAll(db: Db): Promise<ReferenceData> {
  return {
    epoch: await currentEpoch(db),
    programme: await db.selectFrom('programme').selectAll().executeTakeFirst(),
    participants: await db.selectFrom('participant').selectAll().orderBy('slug').execute(),
    credentials: await db.selectFrom('credential').selectAll().execute(),
    signingKeys: await db.selectFrom('signing_key').selectAll().orderBy('not_before').execute(),
    groups: await db.selectFrom('participant_group').selectAll().execute(),
    audiences: await db.selectFrom('audience').selectAll().orderBy('audience_id').execute(),
    members: await db.selectFrom('audience_member').selectAll().execute(),
    feeds: await db.selectFrom('feed').selectAll().execute(),
    hashProfiles: await db.selectFrom('hash_profile').selectAll().orderBy('kid').execute(),
    quotas: await db.selectFrom('evaluation_quota').selectAll().execute(),
    policies: await db.selectFrom('policy').selectAll().orderBy('kind').orderBy('version').execute(),
    pauses: await db.selectFrom('feed_pause').select('feed_id').where('paused', '=', true).execute(),
    holds: await db.selectFrom('hold_switch').selectAll().where('held', '=', true).execute(),
  }
}
