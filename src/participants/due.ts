import { atControl } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, inRole, log } from './act.ts'
import { ACTIONS, isAction } from './action.ts'
import type { Approvals } from './approval.ts'
import { approversNow, standingOf } from './approval-rule.ts'
import * as store from './people-store.ts'
import { requestFields } from './request.ts'
import { effectiveAt } from './schedule.ts'
import type { Role } from './schema.ts'

/** An act that has come to its time is done within seconds; after this somebody looks why not. */
const OVERDUE_MS = 5 * 60_000

export interface Due {
  /** Takes a request back that was not carried out: by whoever may ask for such an act or grant it. */
  cancel(request_id: Uuid, by: Uuid): Promise<void>
  /**
   * Carries out what is approved and whose time has come, with the authority that whoever asked and approved has now; answers
   * how many. What cannot be done stays as it is until it is too late for it; `onRefused` is told why.
   */
  executeDue(onRefused: (request_id: Uuid, refusal: Refusal) => void): Promise<number>
  /** Approved acts whose time came more than five minutes ago. */
  overdueActs(): Promise<number>
}

type Context = Pick<ActContext, 'admin' | 'clock' | 'recorder' | 'programme'>

/** What waits for its time: rows alone, so that it outlasts every process. */
export function createDue(context: Context, { execute }: Pick<Approvals, 'execute'>): Due {
  const { admin, clock } = context
  return {
    cancel: (request_id, by) => cancel(context, request_id, by),
    executeDue: async (onRefused) => {
      let done = 0
      for (const { request_id, requested_by } of await dueBy(context, clock())) {
        const refusal = await execute(request_id, requested_by, { alone: true }).then(() => undefined, asRefusal)
        if (refusal === undefined) done += 1
        else if (!WAITS.has(refusal.code)) onRefused(request_id, refusal)
      }
      return done
    },
    overdueActs: async () => {
      const late = await dueBy(context, new Date(clock().getTime() - OVERDUE_MS))
      if (late.length === 0) return 0
      const roles = await store.countingRoles(admin)
      const ids = late.map(({ request_id }) => request_id)
      const votes = Map.groupBy(await store.votesOn(admin, ids), ({ request_id }) => request_id)
      return late.filter((row) => isReady(row, { votes: votes.get(row.request_id) ?? [], roles, now: clock() })).length
    },
  }
}

/** Not approved yet, or done by another process a moment ago. */
const WAITS: ReadonlySet<string> = new Set(['approval-missing', 'approval-refused'])

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  throw error
}

type Row = store.RequestRow & { effective_at: Date }

/** Whose time had come by then, and which nobody has carried out. */
const dueBy = async ({ admin, clock }: Context, by: Date): Promise<Row[]> =>
  (await store.openRequests(admin, clock())).flatMap((row) => {
    const effective_at = effectiveAt(row.payload)
    return effective_at !== undefined && effective_at <= by ? [{ ...row, effective_at }] : []
  })

function isReady(
  row: Row,
  at: { votes: readonly { approver: Uuid; verdict: number }[]; roles: ReadonlyMap<Uuid, readonly Role[]>; now: Date },
): boolean {
  if (!isAction(row.action)) return false
  const approvers = approversNow(ACTIONS[row.action], new Set([...at.roles.values()].flat()))
  const inRole = (one: Uuid): boolean => at.roles.get(one)?.some((role) => approvers.includes(role)) === true
  return standingOf(row, at.votes, { now: at.now, inRole }) === 'ready'
}

const cancel = (context: Context, request_id: Uuid, by: Uuid): Promise<void> =>
  atControl(context.admin, async (tx) => {
    const request = await store.requestForUpdate(tx, request_id)
    if (request === undefined || !isAction(request.action)) throw new Refusal('not-found')
    const rule = ACTIONS[request.action]
    if (rule.byAct === true) throw new Refusal('policy-refused', { detail: 'a review is not taken back' })
    const approvers = approversNow(rule, new Set([...(await store.countingRoles(tx)).values()].flat()))
    const { organisation } = await inRole(tx, by, [...rule.proposers, ...approvers])
    const at = context.clock()
    const standing = standingOf(request, await store.approvalsOf(tx, request_id), { now: at, inRole: () => true })
    if (standing !== 'short' && standing !== 'ready')
      throw new Refusal('approval-refused', { detail: `the request is ${standing}` })
    const act: Act = { at, person: by, after: request.last_event }
    const fields = requestFields(request, organisation)
    const event = await log(context, { tx, act }, { kind: 'approval.cancelled', fields })
    await store.markCancelled(tx, request_id, { cancelled_at: at, last_event: event })
  })
