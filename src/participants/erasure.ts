import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, participantOf } from './act.ts'
import type { PayloadOf } from './action.ts'
import type { OversightContext } from './oversight.ts'

/** An erasure that two persons decided, as it is carried out. */
export interface DecidedErasure {
  /** The source, which may have left. */
  participant: Uuid
  slug: string
  signals: readonly Uuid[]
  /** A code: the log holds no free text. */
  basis: string
  request: Uuid
  /** The event that it comes after: the last approval. */
  after?: Uuid
  at: Date
}

export interface ErasureContext {
  /** Takes values, salts and keys away and records it, within the transaction of the act; what signals are is not known here. */
  eraseSignals(tx: Tx, decided: DecidedErasure): Promise<{ event: Uuid; notified: number }>
}

export async function erase(
  { eraseSignals, oversight }: ErasureContext & OversightContext,
  { tx, act }: { tx: Tx; act: Act },
  { participant, signals, basis }: PayloadOf<'signals.erase'>,
): Promise<{ event: Uuid; notified: number }> {
  const { request, at, after } = act
  if (request === undefined) throw new Error('an erasure that nobody asked for')
  const { participant_id } = await participantOf(tx, participant)
  if (await oversight.keepsSignals(tx, participant_id)) throw new Refusal('hold-placed')
  const decided = { participant: participant_id, slug: participant, signals: signals as Uuid[], basis, request, at }
  return eraseSignals(tx, { ...decided, ...(after !== undefined && { after }) })
}
