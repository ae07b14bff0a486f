import { AUTHORITY } from '../feedback/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import { SIGNAL_TYPE, type SignalItem } from '../signals/schema.ts'
import { isLive, type Lease } from './lease.ts'
import { countsOf, nameOf, standingOf, type Told } from './outcome.ts'
import { reasonsOf, SEVERITY, type Weighed } from './priority.ts'
import type { CaseInfo, CaseTexts, DecisionInfo, SignalSaid } from './schema.ts'
import { stateOf } from './transition.ts'

/** A case as far as it is told. */
export interface TellableCase extends Weighed {
  case_id: Uuid
  origin: Uuid
  signal_id: Uuid
  revision: number
  type: number
  category: number
  state: number
  version: number
  due_at: Date
  paused_at: Date | null
  opened_at: Date
  held_until: Date | null
  hold_reason: string | null
  assigned_to: string | null
}

export interface Naming {
  slugOf(participant: Uuid): string
  categorySlug(id: number): string
}

const TYPES = new Map<number, keyof typeof SIGNAL_TYPE>(
  Object.entries(SIGNAL_TYPE).map(([name, id]) => [id, name as keyof typeof SIGNAL_TYPE]),
)
const SEVERITIES = new Map<number, CaseInfo['severity']>(
  Object.entries(SEVERITY).map(([name, id]) => [id, name as CaseInfo['severity']]),
)

export const severityOf = (severity: number): CaseInfo['severity'] => SEVERITIES.get(severity) ?? 'low'

/** A case as its organisation sees it in a list. */
export function infoOf(
  row: TellableCase,
  { lease, now, slugOf, categorySlug }: Naming & { lease: Lease | undefined; now: Date },
): CaseInfo {
  const { assigned_to, held_until, hold_reason } = row
  return {
    ...{ case: row.case_id, source: slugOf(row.origin), signal: row.signal_id, revision: row.revision },
    ...{ type: TYPES.get(row.type) ?? 'url', category: categorySlug(row.category) },
    ...{ severity: severityOf(row.severity), confidence: row.confidence, state: stateOf(row.state) },
    ...{ version: row.version, own_hits: row.own_hits, confirmations: row.confirmations, disputed: row.disputed },
    priority: reasonsOf({ ...row, paused: row.paused_at !== null }, now),
    ...{ opened_at: row.opened_at.toISOString(), due_at: row.due_at.toISOString() },
    ...(isLive(lease, now) && { lease: { holder: lease.holder, expires_at: lease.expires_at.toISOString() } }),
    ...(assigned_to !== null && { assigned_to }),
    ...(held_until !== null && { held_until: held_until.toISOString() }),
    ...(hold_reason !== null && { hold_reason }),
  }
}

export function decisionOf(row: Told): DecisionInfo {
  const { note_team, note_shared, category_suggested, approved_by, release_at } = row
  return {
    ...{ decision: row.decision_id, seq: row.seq, verdict: nameOf(row.verdict) as DecisionInfo['verdict'] },
    ...{ reason: row.reason, counts: countsOf(row), decided_by: row.decided_by, event: row.last_event },
    ...{ decided_at: row.decided_at.toISOString(), standing: standingOf(row) },
    authority: row.authority === AUTHORITY.reviewed_here ? 'reviewed_here' : 'attested',
    ...(note_team !== null && { note_team }),
    ...(note_shared !== null && { note_shared }),
    ...(category_suggested !== null && { category_suggested }),
    ...(approved_by !== null && { approved_by }),
    ...(row.refused_by !== null && { refused_by: row.refused_by, refusal: row.refusal ?? 'denied' }),
    ...(row.job_id !== null && { job: row.job_id }),
    ...(row.single_reviewed && { single_reviewed: true }),
    ...(release_at !== null && { release_at: release_at.toISOString() }),
  }
}

/** What a signal says of itself, without the words of it that are given out one by one. */
export function saidOf(item: SignalItem): SignalSaid {
  const { revision, basis, tlp, handling, audience, observed_at, expires_at, context } = item
  const value = hashOf(item)
  return {
    ...{ revision, basis, tlp, handling, audience, observed_at, expires_at, ...context },
    ...(value !== undefined && { value }),
    texts: [
      ...(item.note === undefined ? [] : (['note'] as const)),
      ...(item.type === 'keyword_pattern' ? (['pattern'] as const) : []),
      ...(item.type === 'tactic' ? (['tactic'] as const) : []),
    ],
  }
}

function hashOf({ value }: SignalItem): SignalSaid['value'] {
  if ('sha256' in value) return { rule: value.profile, hash: value.sha256 }
  if ('token' in value) return { rule: value.profile, hash: value.token }
  if ('algorithm' in value) return { rule: value.algorithm, hash: value.hash }
  return undefined
}

/** The words of a signal. */
export const textsOf = (case_id: Uuid, item: SignalItem): CaseTexts => ({
  case: case_id,
  ...(item.note !== undefined && { note: item.note }),
  ...(item.type === 'keyword_pattern' && { pattern: item.value }),
  ...(item.type === 'tactic' && { tactic: item.value }),
})
