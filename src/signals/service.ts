import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { isTwin } from '../db/failure.ts'
import { fromBase64Url, toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { coalesce } from '../kernel/coalesce.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, timeAfter, type Uuid } from '../kernel/ids.ts'
import { createTurns } from '../kernel/turns.ts'
import type { KeyService } from '../keys/service.ts'
import type { PatternChecker } from '../matching/pattern.ts'
import type { ProvenanceService, RecordRow } from '../provenance/service.ts'
import { answerOf, refusedWhole, type StoredAnswer, warningsOf } from './answer.ts'
import { type Applied, apply, type Judged, type Standing } from './apply.ts'
import { type Attested, createAttested } from './attested.ts'
import { checked } from './checked.ts'
import type { Countersignature, CountersignInput } from './countersignature.ts'
import { dryRun } from './dry-run.ts'
import { submissionEvent } from './event.ts'
import type { SignalRules } from './lint.ts'
import { SIGNAL_STATE, type Submission, type SubmissionResult } from './schema.ts'
import * as store from './store.ts'
import type { SubmissionType, VerifiedSubmission, VerifyContext } from './submission.ts'
import { tryPatterns } from './try-patterns.ts'
import type { UploadPosition } from './upload.ts'
import { destroyValues } from './value-store.ts'
import { createSealedValues, type SealedValues } from './values.ts'

/** Who submits, as the connection proved it. */
export interface Submitter {
  participant: Uuid
  slug: string
  uri: string
  /** Whose key the connection proved. */
  credential: Uuid
  /** Of the credential: withdrawals have a scope of their own. */
  scopes: readonly string[]
}

export interface SignalServiceOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  rules: SignalRules
  patterns: Pick<PatternChecker, 'check'>
  /** Those under which data keys of sealed values are. */
  keys: Pick<KeyService, 'seal' | 'open'>
  /** The stable number of a category. */
  categoryId(taxonomy: number, slug: string): number
  /** The name of a category's number, for the log. */
  categorySlug(id: number): string
  verifyContext(submitter: Submitter): VerifyContext
  countersign(input: CountersignInput): Promise<Countersignature>
  /** Of each statement of a submission. */
  timeoutMs: number
}

export interface SignalService extends Attested {
  /**
   * Verifies, judges, stores and logs one submission; answers after COMMIT. Throws the Refusal of the whole submission
   * (signature, replay); refused items are results and stop no other. The same `jti` over the same bytes gives the same
   * answer.
   */
  submit(by: Submitter, submission: Submission, upload?: UploadPosition): Promise<SubmissionResult>
  /** What would become of it: see `dryRun`. */
  tryOut(by: Submitter, submission: Submission): Promise<SubmissionResult>
  /** The first line of an upload that is not durable yet; 1 for an unknown upload. */
  nextLine(participant: Uuid, upload_id: Uuid): Promise<bigint>
  /** The newest revision of one's own signal. */
  own(participant: Uuid, signal_id: Uuid): Promise<OwnSignal>
  /** Raw links that sources keep sealed beside their signals. */
  readonly values: SealedValues
}

export interface OwnSignal {
  signal: Uuid
  revision: number
  state: string
  leaf: string
  item: string
}

interface Pending {
  by: Submitter
  verified: VerifiedSubmission
  judged: readonly Judged[]
  submission: Submission
  upload: UploadPosition | undefined
}

const TYPE_NUMBER: Readonly<Record<SubmissionType, number>> = {
  'aldis-signal+jws': 1,
  'aldis-withdrawal+jws': 2,
}
const STATE_NAME = new Map<number, string>(Object.entries(SIGNAL_STATE).map(([name, id]) => [id, name]))
const GROUP_ITEMS = 1_000

export function createSignalService(options: SignalServiceOptions): SignalService {
  const { db, clock, provenance } = options

  const commit = coalesce<string, Pending, SubmissionResult>((_, group) => commitTogether(options, group), {
    maxWeight: GROUP_ITEMS,
    weight: ({ judged }) => judged.length,
    // One at a time: a stream may revise what its former submission created.
    concurrency: 1,
    maxWaiting: 4_096,
    refuse: () => new Refusal('busy', { retryAfter: 1 }),
  })
  // What an upload says later may not be durable before what it said earlier.
  const inTurn = createTurns<string>()

  return {
    ...createAttested(options),
    values: createSealedValues(options),
    async submit(by, submission, upload) {
      const { verified, judged } = checked(options, by, { submission, now: clock() })
      const tried = tryPatterns(judged, options.patterns, by.participant)?.catch(asError)
      return inTurn(by.participant, tried, async (settled = judged) => {
        try {
          if (settled instanceof Error) throw settled
          provenance.admit()
          const result = await commit(by.participant, { by, verified, judged: settled, submission, upload })
          provenance.wake()
          return result
        } catch (error) {
          if (upload !== undefined && !isSettled(error)) upload.stream.broken = true
          throw error
        }
      })
    },
    tryOut: (by, submission) => dryRun(options, by, submission),
    nextLine: (participant, upload_id) =>
      asParticipant(db, participant, async (tx) => (await store.uploadOf(tx, participant, upload_id))?.next_line ?? 1n),
    own: (participant, signal_id) =>
      asParticipant(db, participant, async (tx) => {
        const row = await store.ownSignal(tx, participant, signal_id)
        if (row === undefined) throw new Refusal('not-found')
        const { revision, item, leaf, state } = row
        return { signal: signal_id, revision, item, leaf: toBase64Url(leaf), state: STATE_NAME.get(state) ?? '' }
      }),
  }
}

