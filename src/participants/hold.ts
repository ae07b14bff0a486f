import type { Tx } from '../db/as-participant.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, participantOf } from './act.ts'
import type { PayloadOf } from './action.ts'

/** The release of a held signal that two persons decided, as it is carried out. */
export interface DecidedRelease {
  participant: Uuid
  slug: string
  signal: Uuid
  request: Uuid
  now: Date
}

export interface HoldContext {
  /** Lets the signal go and records it, within the transaction of the act; what a hold is is not known here. */
  releaseSignal(tx: Tx, decided: DecidedRelease): Promise<unknown>
}

export async function releaseHeld(
  { releaseSignal }: HoldContext,
  { tx, act }: { tx: Tx; act: Act },
  { participant, signal }: PayloadOf<'signal.release'>,
): Promise<void> {
  const { request, at } = act
  if (request === undefined) throw new Error('a release that nobody asked for')
  const { participant_id } = await participantOf(tx, participant)
  await releaseSignal(tx, { participant: participant_id, slug: participant, signal, request, now: at })
}
