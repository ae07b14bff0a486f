import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'
import { PERSON_STATUS } from './schema.ts'

export interface LoginRow {
  login_id: Uuid
  person_id: Uuid
  issuer: string
  subject: string
  given_at: Date
  last_event: Uuid
}

export async function insertLogin(tx: Tx, row: LoginRow): Promise<void> {
  await tx
    .insertInto('login')
    .values({ ...row, ended_at: null })
    .execute()
}

/** A login that somebody has now. */
export const liveLogin = (db: Db | Tx, of: { issuer: string; subject: string }) =>
  db
    .selectFrom('login as l')
    .innerJoin('person as p', 'p.person_id', 'l.person_id')
    .select(['l.login_id', 'l.person_id', 'p.organisation', 'p.name'])
    .where('l.issuer', '=', of.issuer)
    .where('l.subject', '=', of.subject)
    .where('l.ended_at', 'is', null)
    .where('p.status', '=', PERSON_STATUS.active)
    .executeTakeFirst()

/** The logins in force of everybody, the oldest first. */
export const liveLogins = (db: Db | Tx): Promise<Omit<LoginRow, 'last_event'>[]> =>
  db
    .selectFrom('login')
    .select(['login_id', 'person_id', 'issuer', 'subject', 'given_at'])
    .where('ended_at', 'is', null)
    .orderBy('given_at')
    .orderBy('login_id')
    .execute()

export const loginById = (tx: Tx, login_id: Uuid): Promise<Pick<LoginRow, 'login_id' | 'person_id'> | undefined> =>
  tx
    .selectFrom('login')
    .select(['login_id', 'person_id'])
    .where('login_id', '=', login_id)
    .where('ended_at', 'is', null)
    .executeTakeFirst()

export async function endLogin(tx: Tx, login_id: Uuid, change: { ended_at: Date; last_event: Uuid }): Promise<void> {
  await tx.updateTable('login').set(change).where('login_id', '=', login_id).execute()
}

export async function endLoginsOf(
  tx: Tx,
  person_id: Uuid,
  change: { ended_at: Date; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('login').set(change).where('person_id', '=', person_id).where('ended_at', 'is', null).execute()
}
