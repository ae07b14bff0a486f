import { atControl, type Tx } from '../db/as-participant.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { ALL, type Page, type PageAsked, pageOf } from '../kernel/page.ts'
import type { ActContext } from './act.ts'
import { ACTIONS, type ActionName, isAction } from './action.ts'
import {
  approversNow,
  type Ballot,
  holdsOne,
  mayVote,
  type PersonInRole,
  REVIEW_DUE_MS,
  type Standing,
  standingOf,
} from './approval-rule.ts'
import * as store from './people-store.ts'
import { effectiveAt } from './schedule.ts'
import { type Role, VERDICT } from './schema.ts'

export interface Vote {
  approver: Uuid
  organisation: string
  verdict: 'approve' | 'reject'
  at: Date
  /** Why it was denied. */
  note: string | undefined
}

/** A request with what has come of it. */
export interface ListedRequest {
  request_id: Uuid
  action: ActionName
  /** RFC 8785: exactly what is approved and executed. */
  payload: string
  digest: string
  requested_by: Uuid
  requested_org: string
  requested_at: Date
  expires_at: Date
  executed_at: Date | null
  needed: number
  /** The approver's organisation must be another than the proposer's. */
  other_org: boolean
  approvers: readonly Role[]
  votes: readonly Vote[]
  standing: Standing
  /** When it is to take effect. */
  effective_at: Date | undefined
  cancelled_at: Date | null
  /** When an answer is due; the request stands beyond it. */
  due_at: Date | undefined
}

/** And what one person may do with it now. */
export interface RequestFor extends ListedRequest {
  /** As if the person had just signed in. */
  ballot: Ballot | 'voted'
  mayExecute: boolean
}

export interface RequestList {
  /** All requests that still wait, for persons or for their time, of acts that the person proposes or approves; the newest first. */
  requestsFor(person: Uuid): Promise<RequestFor[]>
  /** Those of such acts that were carried out, taken back, rejected or are over; the newest first. */
  endedRequestsFor(person: Uuid, asked: PageAsked): Promise<Page<RequestFor>>
  /** One request, whatever became of it; undefined where it is none of the person's business. */
  requestFor(person: Uuid, request_id: Uuid): Promise<RequestFor | undefined>
  /** Those of anybody that still wait for persons or for their time; the newest first. */
  waitingRequests(asked: PageAsked): Promise<Page<ListedRequest>>
}

export const createRequestList = ({ admin, clock }: Pick<ActContext, 'admin' | 'clock'>): RequestList => ({
  requestsFor: (person_id) =>
    atControl(admin, async (tx) => {
      const now = clock()
      const rows = await store.waitingRequests(tx, now, ALL)
      return seenBy(await store.personInRole(tx, person_id), await withVotes(tx, rows, now))
    }),
  endedRequestsFor: (person_id, { after, limit }) =>
    atControl(admin, async (tx) => {
      const now = clock()
      const person = await store.personInRole(tx, person_id)
      const actions = actionsOf(person, await store.countingRoles(tx))
      if (actions.length === 0) return { rows: [], next: undefined }
      const found = await store.endedRequests(tx, { actions, now }, { after, limit: limit + 1 })
      const { rows, next } = pageOf(found, limit, ({ request_id }) => request_id)
      return { rows: seenBy(person, await withVotes(tx, rows, now)), next }
    }),
  requestFor: (person_id, request_id) =>
    atControl(admin, async (tx) => {
      const row = await store.requestById(tx, request_id)
      if (row === undefined) return undefined
      const [one] = seenBy(await store.personInRole(tx, person_id), await withVotes(tx, [row], clock()))
      return one
    }),
  waitingRequests: ({ after, limit }) =>
    atControl(admin, async (tx) => {
      const now = clock()
      const found = await store.waitingRequests(tx, now, { after, limit: limit + 1 })
      const { rows, next } = pageOf(found, limit, ({ request_id }) => request_id)
      return { rows: (await withVotes(tx, rows, now)).flatMap(listed), next }
    }),
})

/** A request, the votes on it, and what the roles of this moment make of both. */
interface Judged {
  row: store.RequestRow
  votes: Awaited<ReturnType<typeof store.votesOn>>
  roles: ReadonlyMap<Uuid, readonly Role[]>
  now: Date
}

async function withVotes(tx: Tx, rows: readonly store.RequestRow[], now: Date): Promise<Judged[]> {
  const ids = rows.map(({ request_id }) => request_id)
  const votes = ids.length === 0 ? [] : await store.votesOn(tx, ids)
  const roles = await store.countingRoles(tx)
  return rows.map((row) => ({
    ...{ row, roles, now },
    votes: votes.filter(({ request_id }) => request_id === row.request_id),
  }))
}

/** Who approves an act at present. */
const approversOf = (action: ActionName, roles: Judged['roles']): readonly Role[] =>
  approversNow(ACTIONS[action], new Set([...roles.values()].flat()))

const concerns = (person: PersonInRole, action: ActionName, approvers: readonly Role[]): boolean =>
  holdsOne(person, [...ACTIONS[action].proposers, ...approvers])

/** The acts that the person proposes or approves. */
const actionsOf = (person: PersonInRole | undefined, roles: Judged['roles']): ActionName[] =>
  person === undefined
    ? []
    : Object.keys(ACTIONS)
        .filter(isAction)
        .filter((name) => concerns(person, name, approversOf(name, roles)))

/** Those that are the person's business. */
const seenBy = (person: PersonInRole | undefined, all: readonly Judged[]): RequestFor[] =>
  person === undefined ? [] : all.flatMap((judged) => seenByOne(person, judged))

function seenByOne(person: PersonInRole, judged: Judged): RequestFor[] {
  const { row, votes, roles, now } = judged
  return listed(judged).flatMap((one) => {
    const { action, approvers, effective_at, standing, requested_by } = one
    if (!concerns(person, action, approvers)) return []
    const voted = votes.some(({ approver }) => approver === person.person_id)
    const ballot = mayVote({ ...row, effective_at }, person, { now, auth_time: now, approvers, given: votes })
    const isAsked = roles.get(requested_by)?.some((role) => ACTIONS[action].proposers.includes(role)) === true
    return [
      { ...one, ballot: voted && ballot === 'allowed' ? 'voted' : ballot, mayExecute: standing === 'ready' && isAsked },
    ]
  })
}

/** None where this release does not know the act. */
function listed({ row, votes, roles, now }: Judged): ListedRequest[] {
  const { action } = row
  if (!isAction(action)) return []
  const rule = ACTIONS[action]
  const approvers = approversOf(action, roles)
  const inRole = (approver: Uuid): boolean => roles.get(approver)?.some((role) => approvers.includes(role)) === true
  const effective_at = effectiveAt(row.payload)
  const { request_id, payload, digest, requested_by, requested_org, requested_at, expires_at, executed_at } = row
  return [
    {
      ...{ request_id, action, payload, digest: toBase64Url(digest), requested_by, requested_org, requested_at },
      ...{ expires_at, executed_at, needed: row.needed, other_org: row.other_org, approvers },
      standing: standingOf({ ...row, effective_at }, votes, { now, inRole }),
      votes: votes.map(({ approver, approver_org, verdict, at, note }) => ({
        ...{ approver, organisation: approver_org, at, note: note ?? undefined },
        verdict: verdict === VERDICT.approve ? 'approve' : 'reject',
      })),
      ...{ effective_at, cancelled_at: row.cancelled_at },
      due_at: rule.byAct === true ? new Date(requested_at.getTime() + REVIEW_DUE_MS) : undefined,
    },
  ]
}
