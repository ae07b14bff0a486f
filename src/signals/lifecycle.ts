import { equal } from '../kernel/bytes.ts'
import { SIGNAL_STATE } from './schema.ts'

/** What stands of a signal before an item is applied to it. */
export interface Current {
  revision: number
  state: number
  type: number
  signal_key: Uint8Array
  profile: string
  audience_id: string
  /** Leaf hash of the newest revision. */
  leaf: Uint8Array
  expires_at: Date
}

/** What an item says of the chain of revisions it belongs to. */
export interface Step {
  revision: number
  /** Leaf hash that the item names as its predecessor. */
  prev: Uint8Array | undefined
}

export type Placing =
  | { outcome: 'created' }
  | { outcome: 'revised' }
  | { outcome: 'withdrawn' }
  | { outcome: 'stale'; current: number }
  | { outcome: 'ended' }
  | { outcome: 'held' }
  | { outcome: 'unknown' }
  | { outcome: 'other-thing' }

/**
 * Whether a revision may take its place: the next number, over the named predecessor, of the same thing, while live. One that
 * is held waits: recipients were told not to use it, and a revision would say that they may.
 */
export function revise(
  current: Current | undefined,
  step: Step & { type: number; signal_key: Uint8Array; profile: string },
  now: Date,
): Placing {
  if (current === undefined) {
    return step.revision === 1 && step.prev === undefined ? { outcome: 'created' } : { outcome: 'stale', current: 0 }
  }
  const placing = follow(current, step, now)
  if (placing !== undefined) return placing
  if (current.state === SIGNAL_STATE.held) return { outcome: 'held' }
  const same =
    current.type === step.type && current.profile === step.profile && equal(current.signal_key, step.signal_key)
  return same ? { outcome: 'revised' } : { outcome: 'other-thing' }
}

/** Whether a source may end its signal: the withdrawal takes the next revision. */
export function withdraw(current: Current | undefined, step: Step, now: Date): Placing {
  if (current === undefined) return { outcome: 'unknown' }
  return follow(current, step, now) ?? { outcome: 'withdrawn' }
}

function follow(current: Current, { revision, prev }: Step, now: Date): Placing | undefined {
  const fits = revision === current.revision + 1 && prev !== undefined && equal(prev, current.leaf)
  if (current.state !== SIGNAL_STATE.live && current.state !== SIGNAL_STATE.held) return { outcome: 'ended' }
  if (current.expires_at <= now) return { outcome: 'ended' }
  return fits ? undefined : { outcome: 'stale', current: current.revision }
}
