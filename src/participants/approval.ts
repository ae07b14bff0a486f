import { atControl, type Tx } from '../db/as-participant.ts'
import { refuseRaw } from '../identifiers/refuse-raw.ts'
import { equal } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, change, inRole, log } from './act.ts'
import { ACTIONS, type ActionName, isAction, type PayloadOf } from './action.ts'
import { approversNow, type Ballot, mayVote, type PersonInRole, REVIEW_DUE_MS, standingOf } from './approval-rule.ts'
import type { OversightContext } from './oversight.ts'
import * as store from './people-store.ts'
import { intactPayload, type OpenRequest, putRequest, requestFields, shownRequest } from './request.ts'
import { effectiveAt, lateBy } from './schedule.ts'
import { type Role, VERDICT } from './schema.ts'

/** What an approved action does, within the transaction that also marks it as executed. */
export type Executors = { [A in ActionName]: (tx: Tx, payload: PayloadOf<A>, act: Act) => Promise<unknown> }

/** Of an act that reads for long before it changes anything: reads, in no transaction, and answers the act with what it read. */
export type Preparers = { [A in ActionName]?: (payload: PayloadOf<A>) => Promise<Executors[A]> }

export interface Execution {
  /** Its time has come and nobody pressed anything: the log names no person. */
  alone?: boolean
}

export interface Approvals {
  /** Asks for an act. The payload is settled from here on; it expires after three days. */
  propose(action: ActionName, payload: unknown, by: Uuid): Promise<OpenRequest>
  /** `auth_time`: when the approver last signed in, at most five minutes ago. */
  approve(request_id: Uuid, by: Uuid, auth_time: Date): Promise<void>
  /** One rejection ends the request. The note says why, to whoever may see the request. */
  reject(request_id: Uuid, by: Uuid, auth_time: Date, note?: string): Promise<void>
  /**
   * Carries the act out, once. What it answers (a one-time code) is answered once too. `person-unknown` where who asked for it may
   * not any more.
   */
  execute(request_id: Uuid, by: Uuid, how?: Execution): Promise<{ action: ActionName; result: unknown }>
  openRequests(): Promise<OpenRequest[]>
  /** Acts of one person that nobody has looked at within a day. */
  overdueReviews(): Promise<number>
}

type Executor = (tx: Tx, payload: unknown, act: Act) => Promise<unknown>

/** The request, locked, with who may vote on it now and what was voted. */
async function locked(tx: Tx, request_id: Uuid) {
  const request = await store.requestForUpdate(tx, request_id)
  if (request === undefined || !isAction(request.action)) throw new Refusal('not-found')
  const roles = await store.countingRoles(tx)
  const rule = ACTIONS[request.action]
  return {
    request: { ...request, effective_at: effectiveAt(request.payload) },
    action: request.action,
    rule,
    roles,
    approvers: approversNow(rule, new Set([...roles.values()].flat())),
    given: await store.approvalsOf(tx, request_id),
  }
}

type Locked = Awaited<ReturnType<typeof locked>>

/** With the authority that `by`, whoever asked and whoever approved have now. */
async function readyFor(tx: Tx, found: Locked, { by, at }: { by: Uuid; at: Date }) {
  const { request, action, rule, roles, approvers, given } = found
  const { organisation } = await inRole(tx, by, [...rule.proposers, ...approvers])
  const counted = given.filter(({ digest }) => equal(digest, request.digest))
  const still = (approver: Uuid): boolean => holds(roles.get(approver), approvers)
  const standing = standingOf(request, counted, { now: at, inRole: still })
  if (standing === 'short') throw new Refusal('approval-missing')
  if (standing !== 'ready') throw new Refusal('approval-refused', { detail: `the request is ${standing}` })
  if (!holds(roles.get(request.requested_by), rule.proposers)) throw proposerGone()
  return { organisation, payload: intactPayload(action, request), last: given.at(-1) }
}

