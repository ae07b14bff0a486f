import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { AUTHORITY } from '../feedback/schema.ts'
import { bySource, type Disclosed, type Reader } from '../feeds/answer.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { SIGNAL_TYPE } from '../signals/schema.ts'
import { decodePlace, encodePlace, type Place } from './cursor.ts'
import * as decisionStore from './decision-store.ts'
import { countsOf, nameOf } from './decisions.ts'
import { isLive, type Lease } from './lease.ts'
import { reasonsOf, SEVERITY } from './priority.ts'
import { CASES_MAX, type CaseInfo, type CaseList, type CasesQuery, type DecisionInfo } from './schema.ts'
import * as store from './store.ts'
import { CASE_STATE, stateOf } from './transition.ts'

export interface CaseReadsOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  slugOf(participant: Uuid): string
  categorySlug(id: number): string
}

export interface CaseReads {
  /** A page of an organisation's own cases; the queue unless another state is asked for. Written down before it is given out. */
  list(by: Reader, query: CasesQuery): Promise<Disclosed>
  one(by: Reader, case_id: Uuid): Promise<Disclosed>
}

const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

export function createCaseReads(options: CaseReadsOptions): CaseReads {
  const { db, clock, provenance } = options
  return {
    list: (by, query) => {
      provenance.admit()
      return asParticipant(db, by.participant, async (tx) => {
        const { rows, next } = await page(tx, by.participant, query, clock())
        const leases = await leasesOf(tx, by.participant, rows)
        const cases = rows.map((row) => infoOf(options, row, leases.get(row.case_id)))
        return disclose(options, tx, { by, rows, body: { cases, next } satisfies CaseList })
      })
    },
    one: (by, case_id) => {
      provenance.admit()
      return asParticipant(db, by.participant, async (tx) => {
        const row = await store.caseOf(tx, by.participant, case_id)
        if (row === undefined) throw new Refusal('not-found')
        const leases = await leasesOf(tx, by.participant, [row])
        const triggers = await store.triggersOf(tx, by.participant, case_id)
        const decisions = await decisionStore.decisionsOf(tx, by.participant, case_id)
        const body: CaseInfo = {
          ...infoOf(options, row, leases.get(case_id)),
          triggers: triggers.map(({ kind, ref, at }) => ({ kind, ref, at: at.toISOString() })),
          decisions: decisions.map(decisionOf),
        }
        return disclose(options, tx, { by, rows: [row], body })
      })
    },
  }
}

