import type { Tx } from '../db/as-participant.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { SIGNAL_TYPE } from '../signals/schema.ts'
import { decodePlace, encodePlace, type Place } from './cursor.ts'
import { SEVERITY } from './priority.ts'
import * as queueStore from './queue-store.ts'
import { CASES_MAX, type CasesQuery, type QueueCounts } from './schema.ts'
import type { CaseRow } from './store.ts'
import { CASE_STATE } from './transition.ts'

export interface Known {
  /** The number of a category that the programme knows now. */
  categoryNow(slug: string): number | undefined
  participantBySlug(slug: string): { participant_id: Uuid } | undefined
}

interface Page {
  rows: CaseRow[]
  next: string | null
}

/** A page of the queue, or of the cases in another state by their ids; cut down to what is asked for. */
export async function pageOf(
  tx: Tx,
  participant: Uuid,
  { query, now, known }: { query: CasesQuery; now: Date; known: Known },
): Promise<Page> {
  const { state = 'open', limit = CASES_MAX } = query
  const place = query.cursor === undefined ? undefined : decodePlace(query.cursor)
  const filter = filterOf(query, { known, now: placed(place) ?? now })
  if (state !== 'open') {
    if (place !== undefined && place.part !== 'by_id') throw new Refusal('invalid-cursor')
    const after = place?.case_id
    const rows = await queueStore.casesInState(tx, participant, { state: CASE_STATE[state], filter, after, limit })
    const last = rows.at(-1)
    const isLast = last === undefined || rows.length < limit
    return { rows, next: isLast ? null : encodePlace({ part: 'by_id', case_id: last.case_id }) }
  }
  if (place?.part === 'by_id') throw new Refusal('invalid-cursor')
  return queuePage(tx, participant, { place, filter, limit, now: place?.now ?? now })
}

const placed = (place: Place | undefined): Date | undefined =>
  place === undefined || place.part === 'by_id' ? undefined : place.now

function filterOf(query: CasesQuery, { known, now }: { known: Known; now: Date }): queueStore.CaseFilter {
  const { type, category, severity, source, hits, disputed, holder } = query
  return {
    type: type === undefined ? undefined : SIGNAL_TYPE[type],
    category: category === undefined ? undefined : there(known.categoryNow(category), 'category'),
    severity: severity === undefined ? undefined : SEVERITY[severity],
    origin: source === undefined ? undefined : there(known.participantBySlug(source)?.participant_id, 'source'),
    hits: hits === undefined ? undefined : hits === 'yes',
    disputed: disputed === undefined ? undefined : disputed === 'yes',
    holder: holder === undefined ? undefined : { who: holder, now },
  }
}

function there<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Refusal('invalid-query', { detail: `there is no such ${what}` })
  return value
}

interface Queued {
  place: Exclude<Place, { part: 'by_id' }> | undefined
  filter: queueStore.CaseFilter
  limit: number
  now: Date
}

/** First what is overdue, then everything else by rank; a page may hold the end of one and the beginning of the other. */
async function queuePage(tx: Tx, participant: Uuid, { place, filter, limit, now }: Queued): Promise<Page> {
  const isInLate = place === undefined || place.part === 'late'
  const afterLate = place?.part === 'late' ? place : undefined
  const late = isInLate ? await queueStore.lateCases(tx, participant, { now, filter, after: afterLate, limit }) : []
  if (late.length === limit) {
    const last = late.at(-1)
    return { rows: late, next: last === undefined ? null : encodePlace({ part: 'late', now, ...keyOf(last) }) }
  }
  const asked = { now, filter, after: place?.part === 'ranked' ? place : undefined, limit: limit - late.length }
  const ranked = await queueStore.rankedCases(tx, participant, asked)
  const last = ranked.at(-1)
  const rows = [...late, ...ranked]
  if (rows.length < limit) return { rows, next: null }
  const beginsRanked = last === undefined
  return {
    rows,
    next: beginsRanked
      ? encodePlace({ part: 'ranked_first', now })
      : encodePlace({ part: 'ranked', now, rank: last.rank, ...keyOf(last) }),
  }
}

const keyOf = ({ due_at, case_id }: CaseRow) => ({ due_at, case_id })

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** What waits, for whoever looks. */
export async function countQueue(
  tx: Tx,
  participant: Uuid,
  { who, now }: { who: string; now: Date },
): Promise<QueueCounts> {
  const soon = new Date(now.getTime() + HOUR_MS)
  const today = new Date(now.getTime() - (now.getTime() % DAY_MS))
  const open = await queueStore.openCounts(tx, participant, { now, soon, today })
  const waiting = await queueStore.waitingCounts(tx, participant)
  const mine = await queueStore.heldBy(tx, participant, { who, now })
  return {
    ...{ open: Number(open.open), oldest: open.oldest ?? undefined, overdue: Number(open.overdue) },
    ...{ at_risk: Number(open.at_risk), next_due: open.next_due ?? undefined, disputed: Number(open.disputed) },
    ...{ today: Number(open.today), held: Number(waiting.held), second: Number(waiting.second), mine: Number(mine.n) },
  }
}
