import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { concat, toBase64Url, utf8 } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, timeAfter, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Envelope, openEnvelope, sealEnvelope } from '../keys/envelope.ts'
import type { KeyService } from '../keys/service.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { type GivenValue, SIGNAL_STATE, type SignalItem, type ValueResult } from './schema.ts'
import type { Submitter } from './service.ts'
import * as signalStore from './store.ts'
import { valueKey } from './value-keys.ts'
import { valueFault } from './value-rule.ts'
import * as store from './value-store.ts'

/** A value as it is kept: nothing of it can be read. */
export type HeldValue = store.ValueRow

export interface SealedValues {
  /**
   * Keeps the raw link behind one's own live signal, sealed, for those of its audience who reveal it; null takes it back. The
   * very same again changes nothing. `value-mismatch` unless the signal hashed it.
   */
  give(by: Submitter, signal: Uuid, given: GivenValue): Promise<ValueResult>
  /** What a source keeps sealed beside a signal; whoever asks has found out before whether the reader may see the signal. */
  held(source: Uuid, signal: Uuid): Promise<HeldValue | undefined>
  /** The value itself: only once the entry that tells of it is committed. */
  open(held: HeldValue): string
}

export interface SealedValuesOptions {
  db: Db
  clock: Clock
  keys: Pick<KeyService, 'seal' | 'open'>
  provenance: ProvenanceService
  /** Of each statement. */
  timeoutMs: number
}

export function createSealedValues(options: SealedValuesOptions): SealedValues {
  const { db, keys, provenance, timeoutMs } = options
  return {
    async give(by, signal, given) {
      provenance.admit()
      const result = await asParticipant(db, by.participant, (tx) => give(options, tx, { by, signal, given }), {
        timeoutMs,
      })
      provenance.wake()
      return result
    },
    held: (source, signal) => asParticipant(db, source, (tx) => store.sealedBeside(tx, source, signal), { timeoutMs }),
    open: (held) => openEnvelope(keys, held, store.placeOf(held)).toString(),
  }
}

interface Giving {
  by: Submitter
  signal: Uuid
  given: GivenValue
}

async function give(options: SealedValuesOptions, tx: Tx, { by, signal, given }: Giving): Promise<ValueResult> {
  const { revision, value } = given
  const [row] = await signalStore.signalsForUpdate(tx, by.participant, [signal])
  if (row === undefined) throw new Refusal('not-found')
  const known = await store.sealedBeside(tx, by.participant, signal)
  const now = timeAfter([row.last_event, ...(known === undefined ? [] : [known.last_event])], options.clock())
  if (row.revision !== revision)
    throw new Refusal('revision-conflict', { detail: `the current revision is ${row.revision}` })
  if (value === null) return takeBack(options, tx, { by, known, now, signal, revision })
  if (row.state === SIGNAL_STATE.held) throw new Refusal('signal-held')
  if (row.state !== SIGNAL_STATE.live || row.expires_at <= now) throw new Refusal('signal-ended')
  const newest = await signalStore.ownSignal(tx, by.participant, signal)
  if (newest === undefined) throw new Error('a signal without its revision')
  const fault = valueFault(sha256, JSON.parse(newest.item) as SignalItem, value)
  if (fault !== undefined) throw new Refusal(fault.code, { errors: [fault] })
  if (known !== undefined && openEnvelope(options.keys, known, store.placeOf(known)).toString() === value)
    return { signal, revision, sealed: true, event: known.last_event }
  const event = await seal(options, tx, { by, row, known, now, value })
  return { signal, revision, sealed: true, event }
}

interface Sealing {
  by: Submitter
  row: signalStore.LockedSignal
  known: HeldValue | undefined
  now: Date
  value: string
}

async function seal(
  { keys, provenance }: SealedValuesOptions,
  tx: Tx,
  { by, row, known, now, value }: Sealing,
): Promise<Uuid> {
  const { participant: participant_id, slug, credential } = by
  const { signal_id, audience_id, revision } = row
  const name = { participant_id, signal_id, audience_id }
  const envelope = sealEnvelope(keys, valueKey(now), { plaintext: utf8(value), place: store.placeOf(name) })
  const event = newId(now)
  await provenance.record(tx, {
    ...{ kind: 'value.sealed', event_id: event, participant_id, at: now, actor: slug },
    after: known?.last_event ?? row.last_event,
    fields: { signal: signal_id, revision, audience: audience_id, digest: digestOf(envelope), cred: credential },
  })
  await store.putValue(tx, { ...name, ...envelope, revision, sealed_at: now, last_event: event })
  return event
}

async function takeBack(
  { provenance }: SealedValuesOptions,
  tx: Tx,
  of: { by: Submitter; known: HeldValue | undefined; now: Date; signal: Uuid; revision: number },
): Promise<ValueResult> {
  const { by, known, now, signal, revision } = of
  if (known === undefined) return { signal, revision, sealed: false, event: null }
  const { participant: participant_id, slug, credential } = by
  const event = newId(now)
  await provenance.record(tx, {
    ...{ kind: 'value.removed', event_id: event, participant_id, at: now, actor: slug, after: known.last_event },
    fields: { signal, revision, cred: credential },
  })
  await store.destroyValues(tx, participant_id, [signal])
  return { signal, revision, sealed: false, event }
}

/** Of what is stored, as the log and the state have it. */
const digestOf = ({ nonce, ciphertext, tag }: Envelope): string => toBase64Url(sha256(concat(nonce, ciphertext, tag)))

/** Every value that a participant sealed, as it leaves. */
export const forgetValues = store.destroyAll