/** Facts of others' signals leave with it: it is a read like a look-up, and each source is told how much. */
async function disclose(
  { provenance, slugOf }: CaseReadsOptions,
  tx: Tx<'participant'>,
  { by, rows, body }: { by: Reader; rows: readonly store.CaseRow[]; body: object },
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

type Page = { rows: store.CaseRow[]; next: string | null }

async function page(tx: Tx, participant: Uuid, query: CasesQuery, now: Date): Promise<Page> {
  const { state = 'open', limit = CASES_MAX } = query
  const place = query.cursor === undefined ? undefined : decodePlace(query.cursor)
  if (state !== 'open') {
    if (place !== undefined && place.part !== 'by_id') throw new Refusal('invalid-cursor')
    const after = place?.case_id ?? FIRST
    const rows = await store.casesInState(tx, participant, { state: CASE_STATE[state], after, limit })
    const last = rows.at(-1)
    return {
      rows,
      next: last === undefined || rows.length < limit ? null : encodePlace({ part: 'by_id', case_id: last.case_id }),
    }
  }
  if (place?.part === 'by_id') throw new Refusal('invalid-cursor')
  return queuePage(tx, participant, { place, limit, now: place?.now ?? now })
}

/** First what is overdue, then everything else by rank; a page may hold the end of one and the beginning of the other. */
async function queuePage(
  tx: Tx,
  participant: Uuid,
  { place, limit, now }: { place: Exclude<Place, { part: 'by_id' }> | undefined; limit: number; now: Date },
): Promise<Page> {
  const inLate = place === undefined || place.part === 'late'
  const late = inLate
    ? await store.lateCases(tx, participant, { now, after: place?.part === 'late' ? place : undefined, limit })
    : []
  if (late.length === limit) {
    const last = late.at(-1)
    return { rows: late, next: last === undefined ? null : encodePlace({ part: 'late', now, ...keyOf(last) }) }
  }
  const after = place?.part === 'ranked' ? place : undefined
  const ranked = await store.rankedCases(tx, participant, { now, after, limit: limit - late.length })
  const last = ranked.at(-1)
  const rows = [...late, ...ranked]
  if (rows.length < limit) return { rows, next: null }
  return {
    rows,
    next:
      last === undefined
        ? encodePlace({ part: 'ranked_first', now })
        : encodePlace({ part: 'ranked', now, rank: last.rank, ...keyOf(last) }),
  }
}

const keyOf = ({ due_at, case_id }: store.CaseRow) => ({ due_at, case_id })

async function leasesOf(tx: Tx, participant: Uuid, rows: readonly store.CaseRow[]): Promise<ReadonlyMap<Uuid, Lease>> {
  const ids = rows.map(({ case_id }) => case_id)
  return new Map((await store.leasesOf(tx, participant, ids)).map(({ case_id, ...lease }) => [case_id, lease]))
}

const TYPES = new Map<number, keyof typeof SIGNAL_TYPE>(
  Object.entries(SIGNAL_TYPE).map(([name, id]) => [id, name as keyof typeof SIGNAL_TYPE]),
)
const SEVERITIES = new Map<number, CaseInfo['severity']>(
  Object.entries(SEVERITY).map(([name, id]) => [id, name as CaseInfo['severity']]),
)

function infoOf(options: CaseReadsOptions, row: store.CaseRow, lease: Lease | undefined): CaseInfo {
  const now = options.clock()
  const { assigned_to, held_until, hold_reason } = row
  return {
    ...{ case: row.case_id, source: options.slugOf(row.origin), signal: row.signal_id, revision: row.revision },
    ...{ type: TYPES.get(row.type) ?? 'url', category: options.categorySlug(row.category) },
    ...{ severity: SEVERITIES.get(row.severity) ?? 'low', confidence: row.confidence, state: stateOf(row.state) },
    ...{ version: row.version, own_hits: row.own_hits, confirmations: row.confirmations, disputed: row.disputed },
    priority: reasonsOf({ ...row, paused: row.paused_at !== null }, now),
    ...{ opened_at: row.opened_at.toISOString(), due_at: row.due_at.toISOString() },
    ...(isLive(lease, now) && { lease: { holder: lease.holder, expires_at: lease.expires_at.toISOString() } }),
    ...(assigned_to !== null && { assigned_to }),
    ...(held_until !== null && { held_until: held_until.toISOString() }),
    ...(hold_reason !== null && { hold_reason }),
  }
}

function decisionOf(row: decisionStore.DecisionRow): DecisionInfo {
  const { note_team, note_shared, category_suggested, approved_by, release_at } = row
  return {
    ...{ decision: row.decision_id, seq: row.seq, verdict: nameOf(row.verdict) as DecisionInfo['verdict'] },
    ...{ reason: row.reason, counts: countsOf(row), decided_by: row.decided_by },
    ...{ decided_at: row.decided_at.toISOString(), standing: standingOf(row) },
    authority: row.authority === AUTHORITY.reviewed_here ? 'reviewed_here' : 'attested',
    ...(note_team !== null && { note_team }),
    ...(note_shared !== null && { note_shared }),
    ...(category_suggested !== null && { category_suggested }),
    ...(approved_by !== null && { approved_by }),
    ...(release_at !== null && { release_at: release_at.toISOString() }),
  }
}

function standingOf({ ended_at, released_at, release_at }: decisionStore.DecisionRow): DecisionInfo['standing'] {
  if (ended_at !== null) return 'ended'
  if (released_at !== null) return 'released'
  return release_at === null ? 'proposed' : 'grace'
}
