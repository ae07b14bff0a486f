import type { Db } from '../db/connect.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { PayloadOf } from './action.ts'
import * as store from './people-store.ts'

/** A rotation of the log that two persons decided. */
export interface DecidedRotation extends PayloadOf<'log.rotate'> {
  request: Uuid
  person: Uuid
  at: Date
}

/** The present log's origin, and what the next one's would be. */
export interface NextLog {
  origin: string
  next: string
}

export interface RotationContext {
  nextLog(): Promise<NextLog>
}

/** That it was approved and executed is all that the database keeps: the node carries it out when it opens its logs. */
export async function rotate(
  { nextLog }: RotationContext,
  { log, next }: PayloadOf<'log.rotate'>,
): Promise<{ next: string }> {
  const now = await nextLog()
  if (log !== now.origin || next !== now.next)
    throw new Refusal('state-conflict', { detail: `the present log is ${now.origin}, the next ${now.next}` })
  return { next }
}

/** Every executed one, in the order of their execution. */
export async function decidedRotations(admin: Db): Promise<DecidedRotation[]> {
  const rows = await store.executedRequests(admin, 'log.rotate')
  return rows.map(({ request_id, requested_by, executed_at, payload }) => ({
    ...(JSON.parse(payload) as PayloadOf<'log.rotate'>),
    ...{ request: request_id, person: requested_by, at: executed_at },
  }))
}
