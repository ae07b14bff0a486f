import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, log, participantOf } from './act.ts'
import type { PayloadOf } from './action.ts'

/** Signals of a source that two persons hold or let go. */
export interface DecidedHold {
  participant: Uuid
  slug: string
  request: Uuid
  now: Date
}

/** A legal hold with the event that changed it last. */
export interface PlacedHold {
  hold: Uuid
  participant: Uuid
  what: string
  reason: string
  at: Date
  event: Uuid
}

export interface ClosedGovernment {
  outcome: string
  n: number
  at: Date
  event: Uuid
}

/** What other features do, in the transaction of an act that two persons decided. */
export interface OversightContext {
  oversight: Oversight
}

export interface Oversight {
  /** A report that is kept here is from now on one that everybody may have. */
  reportPublished(tx: Tx, report: { digest: string; at: Date; event: Uuid }): Promise<void>
  /** A person of the organisation tried to approve what this person had proposed; outside of any transaction. */
  attempted(organisation: string): Promise<void>
  /** Holds the live signals of a source since a moment; answers how many. */
  holdSource(tx: Tx, of: DecidedHold & { since: Date }): Promise<number>
  /** Lets go what was held so. */
  releaseSource(tx: Tx, of: DecidedHold): Promise<number>
  placeHold(tx: Tx, hold: PlacedHold): Promise<void>
  /** The hold, locked, if it is placed. */
  placedHold(tx: Tx, hold: Uuid): Promise<PlacedHold | undefined>
  liftHold(tx: Tx, hold: Uuid, change: { at: Date; event: Uuid }): Promise<void>
  /** Whether values of the participant's signals may not be removed now. */
  keepsSignals(tx: Tx, participant: Uuid): Promise<boolean>
  /** The request of an authority, locked, if it is open. */
  openGovernment(tx: Tx, request: Uuid): Promise<{ country: string; kind: string; event: Uuid } | undefined>
  closeGovernment(tx: Tx, request: Uuid, change: ClosedGovernment): Promise<void>
}

type Within = { tx: Tx; act: Act }
type Context = Pick<ActContext, 'recorder' | 'programme'> & OversightContext

function requestOf({ request }: Act): Uuid {
  if (request === undefined) throw new Error('an act that nobody asked for')
  return request
}

/** Recipients do not match what a source shared since a moment, until it is let go. */
export async function holdSource(
  context: Context,
  { tx, act }: Within,
  { participant, since }: PayloadOf<'source.hold'>,
): Promise<{ held: string }> {
  const { participant_id } = await participantOf(tx, participant)
  const of = { participant: participant_id, slug: participant, request: requestOf(act), now: act.at }
  const n = await context.oversight.holdSource(tx, { ...of, since: new Date(since) })
  const fields = { whom: participant, what: 'held', code: 'source', amount: n }
  await log(context, { tx, act }, { kind: 'anomaly.acted', fields })
  return { held: String(n) }
}

export async function releaseSource(
  context: Context,
  { tx, act }: Within,
  { participant }: PayloadOf<'source.release'>,
): Promise<{ released: string }> {
  const { participant_id } = await participantOf(tx, participant)
  const of = { participant: participant_id, slug: participant, request: requestOf(act), now: act.at }
  const n = await context.oversight.releaseSource(tx, of)
  const fields = { whom: participant, what: 'released', code: 'source', amount: n }
  await log(context, { tx, act }, { kind: 'anomaly.acted', fields })
  return { released: String(n) }
}

/** From now on nothing of it is removed: by its time, by hand or by a request. */
export async function placeHold(
  context: Context,
  { tx, act }: Within,
  { participant, what, reason }: PayloadOf<'hold.place'>,
): Promise<{ hold: Uuid }> {
  const { participant_id } = await participantOf(tx, participant)
  const hold = newId(act.at)
  const event = await log(
    context,
    { tx, act },
    { kind: 'hold.placed', fields: { hold, whom: participant, what, reason } },
  )
  await context.oversight.placeHold(tx, { hold, participant: participant_id, what, reason, at: act.at, event })
  return { hold }
}

export async function liftHold(context: Context, { tx, act }: Within, { hold }: PayloadOf<'hold.lift'>): Promise<void> {
  const placed = await context.oversight.placedHold(tx, hold)
  if (placed === undefined) throw new Refusal('not-found', { detail: 'there is no such hold' })
  const event = await log(
    context,
    { tx, act },
    { kind: 'hold.lifted', fields: { hold, what: placed.what, reason: placed.reason } },
  )
  await context.oversight.liftHold(tx, hold, { at: act.at, event })
}

/** What came of a request of an authority, in numbers: everybody who takes part may know. */
export async function closeGovernment(
  context: Context,
  { tx, act }: Within,
  { request, outcome, n }: PayloadOf<'government.close'>,
): Promise<void> {
  const open = await context.oversight.openGovernment(tx, request)
  if (open === undefined) throw new Refusal('not-found', { detail: 'there is no such open request' })
  const { country, kind } = open
  const event = await log(
    context,
    { tx, act },
    { kind: 'government_request.closed', fields: { country, kind, outcome, n } },
  )
  await context.oversight.closeGovernment(tx, request, { outcome, n, at: act.at, event })
}
