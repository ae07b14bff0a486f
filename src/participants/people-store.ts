import type { ExpressionBuilder } from 'kysely'
import type { Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Database } from '../db/tables.ts'
import type { Uuid } from '../kernel/ids.ts'
import { belowOf, type PageAsked } from '../kernel/page.ts'
import type { PersonInRole } from './approval-rule.ts'
import { PARTICIPANT_STATUS, PERSON_STATUS, ROLES, type Role, VERDICT } from './schema.ts'

// ---- persons and roles

export interface PersonRow {
  person_id: Uuid
  organisation: string
  name: string
  status: number
  last_event: Uuid
}

export async function insertPerson(tx: Tx, row: PersonRow): Promise<void> {
  await tx.insertInto('person').values(row).execute()
}

export const persons = (db: Db | Tx): Promise<Omit<PersonRow, 'last_event'>[]> =>
  db
    .selectFrom('person')
    .select(['person_id', 'organisation', 'name', 'status'])
    .orderBy('organisation')
    .orderBy('name')
    .orderBy('person_id')
    .execute()

/** An active person with its roles that count. */
export async function personInRole(tx: Tx, person_id: Uuid): Promise<PersonInRole | undefined> {
  const person = await tx
    .selectFrom('person')
    .select(['person_id', 'organisation'])
    .where('person_id', '=', person_id)
    .where('status', '=', PERSON_STATUS.active)
    .executeTakeFirst()
  if (person === undefined) return undefined
  const held = await countingRoles(tx)
  return { ...person, roles: held.get(person_id) ?? [] }
}

const presentGrants = (db: Db | Tx) =>
  db
    .selectFrom('role_grant as r')
    .innerJoin('person as p', 'p.person_id', 'r.person_id')
    .select(['r.person_id', 'r.role'])
    .where('r.ended_at', 'is', null)
    .where('p.status', '=', PERSON_STATUS.active)
    .orderBy('r.granted_at')

/** The present roles of every active person. */
export const presentRoles = async (db: Db | Tx): Promise<Map<Uuid, Role[]>> =>
  byPerson(await presentGrants(db).execute())

/** Those with which somebody acts: nobody does of a participant that is suspended or has left. Others are of no participant. */
export const countingRoles = async (db: Db | Tx): Promise<Map<Uuid, Role[]>> =>
  byPerson(
    await presentGrants(db)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('participant as o')
              .select('o.participant_id')
              .whereRef('o.slug', '=', 'p.organisation')
              .where('o.status', '<>', PARTICIPANT_STATUS.active),
          ),
        ),
      )
      .execute(),
  )

function byPerson(rows: readonly { person_id: Uuid; role: string }[]): Map<Uuid, Role[]> {
  const held = new Map<Uuid, Role[]>()
  for (const { person_id, role } of rows) {
    if (isRole(role)) held.set(person_id, [...(held.get(person_id) ?? []), role])
  }
  return held
}

export async function insertRole(
  tx: Tx,
  row: { person_id: Uuid; role: Role; granted_at: Date; last_event: Uuid },
): Promise<void> {
  await tx
    .insertInto('role_grant')
    .values({ ...row, ended_at: null })
    .execute()
}

export async function endRole(
  tx: Tx,
  of: { person_id: Uuid; role: Role },
  change: { ended_at: Date; last_event: Uuid },
): Promise<void> {
  await tx
    .updateTable('role_grant')
    .set(change)
    .where('person_id', '=', of.person_id)
    .where('role', '=', of.role)
    .where('ended_at', 'is', null)
    .execute()
}

