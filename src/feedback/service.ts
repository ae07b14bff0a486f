import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { FactsOf } from '../feeds/facts.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { NewEvent, ProvenanceService } from '../provenance/service.ts'
import type { Countersignature, CountersignInput } from '../signals/countersignature.ts'
import type { Holds } from '../signals/hold.ts'
import { type ActType, type VerifiedSubmission, type VerifyContext, verifySigned } from '../signals/submission.ts'
import { isHeldByAnswer } from './hold-rule.ts'
import { readDispute, readFeedback } from './judge.ts'
import { isConfirmation, standingOf } from './opinion.ts'
import {
  type ActAuthority,
  type ActResult,
  AUTHORITY,
  DISPUTE_HOURS,
  DISPUTES_MAX,
  type DisputeAnswer,
  type DisputeAnswered,
  type DisputeList,
  type DisputesQuery,
  type Opinions,
  OUTCOME,
  type Outcome,
  type OutcomeCounts,
  type Released,
  type SignedAct,
} from './schema.ts'
import * as store from './store.ts'

/** Who speaks, as the connection proved it. */
export interface Speaker {
  participant: Uuid
  slug: string
  uri: string
  credential: Uuid
}

/** The source's signal that something is said of. */
export interface About {
  origin: Uuid
  signal: Uuid
  revision: number
}

/** What a review ended with, to be told to the source. */
export interface Said extends About {
  outcome: Outcome
  reason: string
  note: string | undefined
  category_suggested: string | undefined
  counts: OutcomeCounts
  authority: ActAuthority
}

/** What a participant's own matcher found of a signal. */
export type HitsOf = (
  tx: Tx<'participant'>,
  of: { participant: Uuid; origin: Uuid; signal: Uuid },
) => Promise<{ count: number; recurrences: number }>

export interface FeedbackServiceOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  holds: Holds
  facts: FactsOf
  hits: HitsOf
  directory: {
    participantBySlug(slug: string): { participant_id: Uuid } | undefined
    slugOf(participant: Uuid): string
  }
  verifyContext(by: Speaker): VerifyContext
  countersign(input: CountersignInput): Promise<Countersignature>
}

export interface FeedbackService {
  /** One signed word on another's signal. Repeated byte for byte it changes nothing and has the same answer. */
  give(by: Speaker, act: SignedAct): Promise<ActResult>
  /** One signed dispute, under an id of the disputant's choice. */
  dispute(by: Speaker, act: SignedAct): Promise<ActResult>
  /** Part of a larger change: what a review ended with. Answers the event, which is the feedback's id. */
  tell(tx: Tx<'participant'>, by: Pick<Speaker, 'participant' | 'slug'>, said: Said): Promise<Uuid>
  /** Part of a larger change: a verdict whose reason disputes the signal. */
  object(
    tx: Tx<'participant'>,
    by: Pick<Speaker, 'participant' | 'slug'>,
    of: About & { ground: string; note: string | undefined; authority: ActAuthority },
  ): Promise<Uuid>
  /** The source's answer; a serious ground that it confirms holds the signal at once. */
  answer(by: Pick<Speaker, 'participant' | 'slug'>, dispute: Uuid, answer: DisputeAnswer): Promise<DisputeAnswered>
  disputes(participant: Uuid, query: DisputesQuery): Promise<DisputeList>
  /** What recipients say of a signal, as counts; for its source and for whoever it is shared with. */
  opinions(participant: Uuid, of: { source: string; signal: Uuid }): Promise<Opinions>
  /** A source lets its held signal go, once it has answered every dispute of it. */
  release(by: Pick<Speaker, 'participant' | 'slug'>, signal: Uuid): Promise<Released>
}

const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid
const HOUR_MS = 3_600_000

