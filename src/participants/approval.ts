import { Compile } from 'typebox/compile'
import { atControl, type Tx } from '../db/as-participant.ts'
import { equal, toBase64Url, utf8 } from '../kernel/bytes.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import { type FieldError, Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Act, type ActContext, change, inRole, log } from './act.ts'
import { ACTIONS, type ActionName, isAction, type PayloadOf } from './action.ts'
import { approversNow, type Ballot, mayVote, type PersonInRole, standingOf } from './approval-rule.ts'
import * as store from './people-store.ts'
import { type Role, VERDICT } from './schema.ts'

/** Three days: a request that nobody answers goes away by itself. */
const REQUEST_MS = 3 * 86_400_000

/** What an approved action does, within the transaction that also marks it as executed. */
export type Executors = { [A in ActionName]: (tx: Tx, payload: PayloadOf<A>, act: Act) => Promise<unknown> }

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

export interface Approvals {
  /** Asks for an act. The payload is settled from here on; it expires after three days. */
  propose(action: ActionName, payload: unknown, by: Uuid): Promise<OpenRequest>
  /** `auth_time`: when the approver last signed in, at most five minutes ago. */
  approve(request_id: Uuid, by: Uuid, auth_time: Date): Promise<void>
  /** One rejection ends the request. */
  reject(request_id: Uuid, by: Uuid, auth_time: Date): Promise<void>
  /** Carries the act out, once. What it answers (a one-time code) is answered once too. */
  execute(request_id: Uuid, by: Uuid): Promise<{ action: ActionName; result: unknown }>
  openRequests(): Promise<OpenRequest[]>
}

type Executor = (tx: Tx, payload: unknown, act: Act) => Promise<unknown>

const VALIDATORS = new Map(Object.entries(ACTIONS).map(([name, { payload }]) => [name, Compile(payload)]))

export function createApprovals(context: ActContext, executors: Executors): Approvals {
  const { admin, clock } = context

  /** The request, locked, with who may vote on it now and what was voted. */
  async function locked(tx: Tx, request_id: Uuid) {
    const request = await store.requestForUpdate(tx, request_id)
    if (request === undefined || !isAction(request.action)) throw new Refusal('not-found')
    const roles = await store.presentRoles(tx)
    const rule = ACTIONS[request.action]
    return {
      request,
      action: request.action,
      rule,
      roles,
      approvers: approversNow(rule, new Set([...roles.values()].flat())),
      given: await store.approvalsOf(tx, request_id),
    }
  }

  const vote = (verdict: keyof typeof VERDICT) => (request_id: Uuid, by: Uuid, auth_time: Date) =>
    atControl(admin, async (tx) => {
      const at = clock()
      const { request, approvers, given } = await locked(tx, request_id)
      const person = await store.personInRole(tx, by)
      if (person === undefined) throw new Refusal('person-unknown')
      refuseUnless(mayVote(request, person, { now: at, auth_time, approvers, given }))
      if (given.some(({ approver }) => approver === by))
        throw new Refusal('approval-refused', { detail: 'this person has answered already' })
      const event = await log(
        context,
        { tx, act: { at, person: by, after: request.last_event } },
        {
          kind: verdict === 'approve' ? 'approval.given' : 'approval.refused',
          fields: fieldsOf(request, person.organisation),
        },
      )
      const { requested_by, requested_org, other_org, digest } = request
      await store.insertApproval(tx, {
        ...{ request_id, requested_by, requested_org, other_org, digest },
        approver: by,
        approver_org: person.organisation,
        verdict: VERDICT[verdict],
        auth_time,
        at,
        last_event: event,
      })
    })

  return {
    propose: (action, payload, by) =>
      atControl(admin, async (tx) => {
        const at = clock()
        const { proposers, otherOrg, needed } = ACTIONS[action]
        const person = await inRole(tx, by, proposers)
        const row = { ...newRequest(action, payload, person, at), other_org: otherOrg, needed }
        const event = await log(
          context,
          { tx, act: { at, person: by } },
          { kind: 'approval.requested', fields: fieldsOf(row, person.organisation) },
        )
        const request = { ...row, last_event: event }
        await store.insertRequest(tx, request)
        return shown(request)
      }),
    approve: vote('approve'),
    reject: vote('reject'),
    execute: (request_id, by) =>
      change(context, async (tx, at) => {
        const { request, action, rule, roles, approvers, given } = await locked(tx, request_id)
        const { organisation } = await inRole(tx, by, [...rule.proposers, ...approvers])
        const counted = given.filter(({ digest }) => equal(digest, request.digest))
        const still = (approver: Uuid): boolean => holds(roles.get(approver), approvers)
        const standing = standingOf(request, counted, { now: at, inRole: still })
        if (standing === 'short') throw new Refusal('approval-missing')
        if (standing !== 'ready') throw new Refusal('approval-refused', { detail: `the request is ${standing}` })
        const payload = intactPayload(action, request)
        const last = given.at(-1)
        const act: Act = { at, person: by, request: request_id, ...(last && { after: last.last_event }) }
        const result = await (executors[action] as Executor)(tx, payload, act)
        const event = await log(
          context,
          { tx, act },
          { kind: 'approval.executed', fields: fieldsOf(request, organisation) },
        )
        await store.markExecuted(tx, request_id, { executed_at: at, last_event: event })
        return { action, result }
      }),
    openRequests: async () => (await store.openRequests(admin, clock())).map(shown),
  }
}