export function createApprovals(
  context: ActContext & OversightContext,
  executors: Executors,
  preparers: Preparers,
): Approvals {
  const { admin, clock } = context

  const vote = async (verdict: keyof typeof VERDICT, request_id: Uuid, given: Given): Promise<void> => {
    // Read by people of other organisations.
    refuseRaw({ note: given.note })
    let own: string | undefined
    const voting = atControl(admin, async (tx) => {
      const found = await locked(tx, request_id)
      if (found.request.requested_by === given.by) own = found.request.requested_org
      await voteIn(context, tx, { verdict, ...given, ...found })
    })
    await voting.catch(async (error: unknown) => {
      if (own !== undefined && error instanceof Refusal && error.code === 'self-approval')
        await context.oversight.attempted(own)
      throw error
    })
  }

  /** The act with what it read ahead, of a request that could be carried out at that moment. */
  async function prepared(request_id: Uuid, by: Uuid): Promise<Executor | undefined> {
    const asked = await atControl(admin, async (tx) => {
      const found = await locked(tx, request_id)
      const prepare = preparers[found.action] as ((payload: unknown) => Promise<Executor>) | undefined
      return prepare && { prepare, ...(await readyFor(tx, found, { by, at: clock() })) }
    })
    return asked?.prepare(asked.payload)
  }

  const carryOut: Approvals['execute'] = async (request_id, by, { alone = false } = {}) => {
    const ahead = await prepared(request_id, by)
    return change(context, async (tx, at) => {
      const found = await locked(tx, request_id)
      const { request, action } = found
      const { organisation, payload, last } = await readyFor(tx, found, { by, at })
      const act: Act = {
        at,
        request: request_id,
        ...(!alone && { person: by }),
        ...(last && { after: last.last_event }),
      }
      const result = await (ahead ?? (executors[action] as Executor))(tx, payload, act)
      const due = request.effective_at
      const fields = { ...requestFields(request, organisation), due: due?.toISOString(), late: lateBy(due, at) }
      const event = await log(context, { tx, act }, { kind: 'approval.executed', fields })
      await store.markExecuted(tx, request_id, { executed_at: at, last_event: event })
      return { action, result }
    })
  }

  return {
    propose: (action, payload, by) =>
      atControl(admin, async (tx) => {
        const { proposers, byAct = false } = ACTIONS[action]
        if (byAct) throw new Refusal('policy-refused', { detail: 'the act itself asks for its review' })
        const person = await inRole(tx, by, proposers)
        const act: Act = { at: clock(), person: by }
        return shownRequest(await putRequest(context, { tx, act }, { action, payload, by: person }))
      }),
    approve: (request_id, by, auth_time) => vote('approve', request_id, { by, auth_time, note: undefined }),
    reject: (request_id, by, auth_time, note) => vote('reject', request_id, { by, auth_time, note }),
    execute: carryOut,
    openRequests: async () => (await store.openRequests(admin, clock())).map(shownRequest),
    overdueReviews: async () =>
      store.unanswered(admin, 'emergency.review', new Date(clock().getTime() - REVIEW_DUE_MS)),
  }
}

/** Who answers, when it last signed in, and why it denies. */
interface Given {
  by: Uuid
  auth_time: Date
  note: string | undefined
}

interface Voting extends Given {
  verdict: keyof typeof VERDICT
  request: store.RequestRow
  approvers: readonly Role[]
  given: Awaited<ReturnType<typeof store.approvalsOf>>
}

async function voteIn(
  context: ActContext,
  tx: Tx<'control'>,
  { verdict, by, auth_time, note, request, approvers, given }: Voting,
): Promise<void> {
  const at = context.clock()
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
      fields: requestFields(request, person.organisation),
    },
  )
  const { request_id, requested_by, requested_org, other_org, digest } = request
  await store.insertApproval(tx, {
    ...{ request_id, requested_by, requested_org, other_org, digest },
    ...{ approver: by, approver_org: person.organisation, verdict: VERDICT[verdict], auth_time, at },
    ...{ note: note ?? null, last_event: event },
  })
  if (verdict === 'approve' && isAction(request.action) && ACTIONS[request.action].byAct === true)
    await endReview(context, { tx, act: { at, person: by, request: request_id, after: event } }, request, person)
}

/** There is nothing left to carry out: what was reviewed is done. */
async function endReview(
  context: ActContext,
  within: { tx: Tx; act: Act },
  request: store.RequestRow,
  { organisation }: PersonInRole,
): Promise<void> {
  const fields = requestFields(request, organisation)
  const event = await log(context, within, { kind: 'approval.executed', fields })
  await store.markExecuted(within.tx, request.request_id, { executed_at: within.act.at, last_event: event })
}

const REFUSED: Readonly<Record<Exclude<Ballot, 'allowed'>, () => Refusal>> = {
  self: () => new Refusal('self-approval'),
  role: () => new Refusal('person-unknown'),
  same_org: () => new Refusal('self-approval', { detail: 'a person of another organisation has to approve' }),
  stale_sign_in: () => new Refusal('approval-refused', { detail: 'sign in again, then answer within five minutes' }),
  executed: () => new Refusal('approval-refused', { detail: 'the request is executed' }),
  expired: () => new Refusal('approval-refused', { detail: 'the request is expired' }),
  cancelled: () => new Refusal('approval-refused', { detail: 'the request is cancelled' }),
  rejected: () => new Refusal('approval-refused', { detail: 'the request is rejected' }),
}

const proposerGone = (): Refusal =>
  new Refusal('person-unknown', { detail: 'who proposed it does not hold the role for it any more; propose it again' })

function refuseUnless(ballot: Ballot): void {
  if (ballot !== 'allowed') throw REFUSED[ballot]()
}

const holds = (roles: readonly Role[] | undefined, wanted: readonly Role[]): boolean =>
  roles?.some((role) => wanted.includes(role)) === true