export function createFeedbackService(options: FeedbackServiceOptions): FeedbackService {
  const { db, clock, provenance } = options
  return {
    give: (by, act) =>
      signed(options, by, { act, type: 'aldis-feedback+jws', write: (within) => giveSigned(options, within) }),
    dispute: (by, act) =>
      signed(options, by, { act, type: 'aldis-dispute+jws', write: (within) => disputeSigned(options, within) }),
    ...createTelling(options),
    answer: async (by, dispute, answer) => {
      provenance.admit()
      const answered = await asParticipant(db, by.participant, (tx) => answerIn(options, tx, { by, dispute, answer }))
      provenance.wake()
      return answered
    },
    disputes: (participant, query) => listDisputes(options, participant, query),
    opinions: (participant, { source, signal }) =>
      asParticipant(db, participant, async (tx) => {
        const origin = sourceOf(options, source)
        const row = await store.tallyOf(tx, origin, signal)
        if (row === undefined) throw new Refusal('not-found')
        const outcomes = JSON.parse(row.counts) as Record<string, number>
        const { open_disputes, recurrences: seen_again } = row
        const answered = Object.values(outcomes).reduce((n, one) => n + one, 0)
        return {
          source,
          signal,
          standing: standingOf(outcomes, open_disputes),
          outcomes,
          answered,
          open_disputes,
          seen_again,
        }
      }),
    release: async (by, signal) => {
      provenance.admit()
      const at = await asParticipant(db, by.participant, async (tx) => {
        if ((await store.openDisputes(tx, by.participant, signal)) > 0)
          throw new Refusal('signal-held', { detail: 'answer its disputes first: GET /v1/disputes?side=received' })
        return options.holds.release(tx, { ...by, signal, now: clock() })
      })
      provenance.wake()
      return { signal, released_at: `${at.toISOString().slice(0, 19)}Z` }
    },
  }
}

export type TellingOptions = Pick<FeedbackServiceOptions, 'clock' | 'provenance' | 'hits' | 'directory'>

/** What reviews say of signals, within their own transactions; nobody signs it. */
export function createTelling(options: TellingOptions): Pick<FeedbackService, 'tell' | 'object'> {
  const { clock } = options
  return {
    tell: (tx, by, said) => {
      const { outcome, authority, reason, note, category_suggested, counts } = said
      const now = clock()
      return writeFeedback(options, { tx, by, now }, said, {
        ...{ outcome, authority, words: { reason, note, category_suggested, counts } },
      })
    },
    object: async (tx, by, of) => {
      const now = clock()
      const dispute = newId(now)
      await writeDispute(options, { tx, by, now }, of, { ...of, dispute })
      return dispute
    },
  }
}

function sourceOf({ directory }: FeedbackServiceOptions, slug: string): Uuid {
  const source = directory.participantBySlug(slug)
  if (source === undefined) throw new Refusal('not-found')
  return source.participant_id
}

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
async function signed(options: FeedbackServiceOptions, by: Speaker, { act, type, write }: Signed): Promise<ActResult> {
  const { db, clock, provenance } = options
  const verified = verifySigned(act, options.verifyContext(by), [type])
  const [sent] = act.items
  if (sent === undefined) throw new Refusal('items-limit')
  provenance.admit()
  const work = (): Promise<ActResult> =>
    asParticipant(db, by.participant, async (tx) => {
      const known = await store.actByJti(tx, by.participant, verified.header.jti)
      if (known !== undefined) return replayed(options, { tx, by, verified, known })
      const now = clock()
      const proof = { od: toBase64Url(verified.od), kid: verified.header.kid }
      const { event, c } = await write({ tx, by, now, item: sent.item, proof })
      const { payload } = act.jws
      const countersignature = await options.countersign({ od: verified.od, rec: c, payload, now })
      await store.insertAct(tx, {
        ...{ participant_id: by.participant, act_id: event, jti: verified.header.jti, od: verified.od },
        ...{ jws: JSON.stringify(act.jws), salt: Buffer.from(sent.salt, 'base64url'), item: sent.item },
        ...{ countersignature: JSON.stringify(countersignature), received_at: now },
      })
      return { event, countersignature, receipt: provenance.receiptPath(event) }
    })
  // A twin in flight: the second time it is found.
  const result = await work().catch((error: unknown) => {
    if ((error as { code?: unknown }).code === '23505') return work()
    throw error
  })
  provenance.wake()
  return result
}

async function replayed(
  { provenance }: FeedbackServiceOptions,
  of: {
    tx: Tx
    by: Speaker
    verified: VerifiedSubmission<ActType>
    known: { act_id: Uuid; od: Buffer; countersignature: string }
  },
): Promise<ActResult> {
  const { tx, by, verified, known } = of
  if (!known.od.equals(verified.od)) throw new Refusal('replayed', { detail: 'sign with a fresh jti' })
  await store.countReplay(tx, by.participant, known.act_id)
  const countersignature = JSON.parse(known.countersignature) as Countersignature
  return { event: known.act_id, countersignature, receipt: provenance.receiptPath(known.act_id) }
}