function newRequest(action: ActionName, payload: unknown, by: PersonInRole, at: Date) {
  check(action, payload)
  const text = canonicalJson(payload)
  return {
    request_id: newId(at),
    action,
    payload: text,
    digest: sha256(utf8(text)),
    requested_by: by.person_id,
    requested_org: by.organisation,
    requested_at: at,
    expires_at: new Date(at.getTime() + REQUEST_MS),
    executed_at: null,
  }
}

/** What was approved is what is stored: the digest is computed anew and the text is its own canonical form. */
function intactPayload(action: ActionName, request: store.RequestRow): unknown {
  const payload: unknown = JSON.parse(request.payload)
  const whole = equal(sha256(utf8(request.payload)), request.digest) && canonicalJson(payload) === request.payload
  if (!whole) throw new Refusal('approval-refused', { detail: 'the payload is not the one that was approved' })
  check(action, payload)
  return payload
}

function check(action: ActionName, payload: unknown): void {
  const validator = VALIDATORS.get(action)
  if (validator?.Check(payload) === true) return
  const errors = (validator?.Errors(payload) ?? []).map(
    ({ instancePath }): FieldError => ({ pointer: `/payload${instancePath}`, code: 'validation-failed' }),
  )
  throw new Refusal('validation-failed', { errors })
}

const REFUSED: Readonly<Record<Exclude<Ballot, 'allowed'>, () => Refusal>> = {
  self: () => new Refusal('self-approval'),
  role: () => new Refusal('person-unknown'),
  same_org: () => new Refusal('self-approval', { detail: 'a person of another organisation has to approve' }),
  stale_sign_in: () => new Refusal('approval-refused', { detail: 'sign in again, then answer within five minutes' }),
  executed: () => new Refusal('approval-refused', { detail: 'the request is executed' }),
  expired: () => new Refusal('approval-refused', { detail: 'the request is expired' }),
  rejected: () => new Refusal('approval-refused', { detail: 'the request is rejected' }),
}

function refuseUnless(ballot: Ballot): void {
  if (ballot !== 'allowed') throw REFUSED[ballot]()
}

const holds = (roles: readonly Role[] | undefined, wanted: readonly Role[]): boolean =>
  roles?.some((role) => wanted.includes(role)) === true

const fieldsOf = (
  { request_id, action, digest }: Pick<store.RequestRow, 'request_id' | 'action' | 'digest'>,
  organisation: string,
) => ({
  request: request_id,
  action,
  digest: toBase64Url(digest),
  organisation,
})

const shown = ({
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
