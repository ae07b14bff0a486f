import { sql } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Uuid } from '../kernel/ids.ts'

export interface NewSession {
  session_id: Uuid
  cookie: Buffer
  csrf: Buffer
  person_id: Uuid
  login_id: Uuid
  claimed: string[]
  roles: string[]
  acr: string | null
  stepped_up: boolean
  auth_time: Date
  agent: string
  made_at: Date
  seen_at: Date
  ends_at: Date
}

export async function insertSession(tx: Tx, row: NewSession): Promise<void> {
  await tx
    .insertInto('console_session')
    .values({ ...row, ended_at: null, end_reason: null })
    .execute()
}

/** The session of a cookie with what is true of its person now: status, login, present roles. */
export const sessionByCookie = (db: Db, cookie: Buffer) =>
  db
    .selectFrom('console_session as s')
    .innerJoin('person as p', 'p.person_id', 's.person_id')
    .innerJoin('login as l', 'l.login_id', 's.login_id')
    .selectAll('s')
    .select(['p.organisation', 'p.status', 'l.ended_at as login_ended_at', 'l.issuer'])
    .select(
      sql<string[]>`array(select r.role from role_grant r where r.person_id = s.person_id and r.ended_at is null)`.as(
        'granted',
      ),
    )
    .where('s.cookie', '=', cookie)
    .executeTakeFirst()

export const sessionsOf = (db: Db | Tx, person_id: Uuid) =>
  db
    .selectFrom('console_session')
    .select(['session_id', 'agent', 'made_at', 'seen_at', 'ends_at', 'ended_at', 'end_reason'])
    .where('person_id', '=', person_id)
    .orderBy('made_at', 'desc')
    .limit(50)
    .execute()

/** How many sessions each of some persons has that have not been ended, whatever their age. */
export const openSessions = (db: Db, persons: readonly Uuid[]) =>
  db
    .selectFrom('console_session')
    .select(['person_id', ({ fn }) => fn.max('seen_at').as('seen_at')])
    .where('person_id', 'in', persons)
    .where('ended_at', 'is', null)
    .groupBy('person_id')
    .execute()

export async function seen(db: Db, session_id: Uuid, at: Date): Promise<void> {
  await db.updateTable('console_session').set({ seen_at: at }).where('session_id', '=', session_id).execute()
}

/** Another value of the cookie from now on, and what it stands for. */
export async function renewSession(
  db: Db | Tx,
  session_id: Uuid,
  change: { cookie: Buffer; roles: string[] } & Partial<
    Pick<NewSession, 'claimed' | 'acr' | 'stepped_up' | 'auth_time' | 'seen_at'>
  >,
): Promise<void> {
  await db
    .updateTable('console_session')
    .set(change)
    .where('session_id', '=', session_id)
    .where('ended_at', 'is', null)
    .execute()
}

interface Ending {
  person_id: Uuid
  session_id?: Uuid | undefined
  at: Date
  reason: string
}

/** Ends one session of a person, or all; answers how many. */
export async function endSessions(db: Db | Tx, { person_id, session_id, at, reason }: Ending): Promise<number> {
  let query = db
    .updateTable('console_session')
    .set({ ended_at: at, end_reason: reason })
    .where('person_id', '=', person_id)
    .where('ended_at', 'is', null)
  if (session_id !== undefined) query = query.where('session_id', '=', session_id)
  const { numUpdatedRows } = await query.executeTakeFirst()
  return Number(numUpdatedRows)
}

/** What ended by its time longer ago. */
export async function forgetSessions(db: Db | Tx, before: Date): Promise<void> {
  await db.deleteFrom('console_session').where('ends_at', '<', before).execute()
}

/** False if the session has sent this form before. */
export async function takeForm(db: Db, row: { session_id: Uuid; once: Uuid }): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('console_form')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return Number(numInsertedOrUpdatedRows ?? 0) > 0
}

export async function giveFormBack(db: Db, { session_id, once }: { session_id: Uuid; once: Uuid }): Promise<void> {
  await db.deleteFrom('console_form').where('session_id', '=', session_id).where('once', '=', once).execute()
}
