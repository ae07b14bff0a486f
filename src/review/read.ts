import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { bySource, type Disclosed, type Reader } from '../feeds/answer.ts'
import type { FactsOf, SignalFacts } from '../feeds/facts.ts'
import { toBase64Url, toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import type { Reviewer } from './case.ts'
import * as decisionStore from './decision-store.ts'
import * as hitStore from './hit-store.ts'
import { decisionOf, infoOf, saidOf, severityOf, textsOf } from './info.ts'
import { isLive, type Lease } from './lease.ts'
import { nameOf } from './outcome.ts'
import { countQueue, type Known, pageOf } from './queue.ts'
import { casesInState, openedSince } from './queue-store.ts'
import {
  CASES_MAX,
  type CaseInfo,
  type CaseList,
  type CasesQuery,
  type LeaseResult,
  type QueueCounts,
} from './schema.ts'
import * as store from './store.ts'
import { CASE_STATE } from './transition.ts'

export interface CaseReadsOptions extends Known {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  facts: FactsOf
  slugOf(participant: Uuid): string
  categorySlug(id: number): string
  /** Of each statement of a page. */
  timeoutMs: number
}

type Looking = Pick<Reviewer, 'participant' | 'who'>

/** A decision whose grace runs: nothing of it has left. */
export interface Undoable {
  case: Uuid
  decision: Uuid
  verdict: string
  release_at: Date
}

export interface CaseReads {
  /** A page of an organisation's own cases; the queue unless another state is asked for. Written down before it is given out. */
  list(by: Reader, query: CasesQuery): Promise<Disclosed>
  one(by: Reader, case_id: Uuid): Promise<Disclosed>
  /** Cases by their ids, at most a page of them; those that are not there are left out. */
  some(by: Reader, cases: readonly Uuid[]): Promise<Disclosed>
  /** The words of a case's signal, which are given out by nothing else; a read of its own. */
  texts(by: Reader, case_id: Uuid): Promise<Disclosed>
  /** Cases that wait for a second person, each with what is proposed. */
  proposals(by: Reader): Promise<Disclosed>
  counts(by: Looking): Promise<QueueCounts>
  /** How many open cases came since a moment; counts to 100. */
  since(participant: Uuid, moment: Date): Promise<number>
  /** The lease of whoever asks, also one that lapsed; undefined where it is another's. */
  grip(by: Looking, case_id: Uuid): Promise<(LeaseResult & { live: boolean }) | undefined>
  /** How severe a case is; undefined where there is none. */
  severity(participant: Uuid, case_id: Uuid): Promise<CaseInfo['severity'] | undefined>
  /** What whoever asks decided or approved and may still undo, the newest first. */
  undoable(by: Looking): Promise<Undoable[]>
}

const SINCE_MAX = 100
const PROPOSALS_MAX = 100
/** Reasons that a case is told with: the newest. */
const TRIGGERS_MAX = 100

export function createCaseReads(options: CaseReadsOptions): CaseReads {
  const { db, clock, provenance, timeoutMs } = options
  const disclosing = (by: Reader, work: (tx: Tx<'participant'>) => Promise<Given>): Promise<Disclosed> => {
    provenance.admit()
    return asParticipant(db, by.participant, async (tx) => disclose(options, tx, { by, ...(await work(tx)) }), {
      timeoutMs,
    })
  }
  const looking = <T>(participant: Uuid, work: (tx: Tx<'participant'>) => Promise<T>): Promise<T> =>
    asParticipant(db, participant, work, { timeoutMs })
  return {
    list: (by, query) =>
      disclosing(by, async (tx) => {
        const { rows, next } = await pageOf(tx, by.participant, { query, now: clock(), known: options })
        const cases = await infosOf(options, tx, rows)
        return { rows, body: { cases, next } satisfies CaseList }
      }),
    one: (by, case_id) => disclosing(by, (tx) => wholeCase(options, tx, { participant: by.participant, case_id })),
    some: (by, ids) =>
      disclosing(by, async (tx) => {
        if (ids.length > CASES_MAX) throw new Refusal('page-limit', { extra: { limit: CASES_MAX } })
        const rows = await store.casesNamed(tx, by.participant, ids)
        const cases = await infosOf(options, tx, rows)
        return { rows, body: { cases, next: null } satisfies CaseList }
      }),
    texts: (by, case_id) =>
      disclosing(by, async (tx) => {
        const row = await ownCase(tx, by.participant, case_id)
        const facts = await factsOf(options, tx, row)
        if (facts === undefined) throw new Refusal('signal-ended')
        return { rows: [{ ...row, revision: facts.revision }], body: textsOf(case_id, facts.item) }
      }),
    proposals: (by) => disclosing(by, (tx) => proposed(options, tx, by.participant)),
    counts: ({ participant, who }) => looking(participant, (tx) => countQueue(tx, participant, { who, now: clock() })),
    since: (participant, since) =>
      looking(participant, (tx) => openedSince(tx, participant, { since, limit: SINCE_MAX })),
    grip: ({ participant, who }, case_id) =>
      looking(participant, async (tx) => {
        const row = await store.caseOf(tx, participant, case_id)
        const lease = await store.leaseOf(tx, participant, case_id)
        if (row === undefined || lease === undefined || lease.holder !== who) return undefined
        const { token, expires_at } = lease
        const told = { case: case_id, token, version: row.version, expires_at: expires_at.toISOString() }
        return { ...told, live: isLive(lease, clock()) }
      }),
    severity: (participant, case_id) =>
      looking(participant, async (tx) => {
        const row = await store.caseOf(tx, participant, case_id)
        return row === undefined ? undefined : severityOf(row.severity)
      }),
    undoable: ({ participant, who }) =>
      looking(participant, async (tx) =>
        (await decisionStore.inGrace(tx, participant, { who, now: clock() })).flatMap(
          ({ case_id, decision_id, verdict, release_at }) =>
            release_at === null ? [] : [{ case: case_id, decision: decision_id, verdict: nameOf(verdict), release_at }],
        ),
      ),
  }
}

export interface Given {
  rows: readonly Pick<store.CaseRow, 'origin' | 'signal_id' | 'revision'>[]
  body: object
}

/** Facts of others' signals leave with it: it is a read like a look-up, and each source is told how much. */
export async function disclose(
  { provenance, slugOf }: Pick<CaseReadsOptions, 'provenance' | 'slugOf'>,
  tx: Tx<'participant'>,
  { by, rows, body }: Given & { by: Reader },
): Promise<Disclosed> {
  const text = JSON.stringify(body)
  if (rows.length === 0) return { body: text, read: '' }
  const read = provenance.prepareRead({
    ...{ route: by.route, as_of: { log: String(await provenance.projected(tx)) }, n: rows.length, purpose: 'review' },
    body: toBase64Url(sha256(Buffer.from(text))),
    sources: bySource(rows, slugOf),
  })
  const [name = ''] = await provenance.insertReads(tx, by.participant, [read])
  return { body: text, read: name }
}

async function infosOf(options: CaseReadsOptions, tx: Tx, rows: readonly store.CaseRow[]): Promise<CaseInfo[]> {
  const [first] = rows
  if (first === undefined) return []
  const ids = rows.map(({ case_id }) => case_id)
  const leases = new Map<Uuid, Lease>(
    (await store.leasesOf(tx, first.participant_id, ids)).map(({ case_id, ...lease }) => [case_id, lease]),
  )
  const { slugOf, categorySlug } = options
  const naming = { slugOf, categorySlug, now: options.clock() }
  return rows.map((row) => infoOf(row, { ...naming, lease: leases.get(row.case_id) }))
}

async function ownCase(tx: Tx, participant: Uuid, case_id: Uuid): Promise<store.CaseRow> {
  const row = await store.caseOf(tx, participant, case_id)
  if (row === undefined) throw new Refusal('not-found')
  return row
}

async function factsOf(
  { facts, clock }: CaseReadsOptions,
  tx: Tx<'participant'>,
  { participant_id, origin, signal_id: signal, signal_key }: store.CaseRow,
): Promise<SignalFacts | undefined> {
  const found = await facts(tx, participant_id, [{ origin, signal, key: toHex(signal_key) }], clock())
  return found.find((one) => one.origin === origin && one.signal === signal)
}

async function wholeCase(
  options: CaseReadsOptions,
  tx: Tx<'participant'>,
  { participant, case_id }: { participant: Uuid; case_id: Uuid },
): Promise<Given> {
  const row = await ownCase(tx, participant, case_id)
  const [info] = await infosOf(options, tx, [row])
  const triggers = await store.triggersOf(tx, row, { limit: TRIGGERS_MAX })
  const decisions = await decisionStore.decisionsOf(tx, participant, case_id)
  const hit = await hitStore.hitOf(tx, participant, row)
  const facts = await factsOf(options, tx, row)
  const body = {
    ...info,
    triggers: triggers.map(({ kind, ref, at, last_event: event }) => ({ kind, ref, at: at.toISOString(), event })),
    decisions: decisions.map(decisionOf),
    ...(facts !== undefined && { said: saidOf(facts.item) }),
    ...(hit !== undefined && { hit: hitInfo(hit) }),
  }
  return { rows: [{ ...row, revision: facts?.revision ?? row.revision }], body }
}

const hitInfo = ({ count, last_at, own_ref }: { count: number; last_at: Date; own_ref: string | null }) => ({
  ...{ count, last_at: last_at.toISOString() },
  ...(own_ref !== null && { own_ref }),
})

async function proposed(options: CaseReadsOptions, tx: Tx<'participant'>, participant: Uuid): Promise<Given> {
  const state = CASE_STATE.awaiting_second
  const page = { state, filter: {}, after: undefined, limit: PROPOSALS_MAX }
  const rows = await casesInState(tx, participant, page)
  const ids = rows.map(({ case_id }) => case_id)
  const decisions = new Map(
    (await decisionStore.proposedOf(tx, participant, ids)).map((one) => [one.case_id, decisionOf(one)]),
  )
  const infos = await infosOf(options, tx, rows)
  const cases = infos.map((info) => {
    const decision = decisions.get(info.case)
    return decision === undefined ? info : { ...info, decisions: [decision] }
  })
  return { rows, body: { cases, next: null } satisfies CaseList }
}
