import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { fromBase64Url, toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { coalesce } from '../kernel/coalesce.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { NewEvent, ProvenanceService } from '../provenance/service.ts'
import { type Applied, apply, type Judged, type Refused, type Standing } from './apply.ts'
import { judgeSignal, judgeWithdrawal, keyProfile, leafOf, type SignalRules, signalKey } from './lint.ts'
import { type ItemResult, SIGNAL_STATE, SIGNAL_TYPE, type Submission, type SubmissionResult } from './schema.ts'
import * as store from './store.ts'
import {
  type CountersignInput,
  type SubmissionType,
  type VerifiedSubmission,
  type VerifyContext,
  verifySubmission,
} from './submission.ts'

/** Who submits, as the connection proved it. */
export interface Submitter {
  participant: Uuid
  slug: string
  uri: string
}

export interface SignalServiceOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  rules: SignalRules
  /** The stable number of a category. */
  categoryId(taxonomy: number, slug: string): number
  /** The name of a category's number, for the log. */
  categorySlug(id: number): string
  verifyContext(submitter: Submitter): VerifyContext
  countersign(input: CountersignInput): Promise<{ protected: string; signature: string }>
}

/** Where a stream stands: the submission's last line is durable once this commits. */
export interface UploadPosition {
  upload_id: Uuid
  next_line: bigint
}

export interface SignalService {
  /**
   * Verifies, judges, stores and logs one submission; answers after COMMIT. Throws the Refusal of the whole submission
   * (signature, replay); refused items are results and stop no other. The same `jti` over the same bytes gives the same answer.
   */
  submit(by: Submitter, submission: Submission, upload?: UploadPosition): Promise<SubmissionResult>
  /** The first line of an upload that is not durable yet; 1 for an unknown upload. */
  nextLine(participant: Uuid, upload_id: Uuid): Promise<bigint>
  /** The newest revision of one's own signal. */
  own(participant: Uuid, signal_id: Uuid): Promise<OwnSignal>
  /** Ends what is over for one participant; answers how many. */
  expire(participant: Uuid, slug: string): Promise<number>
}

export interface OwnSignal {
  signal: Uuid
  revision: number
  state: string
  leaf: string
  item: string
}

interface Pending {
  verified: VerifiedSubmission
  judged: readonly Judged[]
  submission: Submission
  upload: UploadPosition | undefined
}

/** What is kept of an answer; accepted items are told again from the submission's own bytes. */
interface StoredAnswer {
  refused: Refused[]
  countersignature: { protected: string; signature: string }
}

const TYPE_NUMBER: Readonly<Record<SubmissionType, number>> = {
  'aldis-signal+jws': 1,
  'aldis-withdrawal+jws': 2,
  'aldis-relation+jws': 3,
}
const TYPE_NAME = new Map(Object.entries(SIGNAL_TYPE).map(([name, id]) => [id, name]))
const STATE_NAME = new Map(Object.entries(SIGNAL_STATE).map(([name, id]) => [id as number, name]))
const GROUP_ITEMS = 1_000
const EXPIRE_AT_ONCE = 1_000

