import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Reach, ReachOf } from '../feeds/reach.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { firstIdOf, timeOf, type Uuid } from '../kernel/ids.ts'
import { SIGNAL_STATE, SIGNAL_TYPE, type SignalItem, type SignalType, type WithdrawalItem } from '../signals/schema.ts'
import { standingOf } from './opinion.ts'
import * as questionStore from './question-store.ts'
import { OUTCOME, type Outcome } from './schema.ts'
import { countedSent } from './sent-rule.ts'
import {
  type Attention,
  type DisputeOf,
  type ReachInfo,
  SENT_DAYS,
  SENT_LOOKED_AT,
  SENT_MAX,
  type SentDetail,
  type SentFigures,
  type SentList,
  type SentQuery,
  type SentSignal,
  type SignalState,
} from './sent-schema.ts'
import * as store from './sent-store.ts'

export interface SentOptions {
  db: Db
  clock: Clock
  reach: ReachOf
  /** Of each statement. */
  timeoutMs: number
  categorySlug(id: number): string
  /** The number of a category that the programme knows now. */
  categoryNow(slug: string): number | undefined
  directory: {
    slugOf(participant: Uuid): string
    audience(id: Uuid): { label: string; members: ReadonlySet<Uuid> } | undefined
  }
}

/** A source's own signals and what others make of them: nothing of it is another's, so that nothing is disclosed. */
export interface Sent {
  /** A page of them, the newest first. `taxonomy-unknown` for a category that there is not. */
  sent(participant: Uuid, query: SentQuery): Promise<SentList>
  sentFigures(participant: Uuid): Promise<SentFigures>
  sentSignal(participant: Uuid, signal: Uuid): Promise<SentDetail>
  attention(participant: Uuid): Promise<Attention>
}

const DAY_MS = 86_400_000
/** Entries of each part of what waits, and of what a page of one signal lists. */
const ATTENTION_MAX = 50
const LISTED_MAX = 100
const ENDING_DAYS = 7

const OUTCOME_NAME = new Map<number, Outcome>(Object.entries(OUTCOME).map(([name, id]) => [id, name as Outcome]))
const TYPE_NAME = new Map<number, SignalType>(Object.entries(SIGNAL_TYPE).map(([name, id]) => [id, name as SignalType]))
const STATE_NAME = new Map<number, SignalState>(
  Object.entries(SIGNAL_STATE).map(([name, id]) => [id, name as SignalState]),
)

export function createSent(options: SentOptions): Sent {
  const { db, timeoutMs } = options
  const reading = <T>(participant: Uuid, work: (tx: Tx<'participant'>) => Promise<T>): Promise<T> =>
    asParticipant(db, participant, work, { timeoutMs })
  return {
    sent: (participant, query) => reading(participant, (tx) => pageOf(options, tx, { participant, query })),
    sentFigures: (participant) => reading(participant, (tx) => figuresOf(options, tx, participant)),
    sentSignal: (participant, signal) => reading(participant, (tx) => detailOf(options, tx, { participant, signal })),
    attention: (participant) => reading(participant, (tx) => attentionOf(options, tx, participant)),
  }
}

async function pageOf(
  options: SentOptions,
  tx: Tx<'participant'>,
  { participant, query }: { participant: Uuid; query: SentQuery },
): Promise<SentList> {
  const { state, type, category, said, cursor: before, limit = SENT_MAX } = query
  const number = category === undefined ? undefined : options.categoryNow(category)
  if (category !== undefined && number === undefined) throw new Refusal('taxonomy-unknown')
  const filter = {
    state: state === undefined ? undefined : SIGNAL_STATE[state],
    type: type === undefined ? undefined : SIGNAL_TYPE[type],
    ...{ category: number, said },
  }
  const edge = (await store.edgeOf(tx, participant, before))?.signal_id
  const rows = await store.sentPage(tx, participant, { filter, before, edge, limit })
  const signals = await infosOf(options, tx, { participant, rows })
  const next = rows.length === limit ? (rows.at(-1)?.signal_id ?? null) : (edge ?? null)
  return { signals, next }
}

async function infosOf(
  { reach, categorySlug }: SentOptions,
  tx: Tx<'participant'>,
  { participant, rows }: { participant: Uuid; rows: readonly store.SentRow[] },
): Promise<SentSignal[]> {
  if (rows.length === 0) return []
  const ids = rows.map(({ signal_id }) => signal_id)
  const reached = await reach(tx, participant, rows)
  const givers = Map.groupBy(await store.giversOf(tx, participant, ids), ({ signal_id }) => signal_id)
  const openers = Map.groupBy(await store.openersOf(tx, participant, ids), ({ signal_id }) => signal_id)
  return rows.map((row) => {
    const outcomes = JSON.parse(row.counts ?? '{}') as Record<string, number>
    const open_disputes = row.open_disputes ?? 0
    const found = reached.get(row.signal_id)
    const said = (givers.get(row.signal_id) ?? []).map(({ giver }) => giver)
    const known = new Set([...said, ...(openers.get(row.signal_id) ?? []).map(({ giver }) => giver)])
    return {
      ...{ signal: row.signal_id, type: TYPE_NAME.get(row.type) ?? 'url', category: categorySlug(row.category) },
      ...{ state: STATE_NAME.get(row.state) ?? 'live', revision: row.revision, audience: row.audience_id },
      ...{ sent_at: new Date(timeOf(row.first)).toISOString(), expires_at: row.expires_at.toISOString() },
      ...{ standing: standingOf(outcomes, open_disputes), outcomes, answered: said.length, open_disputes },
      ...(found !== undefined && { reach: reachInfo(found, known) }),
    }
  })
}

