import { canonicalJson } from '../kernel/canonical-json.ts'
import type { Uuid } from '../kernel/ids.ts'
import { BULK_ALONE, BULK_RESULT, BULK_STATE, type BulkResult, type BulkState } from './bulk-schema.ts'
import { isLive, type Lease } from './lease.ts'
import type { CaseState } from './transition.ts'

/** What may be done to a job, from which states, and where it leads. */
const ACTS = {
  approve: { from: ['proposed'], to: 'running' },
  refuse: { from: ['proposed', 'running'], to: 'refused' },
  finish: { from: ['running'], to: 'done' },
  cancel: { from: ['running'], to: 'cancelled' },
  undo: { from: ['running', 'done', 'cancelled'], to: 'undoing' },
  finish_undo: { from: ['undoing'], to: 'undone' },
} as const satisfies Record<string, { from: readonly BulkState[]; to: BulkState }>
export type BulkAct = keyof typeof ACTS

/** The state that an act leads to; undefined where it cannot be done. */
export function bulkAfter(state: BulkState, act: BulkAct): BulkState | undefined {
  const { from, to } = ACTS[act]
  return from.some((one) => one === state) ? to : undefined
}

const nameIn =
  <T extends string>(names: Readonly<Record<T, number>>) =>
  (id: number): T => {
    const found = (Object.entries(names) as [T, number][]).find(([, number]) => number === id)
    if (found === undefined) throw new RangeError('a stored number without a name')
    return found[0]
  }

export const bulkStateOf = nameIn(BULK_STATE)
export const bulkResultOf = nameIn(BULK_RESULT)

/** More than one person decides alone at once: a lead who did not propose it has to approve the whole. */
export const needsLead = (n: number): boolean => n > BULK_ALONE

/** A case as it stands, as far as it says whether it is decided with others. */
export interface Standing {
  state: CaseState
  version: number
  /** Whether the signal is the organisation's own. */
  own: boolean
  lease: Lease | undefined
  assigned_to: string | null
  /** Whether the signal may still be seen. */
  live: boolean
}

/** Why a case is left as it is; undefined where it is decided. */
export function leftBy(
  one: Standing | undefined,
  { who, version, now }: { who: string; version: number; now: Date },
): BulkResult | undefined {
  if (one === undefined) return 'not_there'
  if (one.own) return 'own'
  if (one.state === 'void') return 'signal_ended'
  if (one.state === 'held') return 'parked'
  if (one.state !== 'open') return 'already_decided'
  if (!one.live) return 'signal_ended'
  const holder = isLive(one.lease, now) ? one.lease.holder : (one.assigned_to ?? who)
  if (holder !== who) return 'claimed'
  return one.version === version ? undefined : 'moved'
}

export interface Fixed {
  job: Uuid
  verdict: string
  reason: string
  note_team: string | null
  note_shared: string | null
  items: readonly { case: Uuid; version: number; decision: Uuid }[]
}

/** What a lead approves, as the bytes that are hashed: the exact list and the exact decision (RFC 8785). */
export const fixedText = ({ job, verdict, reason, note_team, note_shared, items }: Fixed): string =>
  canonicalJson({
    ...{ v: 1, job, verdict, reason, note_team, note_shared },
    items: items.map((one) => [one.case, one.version, one.decision]),
  })