export function createSignalService(options: SignalServiceOptions): SignalService {
  const { db, clock, provenance, rules } = options

  const commit = coalesce<string, Pending & { by: Submitter }, SubmissionResult>(
    async (_, group) => {
      const by = group[0]?.by
      if (by === undefined) return []
      try {
        return await asParticipant(db, by.participant, (tx) => commitGroup(tx, by, group))
      } catch (error) {
        // A repeated jti or a twin in flight: one by one, each finds what the other left.
        if (!isUnique(error)) throw error
        return Promise.all(group.map((pending) => commitAlone(by, pending).catch(asError)))
      }
    },
    {
      maxWeight: GROUP_ITEMS,
      weight: ({ judged }) => judged.length,
      // One at a time: a stream may revise what its former submission created.
      concurrency: 1,
      maxWaiting: 4_096,
      refuse: () => new Refusal('busy', { retryAfter: 1 }),
    },
  )

  async function commitAlone(by: Submitter, pending: Pending): Promise<SubmissionResult> {
    return asParticipant(db, by.participant, async (tx) => {
      const { jti } = pending.verified.header
      const [known] = await store.submissionsByJti(tx, by.participant, [jti])
      if (known === undefined) {
        const [result] = await commitGroup(tx, by, [pending])
        if (result === undefined || result instanceof Error) throw result ?? new Error('no result')
        return result
      }
      if (!known.od.equals(pending.verified.od)) throw new Refusal('replayed', { detail: 'sign with a fresh jti' })
      await store.countReplay(tx, by.participant, known.submission_id)
      return answer(known.submission_id, pending, JSON.parse(known.response) as StoredAnswer)
    })
  }

  async function commitGroup(tx: Tx, by: Submitter, group: readonly Pending[]): Promise<(SubmissionResult | Error)[]> {
    const now = clock()
    const ids = [...new Set(group.flatMap(({ judged }) => judged.flatMap((j) => ('item' in j ? [j.item.signal] : []))))]
    const rows = ids.length === 0 ? [] : await store.signalsForUpdate(tx, by.participant, ids)
    const standing = new Map<Uuid, Standing>(rows.map((row) => [row.signal_id, row]))
    const change = { submissions: [], signals: new Map<Uuid, Standing>(), revisions: [], uploads: [] } as {
      submissions: store.SubmissionRow[]
      signals: Map<Uuid, Standing>
      revisions: store.RevisionRow[]
      uploads: store.UploadRow[]
    }
    const records: ReturnType<ProvenanceService['prepare']>[] = []
    const results: (SubmissionResult | Error)[] = []
    for (const pending of group) {
      const event = newId(now)
      const applied = apply(pending.judged, standing, { event, leaves: pending.verified.leaves, now })
      if (pending.upload !== undefined) change.uploads.push({ ...pending.upload, updated_at: now })
      if (applied.accepted.length === 0) {
        results.push(refusedWhole(applied.refused))
        continue
      }
      const record = provenance.prepare(eventOf(by, pending, { event, applied, now }))
      const { od } = pending.verified
      const stored: StoredAnswer = {
        refused: applied.refused,
        countersignature: await options.countersign({
          od,
          rec: record.c,
          payload: pending.submission.jws.payload,
          now,
        }),
      }
      records.push(record)
      change.submissions.push(submissionRow(event, pending, { now, stored }))
      for (const [id, row] of applied.changed) change.signals.set(id, row)
      pushRevisions(change.revisions, { event, pending, applied })
      results.push(answer(event, pending, stored))
    }
    if (change.submissions.length > 0) {
      const uploads = [...new Map(change.uploads.map((row) => [row.upload_id, row])).values()]
      await store.insertSubmissions(tx, by.participant, { ...change, uploads, signals: [...change.signals.values()] })
      await provenance.insert(tx, records)
    }
    return results
  }

  function eventOf(
    by: Submitter,
    { verified, judged }: Pending,
    at: { event: Uuid; applied: Applied; now: Date },
  ): NewEvent {
    const { applied, event, now } = at
    const withdrawal = verified.header.typ === 'aldis-withdrawal+jws'
    const fields = {
      actor: by.slug,
      od: toBase64Url(verified.od),
      n: judged.length,
      root: toBase64Url(verified.root),
      refused: applied.refused.length,
      types: named(applied.types, (id) => TYPE_NAME.get(id) ?? String(id)),
      categories: named(applied.categories, options.categorySlug),
    }
    const base = { event_id: event, participant_id: by.participant, at: now }
    if (withdrawal) {
      const reasons = countsOf(judged.flatMap((j) => (j.outcome === 'withdrawal' ? [j.item.reason] : [])))
      return { ...base, kind: 'signal.withdrawn', fields: { ...fields, reasons } }
    }
    const items = judged.flatMap((j) => (j.outcome === 'signal' ? [j.item] : []))
    const region = countsOf(items.map(({ context }) => context.region))
    const basis = countsOf(items.map((item) => item.basis))
    return {
      ...base,
      kind: applied.revised ? 'signal.revised' : 'signal.submitted',
      fields: { ...fields, region, basis },
    }
  }

  function judge(by: Submitter, typ: SubmissionType, text: string, now: Date): Judged {
    if (typ === 'aldis-withdrawal+jws') {
      const judged = judgeWithdrawal(text)
      return judged.outcome === 'refused'
        ? judged
        : { outcome: 'withdrawal', item: judged.item, prev: leafOf(judged.item.prev) }
    }
    const judged = judgeSignal(text, { participant: by.participant, rules, now })
    if (judged.outcome === 'refused') return judged
    const { item } = judged
    const category = options.categoryId(item.taxonomy, item.category)
    const prev = leafOf(item.prev)
    return { outcome: 'signal', item, key: signalKey(sha256, item), profile: keyProfile(item), category, prev }
  }

  return {
    async submit(by, submission, upload) {
      const now = clock()
      const verified = verifySubmission(submission, options.verifyContext(by))
      const { typ } = verified.header
      if (typ === 'aldis-relation+jws')
        throw new Refusal('signature-header', { detail: 'relations are not served yet' })
      const judged = submission.items.map(({ item }) => judge(by, typ, item, now))
      provenance.admit()
      const result = await commit(by.participant, { by, verified, judged, submission, upload })
      provenance.wake()
      return result
    },
    nextLine: (participant, upload_id) =>
      asParticipant(db, participant, async (tx) => (await store.uploadOf(tx, participant, upload_id))?.next_line ?? 1n),
    own: (participant, signal_id) =>
      asParticipant(db, participant, async (tx) => {
        const row = await store.ownSignal(tx, participant, signal_id)
        if (row === undefined) throw new Refusal('not-found')
        const { revision, item } = row
        return {
          signal: signal_id,
          revision,
          item,
          leaf: toBase64Url(row.leaf),
          state: STATE_NAME.get(row.state) ?? '',
        }
      }),
    expire: (participant, slug) =>
      asParticipant(db, participant, async (tx) => {
        const now = clock()
        const due = await store.dueForUpdate(tx, participant, now, EXPIRE_AT_ONCE)
        if (due.length === 0) return 0
        const event = newId(now)
        const ids = due.map(({ signal_id }) => signal_id)
        await store.expireSignals(tx, { participant_id: participant, ids, event, state: SIGNAL_STATE.expired })
        await provenance.record(
          tx,
          provenance.expired({
            event,
            participant,
            slug,
            at: now,
            signals: due.map((row) => ({
              ...row,
              type: TYPE_NAME.get(row.type) ?? '',
              category: options.categorySlug(row.category),
            })),
          }),
        )
        return due.length
      }),
  }
}

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

