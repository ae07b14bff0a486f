import { atControl, type Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, inRole } from './act.ts'
import { ACTIONS, isAction } from './action.ts'
import * as people from './people-store.ts'
import { type OpenRequest, putRequest, shownRequest } from './request.ts'
import { EVALUATIONS_PER_DAY } from './schema.ts'
import * as store from './store.ts'
import { type Difference, inverseOf, memberDifferences, type Replaced } from './undo-rule.ts'

export interface Undoing {
  /** What a request changes, against what is in force now; nothing where there is nothing to compare. */
  differences(request: Pick<people.RequestRow, 'action' | 'payload'>): Promise<Difference[]>
  /** Asks for the act that brings back what was before one that was carried out. `state-conflict` where there is none. */
  undo(request_id: Uuid, by: Uuid): Promise<OpenRequest>
}

export const createUndoing = (context: Pick<ActContext, 'admin' | 'clock' | 'recorder' | 'programme'>): Undoing => ({
  differences: ({ action, payload }) =>
    atControl(context.admin, (tx) => differencesOf(tx, action, JSON.parse(payload) as Payload)),
  undo: (request_id, by) =>
    atControl(context.admin, async (tx) => {
      const row = await people.requestForUpdate(tx, request_id)
      if (row === undefined || !isAction(row.action)) throw new Refusal('not-found')
      const person = await inRole(tx, by, ACTIONS[row.action].proposers)
      const payload = JSON.parse(row.payload) as Payload
      const inverse =
        row.executed_at === null
          ? undefined
          : inverseOf({ action: row.action, payload }, await replacedBy(tx, row.action, { payload, row }))
      if (inverse === undefined)
        throw new Refusal('state-conflict', {
          detail: 'it was not carried out, or nothing brings back what was before',
        })
      const act: Act = { at: context.clock(), person: by, after: row.last_event }
      return shownRequest(await putRequest(context, { tx, act }, { ...inverse, by: person }))
    }),
})

type Payload = Readonly<Record<string, unknown>>

async function differencesOf(tx: Tx, action: string, payload: Payload): Promise<Difference[]> {
  switch (action) {
    case 'group.change':
    case 'group.end':
      return groupDifferences(tx, payload)
    case 'policy.publish': {
      const before = await store.policyBody(tx, String(payload['kind']))
      const after = String(payload['body'])
      if (before === undefined) return [{ what: 'version', before: 'none', after: String(payload['version']) }]
      const version = { what: 'version', before: String(before.version), after: String(payload['version']) }
      return [version, ...memberDifferences(before.body, after).filter(({ what }) => what !== 'version')]
    }
    case 'quota.change': {
      const before = await quotaOf(tx, payload)
      return [{ what: 'a day', before: String(before), after: String(payload['per_day']) }]
    }
    default:
      return []
  }
}

async function groupDifferences(tx: Tx, { group, join = [], leave }: Payload): Promise<Difference[]> {
  const before = (await store.groupsWithMembers(tx)).find(({ slug }) => slug === group)?.members ?? []
  const [joining, leaving] = [join as readonly string[], (leave ?? before) as readonly string[]]
  const after = [...new Set([...before.filter((slug) => !leaving.includes(slug)), ...joining])].sort()
  const textOf = (slugs: readonly string[]): string => slugs.join(', ') || 'nobody'
  return [{ what: 'members', before: textOf(before), after: textOf(after) }]
}

async function quotaOf(tx: Tx, { participant, purpose }: Payload): Promise<number> {
  const row = await store.participantBySlug(tx, String(participant))
  const found = row && (await store.quotaOf(tx, row.participant_id, String(purpose)))
  return found ?? EVALUATIONS_PER_DAY
}

/** What was in force before a request that was carried out. */
async function replacedBy(
  tx: Tx,
  action: string,
  { payload, row }: { payload: Payload; row: people.RequestRow },
): Promise<Replaced> {
  if (action === 'policy.publish') {
    const kind = String(payload['kind'])
    const [current, before] = [
      await store.policyVersion(tx, kind),
      await store.policyBody(tx, kind, Number(payload['version'])),
    ]
    return { policy: before && { before, current } }
  }
  if (action !== 'quota.change') return {}
  const earlier = (await people.executedRequests(tx, action))
    .filter(
      ({ request_id, executed_at }) =>
        request_id !== row.request_id && row.executed_at !== null && executed_at < row.executed_at,
    )
    .map((one) => JSON.parse(one.payload) as Payload)
    .findLast((one) => one['participant'] === payload['participant'] && one['purpose'] === payload['purpose'])
  return { per_day: earlier === undefined ? EVALUATIONS_PER_DAY : Number(earlier['per_day']) }
}