/** Who said something of a signal, or disputed it, has it, acknowledged or not. */
const reachInfo = ({ members, acknowledged }: Reach, known: ReadonlySet<Uuid>): ReachInfo => ({
  members: members.length,
  reached: members.filter((one) => acknowledged.has(one) || known.has(one)).length,
  acknowledged: acknowledged.size,
})

async function figuresOf(
  { clock, directory }: SentOptions,
  tx: Tx<'participant'>,
  participant: Uuid,
): Promise<SentFigures> {
  const since = firstIdOf(new Date(clock().getTime() - SENT_DAYS * DAY_MS))
  const rows = (await store.sentSince(tx, participant, since)).map((row) => ({ ...row, n: Number(row.n) }))
  const recipients = new Set(rows.flatMap(({ audience_id }) => [...(directory.audience(audience_id)?.members ?? [])]))
  recipients.delete(participant)
  const counted = countedSent(rows)
  const more = counted.sent === SENT_LOOKED_AT
  return { days: SENT_DAYS, more, recipients: recipients.size, ...counted }
}

async function detailOf(
  options: SentOptions,
  tx: Tx<'participant'>,
  { participant, signal }: { participant: Uuid; signal: Uuid },
): Promise<SentDetail> {
  const row = await store.sentSignal(tx, participant, signal)
  if (row === undefined) throw new Refusal('not-found')
  const [info] = await infosOf(options, tx, { participant, rows: [row] })
  if (info === undefined) throw new Refusal('not-found')
  const { directory, clock } = options
  const revisions = await store.revisionsOf(tx, participant, signal, LISTED_MAX)
  const said = await store.saidOf(tx, participant, signal)
  const disputes = await store.disputesOf(tx, participant, signal, LISTED_MAX)
  const hold = await store.heldByRequest(tx, participant, signal)
  const answers = await questionStore.answersOf(tx, participant, signal, LISTED_MAX)
  return {
    ...info,
    audience_label: directory.audience(row.audience_id)?.label ?? row.audience_id,
    held_by_programme: row.state === SIGNAL_STATE.held && hold !== undefined,
    changed_at: new Date(timeOf(row.last_event)),
    revisions: revisions.map(({ revision, submission_id, item, signed }) => ({
      ...{ revision, event: submission_id, at: new Date(timeOf(submission_id)), signed },
      item: row.state === SIGNAL_STATE.erased ? undefined : (JSON.parse(item) as SignalItem | WithdrawalItem),
    })),
    said: said.map(({ giver, outcome, independent, recurrences, at, place }) => ({
      ...{ giver: directory.slugOf(giver), outcome: outcomeName(outcome), independent },
      ...{ seen_again: recurrences, at, place },
    })),
    disputes: disputes.map((one) => disputeOf(one, { directory, now: clock() })),
    answers: answers.map(({ asker, at, told }) => ({
      ...{ asker: directory.slugOf(asker), at, note: (JSON.parse(told) as { note: string }).note },
    })),
  }
}

async function attentionOf(
  { clock, directory }: SentOptions,
  tx: Tx<'participant'>,
  participant: Uuid,
): Promise<Attention> {
  const now = clock()
  const to = new Date(now.getTime() + ENDING_DAYS * DAY_MS)
  // A revision answers what was said before it; that the signal was held or let go does not.
  const open = (await store.objections(tx, participant, SENT_LOOKED_AT))
    .filter(({ at, submission_id, answered }) => at.getTime() >= timeOf(submission_id) && !answered)
    .map(({ signal_id, type, giver, outcome, at }) => ({
      ...{ signal: signal_id, type: typeName(type), giver: directory.slugOf(giver), outcome: outcomeName(outcome), at },
    }))
  const disputes = await store.unanswered(tx, participant, ATTENTION_MAX)
  const ending = await store.endingSoon(tx, participant, { from: now, to, limit: ATTENTION_MAX })
  const held = await store.heldNow(tx, participant, ATTENTION_MAX)
  return {
    questions: open.filter(({ outcome }) => outcome === 'needs_information').slice(0, ATTENTION_MAX),
    disagreements: open.filter(({ outcome }) => outcome !== 'needs_information').slice(0, ATTENTION_MAX),
    disputes: disputes.map((one) => disputeOf(one, { directory, now })),
    ending: ending.map(({ signal_id, type, expires_at }) => ({ signal: signal_id, type: typeName(type), expires_at })),
    held: held.map(({ signal_id, type, last_event }) => ({
      ...{ signal: signal_id, type: typeName(type), at: new Date(timeOf(last_event)) },
    })),
  }
}

type DisputeRow = Awaited<ReturnType<typeof store.unanswered>>[number]

const disputeOf = (
  row: DisputeRow & { result?: string | null; answered_at?: Date | null },
  { directory, now }: { directory: SentOptions['directory']; now: Date },
): DisputeOf => {
  const { result = null, answered_at = null } = row
  return {
    ...{ dispute: row.dispute_id, opener: directory.slugOf(row.opener), signal: row.signal_id, revision: row.revision },
    ...{ ground: row.ground, opened_at: row.opened_at, due_at: row.due_at },
    overdue: result === null && row.due_at <= now,
    ...(result !== null && { result }),
    ...(answered_at !== null && { answered_at }),
  }
}

const outcomeName = (outcome: number): Outcome => OUTCOME_NAME.get(outcome) ?? 'in_review'
const typeName = (type: number): SignalType => TYPE_NAME.get(type) ?? 'url'
