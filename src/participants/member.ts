import { asParticipant, type Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, change, inRole, log, participantOf } from './act.ts'
import type { PayloadOf } from './action.ts'
import { endSigningKeys, revokeAll } from './credential.ts'
import { liveCredentials } from './credential-store.ts'
import { endOnboarding } from './onboarding.ts'
import type { OversightContext } from './oversight.ts'
import { countingRoles, persons } from './people-store.ts'
import { refuseTooFew } from './person.ts'
import { seesSignals } from './policy.ts'
import { askReview } from './request.ts'
import { nameOf, PARTICIPANT_KIND, PARTICIPANT_STATUS } from './schema.ts'
import * as store from './store.ts'

/** A reason as a code: the log holds no free text. */
const REASON = /^[a-z][a-z0-9_]{1,62}$/

const DAY_MS = 86_400_000

export interface MemberContext extends ActContext {
  /** Whether the newest conformance run of the participant passed every step. */
  conformant(participant: Uuid): Promise<boolean>
}

export interface DepartureContext extends ActContext, OversightContext {
  /** Destroys what the participant let others reveal, within the transaction in which it leaves. */
  forgetValues(tx: Tx, participant: Uuid): Promise<void>
}

export interface Members {
  /**
   * Alone and at once: no request of the participant is served from the next refresh of each process on. Another person is
   * asked to review it.
   */
  suspend(by: Uuid, what: { participant: string; reason: string }): Promise<void>
}

export function createMembers(context: ActContext): Members {
  return {
    suspend: (by, { participant, reason }) =>
      change(context, async (tx, at) => {
        const person = await inRole(tx, by, ['node_admin'])
        if (!REASON.test(reason))
          throw new Refusal('validation-failed', { detail: 'a reason is a code such as key_theft' })
        const row = await participantOf(tx, participant)
        const within = { tx, act: { at, person: by } }
        const event = await moveTo(context, within, { row, to: 'suspended', reason })
        await askReview(context, within, { act: 'participant.suspend', event, participant, reason, by: person })
      }),
  }
}

/** Makes the participant, its inbox and, where its kind sees signals, its membership of the whole programme. */
export async function admit(
  context: ActContext,
  { tx, act }: { tx: Tx; act: Act },
  { slug, name, kind, onboarding, probation_days }: PayloadOf<'participant.admit'>,
): Promise<{ participant_id: Uuid }> {
  if (slug === 'node') throw new Refusal('policy-refused', { detail: 'this name is the node itself' })
  if ((await store.participantBySlug(tx, slug)) !== undefined)
    throw new Refusal('state-conflict', { detail: 'there is a participant of this name' })
  const participant_id = newId(act.at)
  const probation_until = probation_days === undefined ? null : new Date(act.at.getTime() + probation_days * DAY_MS)
  const probation = probation_until?.toISOString()
  const event = await log(
    context,
    { tx, act },
    { kind: 'participant.admitted', subject: slug, fields: { participant: slug, kind, probation } },
  )
  await store.insertParticipant(tx, {
    ...{ participant_id, slug, name },
    kind: PARTICIPANT_KIND[kind],
    status: PARTICIPANT_STATUS.active,
    ...{ admitted_at: act.at, probation_until, last_event: event },
  })
  if (onboarding !== undefined)
    await endOnboarding(context, { tx, act }, { onboarding, participant_id, slug, name, kind })
  await store.insertInbox(tx, participant_id, newId(act.at))
  const everybody = await store.programmeAudience(tx)
  if (everybody === undefined) throw new Error('the programme has no audience')
  if (seesSignals(kind)) await store.joinAudience(tx, everybody.audience_id, [participant_id])
  return { participant_id }
}

