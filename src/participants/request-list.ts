import { atControl } from '../db/as-participant.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
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

/** A month: what was decided before is found in the log. */
const LISTED_MS = 30 * 86_400_000

export interface Vote {
  approver: Uuid
  organisation: string
  verdict: 'approve' | 'reject'
  at: Date
  /** Why it was denied. */
  note: string | undefined
}

/** A request with what has come of it, and what one person may do with it now. */
export interface RequestFor {
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
  /** As if the person had just signed in. */
  ballot: Ballot | 'voted'
  mayExecute: boolean
  /** When it is to take effect. */
  effective_at: Date | undefined
  cancelled_at: Date | null
  /** When an answer is due; the request stands beyond it. */
  due_at: Date | undefined
}

export interface RequestList {
  /** The requests of the last month for somebody who proposes or approves such acts; the newest first, 200 at most. */
  requestsFor(person: Uuid): Promise<RequestFor[]>
}

export const createRequestList = ({ admin, clock }: Pick<ActContext, 'admin' | 'clock'>): RequestList => ({
  requestsFor: (person_id) =>
    atControl(admin, async (tx) => {
      const now = clock()
      const person = await store.personInRole(tx, person_id)
      if (person === undefined) return []
      const rows = await store.recentRequests(tx, new Date(now.getTime() - LISTED_MS), now)
      const votes =
        rows.length === 0
          ? []
          : await store.votesOn(
              tx,
              rows.map(({ request_id }) => request_id),
            )
      const roles = await store.presentRoles(tx)
      return rows.flatMap((row) => {
        const own = votes.filter(({ request_id }) => request_id === row.request_id)
        const found = seenBy(person, row, { votes: own, roles, now })
        return found === undefined ? [] : [found]
      })
    }),
})

type Votes = Awaited<ReturnType<typeof store.votesOn>>

/** Undefined for a request that is none of the person's business. */
function seenBy(
  person: PersonInRole,
  row: store.RequestRow,
  { votes, roles, now }: { votes: Votes; roles: ReadonlyMap<Uuid, readonly Role[]>; now: Date },
): RequestFor | undefined {
  const { action } = row
  if (!isAction(action)) return undefined
  const rule = ACTIONS[action]
  const approvers = approversNow(rule, new Set([...roles.values()].flat()))
  if (!holdsOne(person, [...rule.proposers, ...approvers])) return undefined
  const inRole = (approver: Uuid): boolean => roles.get(approver)?.some((role) => approvers.includes(role)) === true
  const effective_at = effectiveAt(row.payload)
  const asked = { ...row, effective_at }
  const standing = standingOf(asked, votes, { now, inRole })
  const voted = votes.some(({ approver }) => approver === person.person_id)
  const ballot = mayVote(asked, person, { now, auth_time: now, approvers, given: votes })
  const { request_id, payload, digest, requested_by, requested_org, requested_at, expires_at, executed_at } = row
  return {
    ...{ request_id, action, payload, digest: toBase64Url(digest), requested_by, requested_org, requested_at },
    ...{ expires_at, executed_at, needed: row.needed, other_org: row.other_org, approvers, standing },
    votes: votes.map(({ approver, approver_org, verdict, at, note }) => ({
      ...{ approver, organisation: approver_org, at, note: note ?? undefined },
      verdict: verdict === VERDICT.approve ? 'approve' : 'reject',
    })),
    ballot: voted && ballot === 'allowed' ? 'voted' : ballot,
    mayExecute: standing === 'ready',
    ...{ effective_at, cancelled_at: row.cancelled_at },
    due_at: rule.byAct === true ? new Date(requested_at.getTime() + REVIEW_DUE_MS) : undefined,
  }
}