async function giveSigned(options: FeedbackServiceOptions, within: Within): Promise<{ event: Uuid; c: Buffer }> {
  const item = readFeedback(within.item)
  const about = await entitled(options, within, item)
  const { reason, note, category_suggested, counts = {} } = item
  return recordFeedback(options, within, about, {
    ...{ outcome: item.outcome, authority: 'origin_jws', words: { reason, note, category_suggested, counts } },
  })
}

async function disputeSigned(options: FeedbackServiceOptions, within: Within): Promise<{ event: Uuid; c: Buffer }> {
  const { ground, note, dispute, ...item } = readDispute(within.item)
  const about = await entitled(options, within, item)
  return writeDispute(options, within, about, { dispute, ground, note, authority: 'origin_jws' })
}

/** Of a signal that the participant may see now, or of which it has spoken before: everything else is not there. */
async function entitled(
  options: FeedbackServiceOptions,
  { tx, by, now }: Within,
  item: { source: string; signal: Uuid; revision: number; key: string },
): Promise<About> {
  const origin = sourceOf(options, item.source)
  if (origin === by.participant)
    throw new Refusal('policy-refused', { detail: 'of your own signal: revise or withdraw it' })
  const { signal, revision, key } = item
  const [seen] = await options.facts(tx, by.participant, [{ origin, signal, key }], now)
  const newest =
    seen?.revision ?? (await store.lastFeedback(tx, by.participant, { origin, signal_id: signal }))?.revision
  if (newest === undefined) throw new Refusal('not-found')
  if (revision > newest) throw new Refusal('revision-conflict', { extra: { current: newest } })
  return { origin, signal, revision }
}

/** Whose act it is, and where it is written. */
interface Acting {
  tx: Tx<'participant'>
  by: Pick<Speaker, 'participant' | 'slug'> & { credential?: Uuid }
  now: Date
  proof?: { od: string; kid: string }
}

interface Words {
  outcome: Outcome
  authority: ActAuthority
  words: {
    reason: string | undefined
    note: string | undefined
    category_suggested: string | undefined
    counts: OutcomeCounts
  }
}

const writeFeedback = async (options: TellingOptions, acting: Acting, about: About, what: Words): Promise<Uuid> =>
  (await recordFeedback(options, acting, about, what)).event

async function recordFeedback(
  options: TellingOptions,
  acting: Acting,
  about: About,
  { outcome, authority, words }: Words,
): Promise<{ event: Uuid; c: Buffer }> {
  const { tx, by, now } = acting
  const { origin, signal, revision } = about
  const { count, recurrences } = await options.hits(tx, { participant: by.participant, origin, signal })
  const former = await store.lastFeedback(tx, by.participant, { origin, signal_id: signal })
  const event = newId(now)
  const supersedes = former?.feedback_id
  const { c } = await options.provenance.record(tx, {
    ...eventOf(options, acting, { event, about }),
    kind: 'feedback.given',
    fields: { signal, revision, outcome, authority, supersedes, ...fieldsOf(acting) },
  })
  const told = { outcome, authority, ...words, seen_again: recurrences, supersedes }
  await store.insertFeedback(tx, {
    ...{ participant_id: by.participant, feedback_id: event, origin, signal_id: signal, revision },
    ...{ outcome: OUTCOME[outcome], authority: AUTHORITY[authority], own_hits: count, recurrences },
    ...{ supersedes: supersedes ?? null, told: JSON.stringify(told), at: now },
  })
  return { event, c }
}

async function writeDispute(
  options: TellingOptions,
  acting: Acting,
  about: About,
  what: { dispute: Uuid; ground: string; note: string | undefined; authority: ActAuthority },
): Promise<{ event: Uuid; c: Buffer }> {
  const { tx, by, now } = acting
  const { dispute, ground, note, authority } = what
  const { origin, signal, revision } = about
  const event = newId(now)
  const due_at = new Date(now.getTime() + DISPUTE_HOURS * HOUR_MS)
  const told = { dispute, ground, note, authority, due_at: due_at.toISOString() }
  const made = await store.insertDispute(tx, {
    ...{ participant_id: by.participant, dispute_id: dispute, origin, signal_id: signal, revision, ground },
    ...{ note: note ?? null, authority: AUTHORITY[authority], told: JSON.stringify(told) },
    ...{ opened_at: now, due_at, last_event: event },
  })
  if (!made) throw new Refusal('state-conflict', { detail: 'this id was used for another dispute' })
  const { c } = await options.provenance.record(tx, {
    ...eventOf(options, acting, { event, about }),
    kind: 'dispute.opened',
    fields: { dispute, signal, ground, authority, ...fieldsOf(acting) },
  })
  return { event, c }
}

