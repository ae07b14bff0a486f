import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { orTwin } from '../db/failure.ts'
import type { FactsOf } from '../feeds/facts.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Countersignature, CountersignInput } from '../signals/countersignature.ts'
import { type ActType, type VerifiedSubmission, type VerifyContext, verifySigned } from '../signals/submission.ts'
import * as actStore from './act-store.ts'
import { readDispute, readFeedback } from './judge.ts'
import type { ActResult, SignedAct } from './schema.ts'
import { type About, type Speaker, type TellingOptions, writeDispute, writeFeedback } from './tell.ts'

export interface SignedActsOptions extends TellingOptions {
  db: Db
  facts: FactsOf
  directory: TellingOptions['directory'] & {
    participantBySlug(slug: string): { participant_id: Uuid } | undefined
  }
  verifyContext(by: Speaker): VerifyContext
  countersign(input: CountersignInput): Promise<Countersignature>
}

export interface SignedActs {
  /** One signed word on another's signal. Repeated byte for byte it changes nothing and has the same answer. */
  give(by: Speaker, act: SignedAct): Promise<ActResult>
  /** One signed dispute, under an id of the disputant's choice. */
  dispute(by: Speaker, act: SignedAct): Promise<ActResult>
}

export const createSignedActs = (options: SignedActsOptions): SignedActs => ({
  give: (by, act) =>
    signed(options, by, { act, type: 'aldis-feedback+jws', write: (within) => giveSigned(options, within) }),
  dispute: (by, act) =>
    signed(options, by, { act, type: 'aldis-dispute+jws', write: (within) => disputeSigned(options, within) }),
})

/** A verified act within the transaction that stores it. */
interface Within {
  tx: Tx<'participant'>
  by: Speaker
  now: Date
  item: string
  /** Of the signature and its key, for the log. */
  proof: { od: string; kid: string }
}

interface Signed {
  act: SignedAct
  type: ActType
  /** Writes what the item says, and answers the event and its commitment. */
  write(within: Within): Promise<{ event: Uuid; c: Buffer }>
}

/** Verifies, tells a repetition from another act of the same name, and stores the signature beside what it says. */
async function signed(options: SignedActsOptions, by: Speaker, { act, type, write }: Signed): Promise<ActResult> {
  const { db, clock, provenance } = options
  const verified = verifySigned(act, options.verifyContext(by), [type])
  const [sent] = act.items
  if (sent === undefined) throw new Refusal('items-limit')
  provenance.admit()
  const work = (): Promise<ActResult> =>
    asParticipant(db, by.participant, async (tx) => {
      const known = await actStore.actByJti(tx, by.participant, verified.header.jti)
      if (known !== undefined) return replayed(options, { tx, by, verified, known })
      const now = clock()
      const proof = { od: toBase64Url(verified.od), kid: verified.header.kid }
      const { event, c } = await write({ tx, by, now, item: sent.item, proof })
      const { payload } = act.jws
      const countersignature = await options.countersign({ od: verified.od, rec: c, payload, now })
      await actStore.insertAct(tx, {
        ...{ participant_id: by.participant, act_id: event, jti: verified.header.jti, od: verified.od },
        ...{ jws: JSON.stringify(act.jws), salt: Buffer.from(sent.salt, 'base64url'), item: sent.item },
        ...{ countersignature: JSON.stringify(countersignature), received_at: now },
      })
      return { event, countersignature, receipt: provenance.receiptPath(event) }
    })
  const result = await orTwin(work)
  provenance.wake()
  return result
}

async function replayed(
  { provenance }: SignedActsOptions,
  of: {
    tx: Tx
    by: Speaker
    verified: VerifiedSubmission<ActType>
    known: { act_id: Uuid; od: Buffer; countersignature: string }
  },
): Promise<ActResult> {
  const { tx, by, verified, known } = of
  if (!known.od.equals(verified.od)) throw new Refusal('replayed', { detail: 'sign with a fresh jti' })
  await actStore.countReplay(tx, by.participant, known.act_id)
  const countersignature = JSON.parse(known.countersignature) as Countersignature
  return { event: known.act_id, countersignature, receipt: provenance.receiptPath(known.act_id) }
}

async function giveSigned(options: SignedActsOptions, within: Within): Promise<{ event: Uuid; c: Buffer }> {
  const item = readFeedback(within.item)
  const about = await entitled(options, within, item)
  const { reason, note, category_suggested, counts = {} } = item
  return writeFeedback(options, within, about, {
    ...{ outcome: item.outcome, authority: 'origin_jws', words: { reason, note, category_suggested, counts } },
  })
}

async function disputeSigned(options: SignedActsOptions, within: Within): Promise<{ event: Uuid; c: Buffer }> {
  const { ground, note, dispute, ...item } = readDispute(within.item)
  const about = await entitled(options, within, item)
  return writeDispute(options, within, about, { dispute, ground, note, authority: 'origin_jws' })
}

/** Of a signal that the participant may see now, or of which it has spoken before: everything else is not there. */
async function entitled(
  options: SignedActsOptions,
  { tx, by, now }: Within,
  item: { source: string; signal: Uuid; revision: number; key: string },
): Promise<About> {
  const origin = options.directory.participantBySlug(item.source)?.participant_id
  if (origin === undefined) throw new Refusal('not-found')
  if (origin === by.participant)
    throw new Refusal('policy-refused', { detail: 'of your own signal: revise or withdraw it' })
  const { signal, revision, key } = item
  const [seen] = await options.facts(tx, by.participant, [{ origin, signal, key }], now)
  const newest =
    seen?.revision ?? (await actStore.lastFeedback(tx, by.participant, { origin, signal_id: signal }))?.revision
  if (newest === undefined) throw new Refusal('not-found')
  if (revision > newest) throw new Refusal('revision-conflict', { extra: { current: newest } })
  return { origin, signal, revision }
}