/** Ends a probation; refused by name before its systems have shown that they work. */
export async function confirm(
  context: MemberContext,
  { tx, act }: { tx: Tx; act: Act },
  { participant }: PayloadOf<'participant.confirm'>,
): Promise<void> {
  const row = await participantOf(tx, participant)
  if (row.probation_until === null) throw new Refusal('state-conflict', { detail: 'it is not on probation' })
  const live = await liveCredentials(tx, row.participant_id, act.at)
  const missing = [
    ...(live.length > 0 ? [] : ['a TLS key that works']),
    ...((await context.conformant(row.participant_id)) ? [] : ['a conformance run that passed']),
  ]
  if (missing.length > 0) throw new Refusal('onboarding-incomplete', { detail: `missing: ${missing.join(', ')}` })
  const fields = { participant }
  const event = await log(context, { tx, act }, { kind: 'participant.confirmed', subject: participant, fields })
  await store.endProbation(tx, row.participant_id, event)
}

export async function resume(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { participant }: PayloadOf<'participant.resume'>,
): Promise<void> {
  const row = await participantOf(within.tx, participant)
  await moveTo(context, within, { row, to: 'active' })
}

/**
 * For good: keys end, groups and audiences are left; what was received by then stays readable as ends only. `hold-placed` while
 * its signals are kept.
 */
export async function offboard(
  context: DepartureContext,
  within: { tx: Tx; act: Act },
  { participant, reason }: PayloadOf<'participant.offboard'>,
): Promise<void> {
  const { tx, act } = within
  const row = await participantOf(tx, participant)
  // What its signals share would be destroyed with it.
  if (await context.oversight.keepsSignals(tx, row.participant_id))
    throw new Refusal('hold-placed', { detail: 'suspend it, until two persons have lifted the hold' })
  const ends = await feedEnds(context, row.participant_id)
  const event = await moveTo(context, within, { row, to: 'left', reason })
  await context.forgetValues(tx, row.participant_id)
  await revokeAll(context, within, { ...row, reason })
  await endSigningKeys(context, within, row)
  await store.leaveGroups(tx, row.participant_id, { left_at: act.at, last_event: event })
  for (const [audience_id, until_seq] of ends)
    await store.leaveAudience(tx, { audience_id, participant_id: row.participant_id, until_seq })
}

/** The last sequence that a participant may still see of each audience; it only grows, so a moment ago is never too much. */
export const feedEnds = ({ app }: Pick<ActContext, 'app'>, participant_id: Uuid): Promise<Map<Uuid, bigint>> =>
  asParticipant(app, participant_id, (tx) => store.lastSequences(tx, participant_id))

/** The moves of a participant's status; whoever has left is admitted anew under another name. */
const MOVES = {
  active: ['suspended', 'left'],
  suspended: ['active', 'left'],
  left: [],
} as const satisfies Record<keyof typeof PARTICIPANT_STATUS, readonly (keyof typeof PARTICIPANT_STATUS)[]>

const EVENT = { suspended: 'participant.suspended', active: 'participant.resumed', left: 'participant.left' } as const

async function moveTo(
  context: ActContext,
  within: { tx: Tx; act: Act },
  { row, to, reason }: { row: store.ParticipantRow; to: keyof typeof PARTICIPANT_STATUS; reason?: string },
): Promise<Uuid> {
  const from = nameOf(PARTICIPANT_STATUS, row.status)
  if (!MOVES[from].some((allowed) => allowed === to))
    throw new Refusal('state-conflict', { detail: `the participant is ${from}` })
  const { slug } = row
  if (from === 'active') await refuseLast(within.tx, slug)
  const event = await log(context, within, { kind: EVENT[to], subject: slug, fields: { participant: slug, reason } })
  await store.setParticipantStatus(within.tx, row.participant_id, { status: PARTICIPANT_STATUS[to], last_event: event })
  return event
}

/** Its people act no more: somebody has to remain who can let it in again. */
async function refuseLast(tx: Tx, slug: string): Promise<void> {
  const own = new Set((await persons(tx)).flatMap((one) => (one.organisation === slug ? [one.person_id] : [])))
  refuseTooFew(await countingRoles(tx), (person) => own.has(person))
}
