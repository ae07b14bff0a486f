import { atControl, type Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Act, type ActContext, participantOf } from './act.ts'
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
  /** What was found of its readers before; without it all is looked at in the transaction. */
  scanned?: ScannedReaders
}

/** Who had obtained signals, by the read journal, and up to when it was looked at. */
export interface ScannedReaders {
  holders: readonly Uuid[]
  upto: Date
}

export interface ErasureContext {
  /** Who has obtained the signals so far: minutes on a large node, and so in no transaction that anybody waits for. */
  scanReaders(of: Pick<DecidedErasure, 'participant' | 'slug' | 'signals'>): Promise<ScannedReaders>
  /** Takes values, salts and keys away and records it, within the transaction of the act; what signals are is not known here. */
  eraseSignals(tx: Tx, decided: DecidedErasure): Promise<{ event: Uuid; notified: number }>
}

/** Ahead of the transaction of the act, which keeps every other change of the programme waiting. */
export async function scanAhead(
  context: Pick<ActContext, 'admin'> & ErasureContext & OversightContext,
  { participant: slug, signals }: PayloadOf<'signals.erase'>,
): Promise<ScannedReaders> {
  const participant = await atControl(context.admin, (tx) => erasableSource(context, tx, slug))
  return context.scanReaders({ participant, slug, signals: signals as Uuid[] })
}

export async function erase(
  context: ErasureContext & OversightContext,
  { tx, act, scanned }: { tx: Tx; act: Act; scanned?: ScannedReaders },
  { participant: slug, signals, basis }: PayloadOf<'signals.erase'>,
): Promise<{ event: Uuid; notified: number }> {
  const { request, at, after } = act
  if (request === undefined) throw new Error('an erasure that nobody asked for')
  const participant = await erasableSource(context, tx, slug)
  const decided = { participant, slug, signals: signals as Uuid[], basis, request, at }
  return context.eraseSignals(tx, {
    ...decided,
    ...(after !== undefined && { after }),
    ...(scanned !== undefined && { scanned }),
  })
}

async function erasableSource({ oversight }: OversightContext, tx: Tx, slug: string): Promise<Uuid> {
  const { participant_id } = await participantOf(tx, slug)
  if (await oversight.keepsSignals(tx, participant_id)) throw new Refusal('hold-placed')
  return participant_id
}
