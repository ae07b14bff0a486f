import { OUTCOME, type OutcomeCounts } from '../feedback/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { DecisionInfo } from './schema.ts'

/** A decision as it is stored, as far as others are told of it. */
export interface Told extends Reported, Standing {
  decision_id: Uuid
  seq: number
  verdict: number
  reason: string
  note_team: string | null
  note_shared: string | null
  category_suggested: string | null
  authority: number
  decided_by: string
  decided_at: Date
  approved_by: string | null
  refused_by: string | null
  refusal: string | null
  job_id: Uuid | null
  single_reviewed: boolean
  last_event: Uuid
}

interface Reported {
  accounts_actioned: number | null
  content_removed: number | null
  urls_blocked: number | null
  reports_filed: number | null
  investigations_opened: number | null
}

interface Standing {
  release_at: Date | null
  released_at: Date | null
  ended_at: Date | null
}

/** The counts of a decision that were reported. */
export const countsOf = (row: Reported): OutcomeCounts => {
  const { accounts_actioned, content_removed, urls_blocked, reports_filed, investigations_opened } = row
  const all = { accounts_actioned, content_removed, urls_blocked, reports_filed, investigations_opened }
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== null)) as OutcomeCounts
}

const NAMES = new Map<number, string>(Object.entries(OUTCOME).map(([name, id]) => [id, name]))
export const nameOf = (verdict: number): string => NAMES.get(verdict) ?? String(verdict)

/** Proposed, or within its grace, or released, or ended before that. */
export function standingOf({ ended_at, released_at, release_at }: Standing): DecisionInfo['standing'] {
  if (ended_at !== null) return 'ended'
  if (released_at !== null) return 'released'
  return release_at === null ? 'proposed' : 'grace'
}
