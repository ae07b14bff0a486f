import { Compile } from 'typebox/compile'
import type { Tx } from '../db/as-participant.ts'
import { equal, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { type FieldError, Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Act, type ActContext, log } from './act.ts'
import { ACTIONS, type ActionName, type PayloadOf } from './action.ts'
import type { PersonInRole } from './approval-rule.ts'
import * as store from './people-store.ts'
import { AHEAD_DAYS, effectiveAt, LATE_MS, maySchedule } from './schedule.ts'
import { VERDICT } from './schema.ts'

/** Three days: a request that nobody answers goes away by itself. */
const REQUEST_MS = 3 * 86_400_000
/** The review of what is done stays until somebody has answered: a hundred years are for ever. */
const REVIEW_KEPT_MS = 36_525 * 86_400_000

const VALIDATORS = new Map(Object.entries(ACTIONS).map(([name, { payload }]) => [name, Compile(payload)]))

export interface OpenRequest {
  request_id: Uuid
  action: string
  /** RFC 8785: what is shown to the approver and what is executed. */
  payload: string
  /** SHA-256 of the payload, base64url. */
  digest: string
  requested_by: Uuid
  requested_at: Date
  expires_at: Date
}

type Recording = Pick<ActContext, 'recorder' | 'programme'>

/** Stores what a person asks for, with its entry. */
export async function putRequest(
  context: Recording,
  { tx, act }: { tx: Tx; act: Act },
  { action, payload, by }: { action: ActionName; payload: unknown; by: PersonInRole },
): Promise<store.RequestRow> {
  const { otherOrg, needed } = ACTIONS[action]
  const row = { ...newRequest(action, payload, by, act.at), other_org: otherOrg, needed }
  const fields = requestFields(row, by.organisation)
  const event = await log(context, { tx, act }, { kind: 'approval.requested', fields })
  const request = { ...row, last_event: event }
  await store.insertRequest(tx, request)
  return request
}

/** Part of an act that one person did alone: another one is to look at it. */
export async function askReview(
  context: Recording,
  { tx, act }: { tx: Tx; act: Act },
  { by, ...payload }: PayloadOf<'emergency.review'> & { by: PersonInRole },
): Promise<void> {
  await putRequest(context, { tx, act: { ...act, after: payload.event } }, { action: 'emergency.review', payload, by })
}

function newRequest(action: ActionName, payload: unknown, by: PersonInRole, at: Date) {
  checkPayload(action, payload)
  const text = canonicalJson(payload)
  const effective = effectiveAt(text)
  if (effective !== undefined && !maySchedule(effective, at)) throw untimely()
  return {
    request_id: newId(at),
    action,
    payload: text,
    digest: sha256(utf8(text)),
    requested_by: by.person_id,
    requested_org: by.organisation,
    requested_at: at,
    expires_at: expiryOf(action, effective, at),
    ...{ executed_at: null, cancelled_at: null },
  }
}

/** What is set for a time stays until it is too late for it. */
function expiryOf(action: ActionName, effective: Date | undefined, at: Date): Date {
  if (effective !== undefined) return new Date(effective.getTime() + LATE_MS)
  return new Date(at.getTime() + (ACTIONS[action].byAct === true ? REVIEW_KEPT_MS : REQUEST_MS))
}

const untimely = (): Refusal =>
  new Refusal('validation-failed', {
    errors: [
      {
        ...{ pointer: '/payload/effective_at', code: 'validation-failed' as const },
        detail: `a time that is yet to come, within ${AHEAD_DAYS} days`,
      },
    ],
  })

/** What has become of requests whose act is carried out again, without a person: each in the transaction of the act. */
export interface Settling {
  /** Whether it was taken back or rejected; what this database does not know was not. Locks it. */
  isOff(tx: Tx, request_id: Uuid): Promise<boolean>
  /** Marks it as carried out by the event `after`; one that is not here, or was carried out, stays as it is. */
  settle(tx: Tx, request_id: Uuid, done: { at: Date; after: Uuid }): Promise<void>
}

export const createSettling = (context: Recording): Settling => ({
  async isOff(tx, request_id) {
    const request = await store.requestForUpdate(tx, request_id)
    if (request === undefined) return false
    const given = await store.approvalsOf(tx, request_id)
    return request.cancelled_at !== null || given.some(({ verdict }) => verdict === VERDICT.reject)
  },
  async settle(tx, request_id, { at, after }) {
    const request = await store.requestForUpdate(tx, request_id)
    if (request === undefined || request.executed_at !== null) return
    const fields = requestFields(request, request.requested_org)
    const act: Act = { at, request: request_id, after }
    const event = await log(context, { tx, act }, { kind: 'approval.executed', fields })
    await store.markExecuted(tx, request_id, { executed_at: at, last_event: event })
  },
})

/** What was approved is what is stored: the digest is computed anew and the text is its own canonical form. */
export function intactPayload(action: ActionName, request: Pick<store.RequestRow, 'payload' | 'digest'>): unknown {
  const payload: unknown = JSON.parse(request.payload)
  const whole = equal(sha256(utf8(request.payload)), request.digest) && canonicalJson(payload) === request.payload
  if (!whole) throw new Refusal('approval-refused', { detail: 'the payload is not the one that was approved' })
  checkPayload(action, payload)
  return payload
}

function checkPayload(action: ActionName, payload: unknown): void {
  const validator = VALIDATORS.get(action)
  if (validator?.Check(payload) === true) return
  const errors = (validator?.Errors(payload) ?? []).map(
    ({ instancePath }): FieldError => ({ pointer: `/payload${instancePath}`, code: 'validation-failed' }),
  )
  throw new Refusal('validation-failed', { errors })
}

/** What the log tells of a request, each time that something becomes of it. */
export const requestFields = (
  { request_id, action, digest }: Pick<store.RequestRow, 'request_id' | 'action' | 'digest'>,
  organisation: string,
): { request: Uuid; action: string; digest: string; organisation: string } => ({
  request: request_id,
  action,
  digest: toBase64Url(digest),
  organisation,
})

export const shownRequest = ({
  request_id,
  action,
  payload,
  digest,
  requested_by,
  requested_at,
  expires_at,
}: store.RequestRow): OpenRequest => ({
  ...{ request_id, action, payload, requested_by, requested_at, expires_at },
  digest: toBase64Url(digest),
})
