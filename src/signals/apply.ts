import type { ErrorCode } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { type Current, type Placing, revise, withdraw } from './lifecycle.ts'
import { SIGNAL_STATE, SIGNAL_TYPE, type SignalItem, type WithdrawalItem } from './schema.ts'

/** One item of a verified submission, judged for itself and not yet placed. */
export type Judged =
  | { outcome: 'refused'; code: ErrorCode; pointer: string; detail?: string }
  | {
      outcome: 'signal'
      item: SignalItem
      key: Uint8Array
      profile: string
      category: number
      prev: Uint8Array | undefined
      /** What the source should know, though the item is taken. */
      warning?: string
    }
  | { outcome: 'withdrawal'; item: WithdrawalItem; prev: Uint8Array | undefined }

/** A signal as it stands in the database or after the items before this one. */
export interface Standing extends Current {
  signal_id: Uuid
  category: number
  audience_id: Uuid
  last_event: Uuid
}

export interface Refused {
  index: number
  code: ErrorCode
  pointer: string
  detail?: string
}

export interface Applied {
  /** The signals that changed, as they now stand, by id. */
  changed: Map<Uuid, Standing>
  accepted: { index: number; signal_id: Uuid; revision: number }[]
  refused: Refused[]
  /** True if any accepted item is a later revision. */
  revised: boolean
  /** Counts of accepted items for the log, by name. */
  types: Map<number, number>
  categories: Map<number, number>
}

const PLACING_CODE: Readonly<Record<string, [ErrorCode, string]>> = {
  stale: ['revision-conflict', '/revision'],
  ended: ['signal-ended', '/signal'],
  held: ['signal-held', '/signal'],
  unknown: ['not-found', '/signal'],
  'other-thing': ['revision-conflict', '/value'],
}

/** Places each item upon what stands; a refused item changes nothing and stops no other. Pure but for `standing`, which it moves on. */
export function apply(
  items: readonly Judged[],
  standing: Map<Uuid, Standing>,
  context: { event: Uuid; leaves: readonly Uint8Array[]; now: Date },
): Applied {
  const applied: Applied = {
    changed: new Map(),
    accepted: [],
    refused: [],
    revised: false,
    types: new Map(),
    categories: new Map(),
  }
  items.forEach((judged, index) => {
    if (judged.outcome === 'refused') {
      const { code, pointer, detail } = judged
      applied.refused.push(detail === undefined ? { index, code, pointer } : { index, code, pointer, detail })
      return
    }
    const signal_id = judged.item.signal
    const current = standing.get(signal_id)
    const placing = place(judged, current, context.now)
    const next = stand(judged, placing, current)
    if (next === undefined) {
      applied.refused.push(refusal(index, placing))
      return
    }
    const leaf = context.leaves[index]
    if (leaf === undefined) throw new RangeError('an item without leaf')
    const moved: Standing = { ...next, signal_id, leaf, last_event: context.event }
    standing.set(signal_id, moved)
    applied.changed.set(signal_id, moved)
    applied.accepted.push({ index, signal_id, revision: moved.revision })
    applied.revised ||= placing.outcome === 'revised'
    count(applied.types, moved.type)
    count(applied.categories, moved.category)
  })
  return applied
}

function place(judged: Exclude<Judged, { outcome: 'refused' }>, current: Standing | undefined, now: Date): Placing {
  const { prev } = judged
  const { revision } = judged.item
  if (judged.outcome === 'withdrawal') return withdraw(current, { revision, prev }, now)
  const { key, profile } = judged
  return revise(current, { revision, prev, type: SIGNAL_TYPE[judged.item.type], signal_key: key, profile }, now)
}

function stand(
  judged: Exclude<Judged, { outcome: 'refused' }>,
  placing: Placing,
  current: Standing | undefined,
): Omit<Standing, 'signal_id' | 'leaf' | 'last_event'> | undefined {
  if (judged.outcome === 'withdrawal') {
    if (placing.outcome !== 'withdrawn' || current === undefined) return undefined
    return { ...current, revision: judged.item.revision, state: SIGNAL_STATE.withdrawn }
  }
  if (placing.outcome !== 'created' && placing.outcome !== 'revised') return undefined
  const { item, key, profile, category } = judged
  return {
    signal_key: key,
    type: SIGNAL_TYPE[item.type],
    profile,
    category,
    audience_id: item.audience,
    revision: item.revision,
    state: current?.state ?? SIGNAL_STATE.live,
    expires_at: new Date(item.expires_at),
  }
}

function refusal(index: number, placing: Placing): Refused {
  const [code, pointer] = PLACING_CODE[placing.outcome] ?? ['internal', '']
  return placing.outcome === 'stale' && placing.current > 0
    ? { index, code, pointer, detail: `the current revision is ${placing.current}` }
    : { index, code, pointer }
}

const count = (counts: Map<number, number>, key: number): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