const eventOf = (
  { directory }: TellingOptions,
  { by, now }: Acting,
  { event, about }: { event: Uuid; about: About },
): Omit<NewEvent, 'kind' | 'fields'> => ({
  ...{ event_id: event, participant_id: by.participant, at: now, actor: by.slug },
  subject: directory.slugOf(about.origin),
})

const fieldsOf = ({ by, proof }: Acting) => ({ od: proof?.od, kid: proof?.kid, cred: by.credential })

async function answerIn(
  options: FeedbackServiceOptions,
  tx: Tx<'participant'>,
  { by, dispute, answer }: { by: Pick<Speaker, 'participant' | 'slug'>; dispute: Uuid; answer: DisputeAnswer },
): Promise<DisputeAnswered> {
  const { clock, provenance, directory, holds } = options
  const row = await store.received(tx, by.participant, dispute)
  if (row === undefined) throw new Refusal('not-found')
  const { opener, signal_id: signal, revision, ground } = row
  // Locks the signal, so that of two answers the second finds the first.
  const standing = await holds.standing(tx, { ...by, signal })
  const known = await store.answerOf(tx, by.participant, dispute)
  const { result, note } = answer
  if (known !== undefined && known.result !== result)
    throw new Refusal('state-conflict', { detail: `the dispute was answered as ${known.result}` })
  const isHeld = isHeldByAnswer(ground, result)
  if (known !== undefined) return { dispute, result, held: isHeld }
  const now = clock()
  const event = newId(now)
  await provenance.record(tx, {
    ...{ kind: 'dispute.closed', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    ...{ subject: directory.slugOf(opener), fields: { dispute, signal, ground, result } },
  })
  await store.insertAnswer(tx, {
    ...{ participant_id: by.participant, dispute_id: dispute, opener, signal_id: signal, revision, result },
    ...{ note: note ?? null, told: JSON.stringify({ dispute, result, note }), at: now, last_event: event },
  })
  if (isHeld && standing?.live === true) await holds.hold(tx, { ...by, signal, dispute, now })
  return { dispute, result, held: isHeld }
}

function listDisputes(
  { db, clock, directory }: FeedbackServiceOptions,
  participant: Uuid,
  { side, after = FIRST }: DisputesQuery,
): Promise<DisputeList> {
  return asParticipant(db, participant, async (tx) => {
    const list = side === 'opened' ? store.disputesOpened : store.disputesReceived
    const rows = await list(tx, participant, { after, limit: DISPUTES_MAX })
    const now = clock()
    const disputes = rows.map((row) => ({
      ...{ dispute: row.dispute_id, source: directory.slugOf(row.origin), opener: directory.slugOf(row.opener) },
      ...{ signal: row.signal_id, revision: row.revision, ground: row.ground },
      ...{ opened_at: row.opened_at.toISOString(), due_at: row.due_at.toISOString() },
      overdue: row.result === null && row.due_at <= now,
      ...(row.result !== null && { result: row.result }),
    }))
    return { disputes, next: rows.length < DISPUTES_MAX ? null : (rows.at(-1)?.dispute_id ?? null) }
  })
}

/** How many recipients confirmed a signal, as far as the open transaction's participant may know it. */
export async function confirmationsOf(
  tx: Tx<'participant'>,
  { origin, signal }: { origin: Uuid; signal: Uuid },
): Promise<number> {
  const row = await store.tallyOf(tx, origin, signal)
  const counts = Object.entries(JSON.parse(row?.counts ?? '{}') as Record<string, number>)
  return counts.reduce((n, [outcome, one]) => n + (isConfirmation(OUTCOME[outcome as Outcome]) ? one : 0), 0)
}

/** What was said in an entry, read as `aldis_projector` beside whoever said it. */
export const createSaid = (projector: Db) => ({
  feedbackAt: (participant: Uuid, event: Uuid) => store.feedbackAt(projector, participant, event),
  disputeAt: (participant: Uuid, event: Uuid) => store.disputeAt(projector, participant, event),
  answerAt: async (participant: Uuid, event: Uuid) => {
    const row = await store.answerAt(projector, participant, event)
    return row === undefined ? undefined : { ...row, origin: participant }
  },
  opinionsOf: (origin: Uuid, signal: Uuid) => store.opinionsOf(projector, origin, signal),
})