export async function setPersonStatus(
  tx: Tx,
  person_id: Uuid,
  change: { status: number; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('person').set(change).where('person_id', '=', person_id).execute()
}

/** Every role that the person still holds. */
export async function endRoles(tx: Tx, person_id: Uuid, change: { ended_at: Date; last_event: Uuid }): Promise<void> {
  await tx
    .updateTable('role_grant')
    .set(change)
    .where('person_id', '=', person_id)
    .where('ended_at', 'is', null)
    .execute()
}

const isRole = (role: string): role is Role => ROLES.some((known) => known === role)

// ---- requests and approvals

export interface RequestRow {
  request_id: Uuid
  action: string
  payload: string
  digest: Buffer
  requested_by: Uuid
  requested_org: string
  other_org: boolean
  needed: number
  requested_at: Date
  expires_at: Date
  executed_at: Date | null
  cancelled_at: Date | null
  last_event: Uuid
}

export async function insertRequest(tx: Tx, row: RequestRow): Promise<void> {
  await tx.insertInto('approval_request').values(row).execute()
}

export const requestById = (tx: Tx, request_id: Uuid): Promise<RequestRow | undefined> =>
  tx.selectFrom('approval_request').selectAll().where('request_id', '=', request_id).executeTakeFirst()

/** Locked: whoever votes or executes meanwhile waits and then sees what became of it. */
export const requestForUpdate = (tx: Tx, request_id: Uuid): Promise<RequestRow | undefined> =>
  tx.selectFrom('approval_request').selectAll().where('request_id', '=', request_id).forUpdate().executeTakeFirst()

/** Not carried out, taken back, rejected or over. */
const stands = (now: Date) => (eb: ExpressionBuilder<Database, 'approval_request'>) =>
  eb.and([
    ...[eb('executed_at', 'is', null), eb('cancelled_at', 'is', null), eb('expires_at', '>', now)],
    eb.not(
      eb.exists(
        eb
          .selectFrom('approval as a')
          .select('a.request_id')
          .whereRef('a.request_id', '=', 'approval_request.request_id')
          .where('a.verdict', '=', VERDICT.reject),
      ),
    ),
  ])

export const openRequests = (db: Db | Tx, now: Date): Promise<RequestRow[]> =>
  db.selectFrom('approval_request').selectAll().where(stands(now)).orderBy('requested_at').execute()

/** The newest first. */
export const waitingRequests = (tx: Tx, now: Date, asked: PageAsked): Promise<RequestRow[]> =>
  tx
    .selectFrom('approval_request')
    .selectAll()
    .where(stands(now))
    .where('request_id', '<', belowOf(asked))
    .orderBy('request_id', 'desc')
    .limit(asked.limit)
    .execute()

/** How many requests of an action, asked for before, nobody has answered. */
export async function unanswered(db: Db | Tx, action: string, before: Date): Promise<number> {
  const { n } = await db
    .selectFrom('approval_request as r')
    .leftJoin('approval as a', 'a.request_id', 'r.request_id')
    .select((eb) => eb.fn.countAll<bigint>().as('n'))
    .where('r.action', '=', action)
    .where('r.requested_at', '<=', before)
    .where('r.executed_at', 'is', null)
    .where('a.request_id', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(n)
}

/** Requests of some acts that stand no more; the newest first. */
export const endedRequests = (
  tx: Tx,
  { actions, now }: { actions: readonly string[]; now: Date },
  asked: PageAsked,
): Promise<RequestRow[]> =>
  tx
    .selectFrom('approval_request')
    .selectAll()
    .where('action', 'in', actions)
    .where((eb) => eb.not(stands(now)(eb)))
    .where('request_id', '<', belowOf(asked))
    .orderBy('request_id', 'desc')
    .limit(asked.limit)
    .execute()

/** The votes on some requests, in the order they were given. */
export const votesOn = (db: Db | Tx, requests: readonly Uuid[]) =>
  db
    .selectFrom('approval')
    .select(['request_id', 'approver', 'approver_org', 'verdict', 'digest', 'at', 'note'])
    .where('request_id', 'in', requests)
    .orderBy('at')
    .orderBy('last_event')
    .execute()

/** What was carried out, oldest first. */
export async function executedRequests(db: Db | Tx, action: string): Promise<(RequestRow & { executed_at: Date })[]> {
  const rows = await db
    .selectFrom('approval_request')
    .selectAll()
    .where('action', '=', action)
    .where('executed_at', 'is not', null)
    .orderBy('executed_at')
    .execute()
  return rows.flatMap(({ executed_at, ...row }) => (executed_at === null ? [] : [{ ...row, executed_at }]))
}

export async function markExecuted(
  tx: Tx,
  request_id: Uuid,
  change: { executed_at: Date; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('approval_request').set(change).where('request_id', '=', request_id).execute()
}

export async function markCancelled(
  tx: Tx,
  request_id: Uuid,
  change: { cancelled_at: Date; last_event: Uuid },
): Promise<void> {
  await tx.updateTable('approval_request').set(change).where('request_id', '=', request_id).execute()
}

export interface ApprovalRow {
  request_id: Uuid
  requested_by: Uuid
  requested_org: string
  other_org: boolean
  digest: Buffer
  approver: Uuid
  approver_org: string
  verdict: number
  auth_time: Date
  at: Date
  note: string | null
  last_event: Uuid
}

export async function insertApproval(tx: Tx, row: ApprovalRow): Promise<void> {
  await tx.insertInto('approval').values(row).execute()
}

/** In the order they were given. */
export const approvalsOf = (
  tx: Tx,
  request_id: Uuid,
): Promise<Pick<ApprovalRow, 'approver' | 'verdict' | 'digest' | 'last_event'>[]> =>
  tx
    .selectFrom('approval')
    .select(['approver', 'verdict', 'digest', 'last_event'])
    .where('request_id', '=', request_id)
    .orderBy('at')
    .orderBy('last_event')
    .execute()