/** One transaction for the submissions of a participant that came together, if nothing stands in the way. */
async function commitTogether(
  options: SignalServiceOptions,
  group: readonly Pending[],
): Promise<(SubmissionResult | Error)[]> {
  const [first] = group
  if (first === undefined) return []
  // After a failure nothing further of that upload may commit, or its place would pass over what failed.
  if (group.some(isBroken) || isTwice(group)) return oneByOne(options, group)
  try {
    const results = await asParticipant(options.db, first.by.participant, (tx) => commitFresh(options, tx, group), {
      timeoutMs: options.timeoutMs,
    })
    return results ?? (await oneByOne(options, group))
  } catch (error) {
    // A twin in flight: one by one, each finds what the other left.
    if (isTwin(error)) return oneByOne(options, group)
    group.forEach(breakUpload)
    throw error
  }
}

/** In their order, each in a transaction of its own. */
async function oneByOne(
  options: SignalServiceOptions,
  group: readonly Pending[],
): Promise<(SubmissionResult | Error)[]> {
  const results: (SubmissionResult | Error)[] = []
  for (const pending of group) {
    const result = isBroken(pending) ? interrupted() : await commitAlone(options, pending).catch(asError)
    if (result instanceof Error && !isSettled(result)) breakUpload(pending)
    results.push(result)
  }
  return results
}

const isBroken = ({ upload }: Pending): boolean => upload?.stream.broken === true
const breakUpload = ({ upload }: Pending): void => {
  if (upload !== undefined) upload.stream.broken = true
}
const jtisOf = (group: readonly Pending[]): string[] => group.map(({ verified }) => verified.header.jti)
const isTwice = (group: readonly Pending[]): boolean => new Set(jtisOf(group)).size < group.length
/** Whether repeating would change nothing: a refusal of what was sent, not of the moment. */
const isSettled = (error: unknown): boolean => error instanceof Refusal && error.status < 500
const interrupted = (): Refusal =>
  new Refusal('busy', {
    detail: 'an earlier part of this upload failed; go on from its first line that is not durable',
  })

/** The answer that a repeated submission had; a fresh one is committed by itself. */
async function commitAlone(options: SignalServiceOptions, pending: Pending): Promise<SubmissionResult> {
  const { by, verified, judged, submission, upload } = pending
  const { db, timeoutMs } = options
  const work = async (tx: Tx): Promise<SubmissionResult> => {
    const fresh = await commitFresh(options, tx, [pending])
    if (fresh?.[0] !== undefined) return fresh[0]
    const [known] = await store.submissionsByJti(tx, by.participant, [verified.header.jti])
    if (known === undefined) throw new Error('no result')
    if (!known.od.equals(verified.od)) throw new Refusal('replayed', { detail: 'sign with a fresh jti' })
    await store.countReplay(tx, by.participant, known.submission_id)
    if (upload !== undefined) await store.moveUploads(tx, by.participant, [uploadRow(upload, options.clock())])
    const stored = JSON.parse(known.response) as StoredAnswer
    const told = { judged, items: submission.items }
    return answerOf(known.submission_id, told, stored, options.provenance.receiptPath(known.submission_id))
  }
  return asParticipant(db, by.participant, work, { timeoutMs })
}

interface Change {
  submissions: store.SubmissionRow[]
  signals: Map<Uuid, Standing>
  revisions: store.RevisionRow[]
  uploads: Map<Uuid, store.UploadRow>
  records: RecordRow[]
  /** Whose sealed values go: those of signals that end, or that others come to see. */
  unsealed: Set<Uuid>
}

/**
 * Submissions of one participant in their order: judged items take their places, and everything is one statement each.
 * Undefined, and nothing done, if one of them was told before.
 */