function pushRevisions(
  rows: store.RevisionRow[],
  { event, pending, applied }: { event: Uuid; pending: Pending; applied: Applied },
): void {
  for (const { index, signal_id, revision } of applied.accepted) {
    const sent = pending.submission.items[index]
    const salt = fromBase64Url(sent?.salt ?? '')
    if (sent === undefined || salt === undefined) throw new RangeError('an accepted item was not sent')
    rows.push({
      signal_id,
      revision,
      submission_id: event,
      item_index: index,
      salt: Buffer.from(salt),
      item: sent.item,
    })
  }
}

function answer(
  submission_id: Uuid,
  { judged }: Pending,
  { refused, countersignature }: StoredAnswer,
): SubmissionResult {
  const faults = new Map(refused.map((fault) => [fault.index, fault]))
  const results = judged.map((one, index): ItemResult => {
    const fault = faults.get(index)
    if (fault !== undefined) return { ...fault, status: new Refusal(fault.code).status }
    if (one.outcome === 'refused') throw new Error('a refused item was accepted')
    const { signal, revision } = one.item
    return { index, signal, revision, status: one.outcome === 'signal' && revision === 1 ? 201 : 200 }
  })
  return {
    submission: submission_id,
    accepted: judged.length - refused.length,
    refused: refused.length,
    countersignature,
    receipt: `/provenance/1/receipts/${submission_id}`,
    results,
  }
}

const refusedWhole = (refused: readonly Refused[]): SubmissionResult => ({
  submission: null,
  accepted: 0,
  refused: refused.length,
  results: refused.map((fault) => ({ ...fault, status: new Refusal(fault.code).status })),
})

const named = (counts: ReadonlyMap<number, number>, name: (id: number) => string): Record<string, number> =>
  Object.fromEntries([...counts].map(([id, n]): [string, number] => [name(id), n]).sort(([a], [b]) => (a < b ? -1 : 1)))

function countsOf(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

const isUnique = (error: unknown): boolean => (error as { code?: unknown })?.code === '23505'
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('failed', { cause: error }))
