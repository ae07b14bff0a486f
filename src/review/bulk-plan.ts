import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Disclosed, Reader } from '../feeds/answer.ts'
import type { FactsOf } from '../feeds/facts.ts'
import { toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { leftBy, needsLead, type Standing } from './bulk-rule.ts'
import { BULK_MAX, type BulkAsked, type BulkFilter, type BulkPlan, type BulkResult } from './bulk-schema.ts'
import type { Reviewer } from './case.ts'
import { type Known, pageOf } from './queue.ts'
import { disclose } from './read.ts'
import { CASES_MAX } from './schema.ts'
import { isCritical } from './second.ts'
import * as store from './store.ts'
import { stateOf } from './transition.ts'

export interface BulkPlanOptions extends Known {
  db: Db
  clock: Clock
  facts: FactsOf
  provenance: ProvenanceService
  slugOf(participant: Uuid): string
  /** Of each statement. */
  timeoutMs: number
}

/**
 * What would become of cases if they were decided alike now; changes nothing. Of named ones it tells nothing of their signals; by
 * which a filter leaves it tells what a page of the queue does, and is a read like it.
 */
export const createBulkPlan =
  (options: BulkPlanOptions) =>
  async (by: Reviewer & Reader, asked: Omit<BulkAsked, 'operator'>): Promise<Disclosed> => {
    const { cases, filter, verdict } = asked
    if ((cases === undefined) === (filter === undefined))
      throw new Refusal('validation-failed', { detail: 'either cases or a filter' })
    if (filter !== undefined) options.provenance.admit()
    return asParticipant(
      options.db,
      by.participant,
      async (tx) => {
        const found = filter === undefined ? undefined : await matching(options, tx, { by, filter })
        const rows = found?.rows ?? (await store.casesNamed(tx, by.participant, cases ?? []))
        const ids = cases ?? rows.map(({ case_id }) => case_id)
        const planned = await plannedOf(options, tx, { by, rows, ids, verdict })
        const body = told(planned, found?.more ?? false)
        return disclose(options, tx, { by, rows: found?.rows ?? [], body })
      },
      { timeoutMs: options.timeoutMs },
    )
  }

/** The first open cases that a filter leaves, in the order of the queue. */
async function matching(
  { clock, ...known }: BulkPlanOptions,
  tx: Tx<'participant'>,
  { by, filter }: { by: Reviewer; filter: BulkFilter },
): Promise<{ rows: store.CaseRow[]; more: boolean }> {
  const rows: store.CaseRow[] = []
  const now = clock()
  let cursor: string | null = null
  do {
    const query = { ...filter, limit: CASES_MAX, ...(cursor !== null && { cursor }) }
    const page = await pageOf(tx, by.participant, { query, now, known })
    rows.push(...page.rows)
    cursor = page.next
  } while (cursor !== null && rows.length < BULK_MAX)
  return { rows, more: cursor !== null }
}

interface Planned {
  case: Uuid
  version: number
  result: BulkResult
}

async function plannedOf(
  { clock, facts }: BulkPlanOptions,
  tx: Tx<'participant'>,
  of: { by: Reviewer; rows: readonly store.CaseRow[]; ids: readonly Uuid[]; verdict: BulkAsked['verdict'] },
): Promise<Planned[]> {
  const { by, rows, ids, verdict } = of
  const now = clock()
  const leases = new Map((await store.leasesOf(tx, by.participant, ids)).map((one) => [one.case_id, one]))
  const names = rows.map(({ origin, signal_id: signal, signal_key }) => ({ origin, signal, key: toHex(signal_key) }))
  const live = new Set((await facts(tx, by.participant, names, now)).map((one) => `${one.origin}/${one.signal}`))
  const known = new Map(rows.map((row) => [row.case_id, row]))
  return ids.map((id) => {
    const row = known.get(id)
    if (row === undefined) return { case: id, version: 0, result: 'not_there' }
    const { version, assigned_to, origin, signal_id } = row
    const standing: Standing = {
      ...{ state: stateOf(row.state), version, own: origin === by.participant, lease: leases.get(id), assigned_to },
      live: live.has(`${origin}/${signal_id}`),
    }
    const left = leftBy(standing, { who: by.who, version, now })
    return { case: id, version, result: left ?? changeOf(row, verdict) }
  })
}

const changeOf = ({ severity }: store.CaseRow, verdict: BulkAsked['verdict']): BulkResult =>
  verdict !== undefined && (verdict === 'disagree_category' || isCritical(severity, verdict)) ? 'proposed' : 'decided'

function told(cases: readonly Planned[], more: boolean): BulkPlan {
  const counted = Map.groupBy(cases, ({ result }) => result)
  const count = (result: BulkResult): number => counted.get(result)?.length ?? 0
  const changed = count('decided') + count('proposed')
  const results = Object.fromEntries([...counted].map(([result, of]) => [result, of.length]))
  return {
    ...{ changed, proposed: count('proposed'), needs_lead: needsLead(changed), results, more },
    cases: [...cases],
  }
}
