import { describe, expect, test } from 'vitest'
import { type Current, revise, withdraw } from '../../src/signals/lifecycle.ts'
import { SIGNAL_STATE } from '../../src/signals/schema.ts'
import { AUDIENCE, NOON } from './factory.ts'

const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const LEAF = bytes(1)
const KEY = bytes(2)
const { live, held, withdrawn, expired, erased } = SIGNAL_STATE

const standing = (change: Partial<Current> = {}): Current => ({
  ...{ revision: 3, state: live, type: 1, signal_key: KEY, profile: 'url/1', audience_id: AUDIENCE, leaf: LEAF },
  expires_at: new Date(NOON.getTime() + 1),
  ...change,
})
const thing = { type: 1, signal_key: KEY, profile: 'url/1' }
const next = { revision: 4, prev: LEAF }

const STEPS = [
  ['the next over its predecessor', next, undefined],
  ['the same number', { ...next, revision: 3 }, 'stale'],
  ['an older number', { ...next, revision: 1 }, 'stale'],
  ['a number left out', { ...next, revision: 5 }, 'stale'],
  ['another predecessor', { ...next, prev: bytes(9) }, 'stale'],
  ['a predecessor cut short', { ...next, prev: LEAF.subarray(1) }, 'stale'],
  ['no predecessor', { ...next, prev: undefined }, 'stale'],
] as const

const STATES = [
  [live, undefined],
  [withdrawn, 'ended'],
  [expired, 'ended'],
  [erased, 'ended'],
] as const

describe.for([
  ['a revision', 'revised', (step: typeof next, of?: Current) => revise(of, { ...step, ...thing }, NOON)],
  ['a withdrawal', 'withdrawn', (step: typeof next, of?: Current) => withdraw(of, step, NOON)],
] as const)('%s', ([, done, place]) => {
  test.for(STEPS)('that is %s: %j', ([, step, outcome]) => {
    const placing = place(step as typeof next, standing())
    expect(placing).toEqual(outcome === undefined ? { outcome: done } : { outcome, current: 3 })
  })
  test.for(STATES)('of a signal in state %i: %s', ([state, outcome]) => {
    expect(place(next, standing({ state }))).toEqual({ outcome: outcome ?? done })
  })
  test('comes too late from the moment of expiry on', () => {
    expect(place(next, standing({ expires_at: NOON }))).toEqual({ outcome: 'ended' })
    expect(place(next, standing({ expires_at: new Date(NOON.getTime() - 1) }))).toEqual({ outcome: 'ended' })
  })
  test('that is stale, too, of what has ended is told that it has ended', () => {
    expect(place({ ...next, revision: 1 }, standing({ state: withdrawn }))).toEqual({ outcome: 'ended' })
  })
})

test('a signal that is held takes no revision, and may be withdrawn', () => {
  expect(revise(standing({ state: held }), { ...next, ...thing }, NOON)).toEqual({ outcome: 'held' })
  expect(withdraw(standing({ state: held }), next, NOON)).toEqual({ outcome: 'withdrawn' })
})

describe('of nothing that stands', () => {
  test('the first revision is created', () => {
    expect(revise(undefined, { ...thing, revision: 1, prev: undefined }, NOON)).toEqual({ outcome: 'created' })
  })
  test('a first revision with a predecessor, and any later one, is stale', () => {
    const stale = { outcome: 'stale', current: 0 }
    expect(revise(undefined, { ...thing, revision: 1, prev: LEAF }, NOON)).toEqual(stale)
    expect(revise(undefined, { ...thing, revision: 2, prev: LEAF }, NOON)).toEqual(stale)
    expect(revise(undefined, { ...thing, revision: 2, prev: undefined }, NOON)).toEqual(stale)
  })
  test('nothing is withdrawn', () => {
    expect(withdraw(undefined, { revision: 2, prev: LEAF }, NOON)).toEqual({ outcome: 'unknown' })
  })
})

test.for([{ type: 2 }, { profile: 'domain/1' }, { signal_key: bytes(3) }])(
  'a revision stays the same thing: not with %j',
  (change) => {
    expect(revise(standing(), { ...next, ...thing, ...change }, NOON)).toEqual({ outcome: 'other-thing' })
  },
)
