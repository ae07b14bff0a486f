import type { Uuid } from '../kernel/ids.ts'
import type { ActionRule } from './action.ts'
import { type Role, VERDICT } from './schema.ts'

/** A step-up sign-in counts for this long; the database holds the same number. */
const STEP_UP_MS = 5 * 60_000
const AHEAD_MS = 30_000
/** Within which another person looks at what one did alone. */
export const REVIEW_DUE_MS = 86_400_000

export interface Asked {
  requested_by: Uuid
  requested_org: string
  other_org: boolean
  needed: number
  expires_at: Date
  executed_at: Date | null
  cancelled_at: Date | null
  /** When it is to take effect; absent where somebody carries it out. */
  effective_at?: Date | undefined
}

export interface Given {
  approver: Uuid
  verdict: number
}

/** A person with the roles that it holds at this moment; one that has left holds none. */
export interface PersonInRole {
  person_id: Uuid
  organisation: string
  roles: readonly Role[]
}

export type Standing = 'ready' | 'scheduled' | 'executed' | 'cancelled' | 'expired' | 'rejected' | 'short'

/** Whether a request may be executed now; `short` while approvers are missing or are no longer in their role. */
export function standingOf(
  request: Asked,
  given: readonly Given[],
  at: { now: Date; inRole(approver: Uuid): boolean },
): Standing {
  if (request.executed_at !== null) return 'executed'
  if (request.cancelled_at !== null) return 'cancelled'
  if (request.expires_at <= at.now) return 'expired'
  if (given.some(({ verdict }) => verdict === VERDICT.reject)) return 'rejected'
  const approvers = new Set(given.flatMap(({ approver }) => (at.inRole(approver) ? [approver] : [])))
  approvers.delete(request.requested_by)
  if (approvers.size < request.needed) return 'short'
  return request.effective_at !== undefined && at.now < request.effective_at ? 'scheduled' : 'ready'
}

export type Ballot =
  | 'allowed'
  | 'self'
  | 'role'
  | 'same_org'
  | 'stale_sign_in'
  | Exclude<Standing, 'ready' | 'scheduled' | 'short'>

/** Whether a person may approve or reject a request now. */
export function mayVote(
  request: Asked,
  person: PersonInRole,
  at: { now: Date; auth_time: Date; approvers: readonly Role[]; given: readonly Given[] },
): Ballot {
  const standing = standingOf(request, at.given, { now: at.now, inRole: () => true })
  if (standing !== 'ready' && standing !== 'scheduled' && standing !== 'short') return standing
  if (person.person_id === request.requested_by) return 'self'
  if (!holdsOne(person, at.approvers)) return 'role'
  if (request.other_org && person.organisation === request.requested_org) return 'same_org'
  const age = at.now.getTime() - at.auth_time.getTime()
  return age < STEP_UP_MS && age >= -AHEAD_MS ? 'allowed' : 'stale_sign_in'
}

/** Who approves at present: the stand-in only while nobody holds an approver's role. */
export const approversNow = (rule: ActionRule, held: ReadonlySet<Role>): readonly Role[] =>
  rule.standIn === undefined || rule.approvers.some((role) => held.has(role)) ? rule.approvers : [rule.standIn]

export const holdsOne = (person: PersonInRole, roles: readonly Role[]): boolean =>
  person.roles.some((role) => roles.includes(role))

/** Roles that one person never holds together: who admits or judges does not read signals, who admits does not judge. */
const APART: readonly (readonly [Role, Role])[] = [
  ['governance', 'analyst'],
  ['governance', 'lead'],
  ['governance', 'node_admin'],
  ['node_admin', 'analyst'],
  ['node_admin', 'lead'],
]

export const mayHoldTogether = (roles: readonly Role[], next: Role): boolean =>
  !APART.some(([a, b]) => (a === next && roles.includes(b)) || (b === next && roles.includes(a)))

/** What an administrator of a partner gives to colleagues, and to nobody else. */
export const PARTNER_ROLES: readonly Role[] = ['partner_admin', 'lead', 'analyst']

/**
 * Whether `by` may see to `whom` alone: a node administrator to everybody, an administrator of a partner to colleagues and
 * never to itself. Roles nobody grants to themselves.
 */
export const maySeeTo = (by: PersonInRole, whom: Pick<PersonInRole, 'person_id' | 'organisation'>): boolean =>
  by.roles.includes('node_admin') ||
  (by.roles.includes('partner_admin') && by.organisation === whom.organisation && by.person_id !== whom.person_id)

/** Roles that no single administrator may give: whoever held one could approve what the giver proposes. */
export const needsTwo = (role: Role): boolean => role === 'node_admin' || role === 'governance' || role === 'observer'