async function commitFresh(
  options: SignalServiceOptions,
  tx: Tx,
  group: readonly Pending[],
): Promise<SubmissionResult[] | undefined> {
  const participant = group[0]?.by.participant
  if (participant === undefined) return []
  const ids = new Set(group.flatMap(({ judged }) => judged.flatMap((one) => ('item' in one ? [one.item.signal] : []))))
  // In this order on one connection: what a twin in another process committed under these locks shows behind them.
  const [rows, told] = await Promise.all([
    ids.size === 0 ? [] : store.signalsForUpdate(tx, participant, [...ids]),
    store.submissionsByJti(tx, participant, jtisOf(group)),
  ])
  if (told.length > 0) return undefined
  const now = timeAfter(rows.flatMap(store.eventsOf), options.clock())
  // The log goes by time and then by id: as they came, also within one millisecond.
  const events = group.map(() => newId(now)).sort()
  const standing = new Map<Uuid, Standing>(rows.map((row) => [row.signal_id, row]))
  const audienceOf = new Map(
    rows.flatMap((row) => (row.value_event === null ? [] : [[row.signal_id, row.audience_id]])),
  )
  const change: Change = {
    ...{ submissions: [], signals: new Map(), revisions: [], uploads: new Map(), records: [] },
    unsealed: new Set(),
  }
  const results: SubmissionResult[] = []
  for (const [i, pending] of group.entries()) {
    results.push(await place(options, pending, { standing, audienceOf, change, now, event: events[i] ?? newId(now) }))
  }
  const { submissions, signals, revisions, uploads, records } = change
  if (submissions.length > 0) {
    // On one connection: the second is on its way while the first is carried out.
    await Promise.all([
      store.insertSubmissions(tx, participant, { submissions, revisions, signals: [...signals.values()] }),
      options.provenance.insert(tx, records),
    ])
    await destroyValues(tx, participant, [...change.unsealed])
  }
  if (uploads.size > 0) await store.moveUploads(tx, participant, [...uploads.values()])
  return results
}

async function place(
  options: SignalServiceOptions,
  pending: Pending,
  {
    standing,
    audienceOf,
    change,
    now,
    event,
  }: {
    standing: Map<Uuid, Standing>
    /** Of signals with a sealed value. */
    audienceOf: ReadonlyMap<Uuid, Uuid>
    change: Change
    now: Date
    event: Uuid
  },
): Promise<SubmissionResult> {
  const { by, verified, judged, submission, upload } = pending
  const applied = apply(judged, standing, { event, leaves: verified.leaves, now })
  if (upload !== undefined) change.uploads.set(upload.upload_id, uploadRow(upload, now))
  if (applied.accepted.length === 0) return refusedWhole(applied.refused)
  const { participant, slug, credential } = by
  const told = { event, now, participant, slug, credential, categorySlug: options.categorySlug }
  const record = options.provenance.prepare(submissionEvent(told, { verified, judged, applied }))
  const { payload } = submission.jws
  const countersignature = await options.countersign({ od: verified.od, rec: record.c, payload, now })
  const { refused } = applied
  const stored: StoredAnswer = { refused, ...warningsOf(judged, refused), countersignature }
  change.records.push(record)
  change.submissions.push(submissionRow(event, pending, { now, stored }))
  for (const [id, row] of applied.changed) change.signals.set(id, row)
  for (const id of unsealedBy(judged, applied, audienceOf)) change.unsealed.add(id)
  change.revisions.push(...revisionRows(event, submission, applied))
  return answerOf(event, { judged, items: submission.items }, stored, options.provenance.receiptPath(event))
}

/** Signals whose sealed values were given for others than those who see them now: ended ones, and of another audience. */
const unsealedBy = (judged: readonly Judged[], { accepted }: Applied, audienceOf: ReadonlyMap<Uuid, Uuid>): Uuid[] =>
  accepted.flatMap(({ index, signal_id }) => {
    const [one, audience] = [judged[index], audienceOf.get(signal_id)]
    if (audience === undefined) return []
    return one?.outcome === 'signal' && one.item.audience === audience ? [] : [signal_id]
  })

const uploadRow = ({ upload_id, next_line }: UploadPosition, updated_at: Date): store.UploadRow => ({
  ...{ upload_id, next_line, updated_at },
})

function submissionRow(
  submission_id: Uuid,
  { verified, submission }: Pending,
  { now, stored }: { now: Date; stored: StoredAnswer },
): store.SubmissionRow {
  const { header, od, leaves } = verified
  return {
    submission_id,
    jti: header.jti,
    typ: TYPE_NUMBER[header.typ],
    od,
    jws: JSON.stringify(submission.jws),
    n: leaves.length,
    leaves: Buffer.concat(leaves),
    response: JSON.stringify(stored),
    received_at: now,
  }
}

const revisionRows = (submission_id: Uuid, submission: Submission, { accepted }: Applied): store.RevisionRow[] =>
  accepted.map(({ index, signal_id, revision }) => {
    const sent = submission.items[index]
    const salt = fromBase64Url(sent?.salt ?? '')
    if (sent === undefined || salt === undefined) throw new RangeError('an accepted item was not sent')
    return { signal_id, revision, submission_id, item_index: index, salt: Buffer.from(salt), item: sent.item }
  })

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('failed', { cause: error }))
