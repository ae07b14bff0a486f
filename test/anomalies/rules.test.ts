import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Activity, anomaliesOf, distance, type Observed } from '../../src/anomalies/rules.ts'
import { dayBefore, type LookedUp } from '../../src/anomalies/sighting-rules.ts'
import { BASELINE_DAYS } from '../../src/anomalies/thresholds.ts'
import { type Share, toldOf } from './told.ts'

const DAY = '2026-11-20'
const SINCE = '2026-01-01'
const observed = ({
  shares = [],
  ...change
}: Partial<Omit<Observed, 'shares'>> & { shares?: readonly Share[] } = {}): Observed => ({
  ...{ day: DAY, since: SINCE, activity: [], longestGap: 0, refused: new Map(), used: [], looked: [] },
  ...{ shares: toldOf(shares, DAY), ...change },
})
const did = (back: number, items: number, change: Partial<Activity> = {}): Activity => ({
  ...{ day: dayBefore(DAY, back), hour: 9, actor: 'aster', kind: 'signal.submitted', entries: 1, items },
  ...change,
})
const steady = (items: number, change: Partial<Activity> = {}): Activity[] =>
  Array.from({ length: BASELINE_DAYS }, (_, i) => did(i + 1, items, change))
const shared = (back: number, change: Partial<Share> = {}): Share => ({
  ...{ day: dayBefore(DAY, back), source: 'aster', recipient: 'birch', category: 'grooming' },
  ...{ shared: 0, not_violating: 0, answered: 0 },
  ...change,
})
const rulesOf = (of: Observed): string[] => anomaliesOf(of).map(({ rule, subject }) => `${rule} ${subject}`)

describe('a burst', () => {
  test('is four times the usual day, and never less than the least number', () => {
    const at = (today: number) => rulesOf(observed({ activity: [...steady(50), did(0, today)] }))
    expect(at(199)).toEqual([])
    expect(at(200)).toEqual(['volume aster'])
    expect(rulesOf(observed({ activity: [...steady(1), did(0, 99)] }))).toEqual([])
    expect(rulesOf(observed({ activity: [...steady(1), did(0, 100)] }))).toEqual(['volume aster'])
  })
  test('is told with what was measured, what is usual and from which number on', () => {
    expect(anomaliesOf(observed({ activity: [...steady(50), did(0, 900)] }))).toEqual([
      { rule: 'volume', subject: 'aster', measured: 900, baseline: 50, threshold: 200 },
    ])
  })
  test('is none before a week was counted', () => {
    const activity = [did(0, 9_000)]
    expect(rulesOf(observed({ activity, since: dayBefore(DAY, 6) }))).toEqual([])
    expect(rulesOf(observed({ activity, since: dayBefore(DAY, 7) }))).toEqual(['volume aster'])
  })
  test.for([
    ['lookup.evaluated', 'lookups aster'],
    ['read.batch', 'reads aster'],
  ] as const)('of %s is %s', ([kind, says]) => {
    expect(rulesOf(observed({ activity: [...steady(10, { kind }), did(0, 1_000, { kind })] }))).toEqual([says])
  })
})

describe('for any counts', () => {
  const counts = fc.array(fc.nat(5_000), { minLength: BASELINE_DAYS, maxLength: BASELINE_DAYS })
  const from = (days: readonly number[], today: number): Observed =>
    observed({ activity: [...days.map((n, i) => did(i + 1, n)), did(0, today)] })

  test('a day like one of the usual ones is nothing unusual while most are alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5_000 }), (n) => {
        expect(anomaliesOf(observed({ activity: [...steady(n), did(0, n)] }))).toEqual([])
      }),
    )
  })
  test('more of it never makes it less unusual', () => {
    fc.assert(
      fc.property(counts, fc.nat(50_000), fc.nat(50_000), (days, a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a]
        expect(rulesOf(from(days, more)).length).toBeGreaterThanOrEqual(rulesOf(from(days, less)).length)
      }),
    )
  })
  test('the order in which they come changes nothing, nor does counting an hour in two parts', () => {
    fc.assert(
      fc.property(counts, fc.nat(50_000), (days, today) => {
        const whole = from(days, today)
        const half = Math.floor(today / 2)
        const parts = [did(0, today - half), ...whole.activity.slice(0, -1).reverse(), did(0, half, { hour: 10 })]
        const volume = (of: Observed) => anomaliesOf(of).filter(({ rule }) => rule === 'volume')
        expect(volume({ ...whole, activity: parts })).toEqual(volume(whole))
      }),
    )
  })
  test('whatever is told reaches its threshold', () => {
    fc.assert(
      fc.property(counts, fc.nat(50_000), fc.nat(500), (days, today, longestGap) => {
        for (const { measured, threshold } of anomaliesOf({ ...from(days, today), longestGap }))
          expect(measured).toBeGreaterThanOrEqual(threshold)
      }),
    )
  })
  test('the distance of two mixes is 0 for the same, 100 for none in common, and the same both ways', () => {
    const mix = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 1_000 }), { minKeys: 1 })
    fc.assert(
      fc.property(mix, mix, (one, two) => {
        const [a, b] = [new Map(Object.entries(one)), new Map(Object.entries(two))]
        expect(distance(a, a)).toBe(0)
        expect(distance(a, b)).toBe(distance(b, a))
        expect(distance(a, new Map([['elsewhere', 1]]))).toBe(100)
        expect(distance(a, b)).toBeGreaterThanOrEqual(0)
        expect(distance(a, b)).toBeLessThanOrEqual(100)
      }),
    )
  })
})

test('hours are unusual at which nothing was done for four weeks; reads of machines are none', () => {
  const night = { hour: 3, entries: 20 }
  expect(rulesOf(observed({ activity: [...steady(5), did(0, 1, night)] }))).toEqual(['hours aster'])
  expect(rulesOf(observed({ activity: [...steady(5), did(0, 1, { ...night, entries: 19 })] }))).toEqual([])
  expect(rulesOf(observed({ activity: [...steady(5), did(9, 1, { hour: 3 }), did(0, 1, night)] }))).toEqual([])
  expect(rulesOf(observed({ activity: [...steady(5), did(0, 1, { ...night, kind: 'read.batch' })] }))).toEqual([])
  // Who has done nothing before has no hours yet.
  expect(rulesOf(observed({ activity: [did(0, 1, night)] }))).toEqual([])
})

test('categories drift where half of the signals of a week are of others than before', () => {
  const before = [shared(10, { shared: 100, answered: 100 })]
  const now = (other: number) => [
    shared(1, { shared: 100 - other }),
    shared(1, { shared: other, category: 'trafficking' }),
  ]
  expect(rulesOf(observed({ shares: [...before, ...now(49)] }))).toEqual([])
  expect(rulesOf(observed({ shares: [...before, ...now(50)] }))).toEqual(['category_drift aster'])
  expect(rulesOf(observed({ shares: [shared(10, { shared: 49, answered: 49 }), ...now(100)] }))).toEqual([])
})

test('a source is unusual whose signals violate nothing at twice the rate of the others', () => {
  const answered = (source: string, not_violating: number) => shared(3, { source, answered: 100, not_violating })
  expect(rulesOf(observed({ shares: [answered('aster', 30), answered('birch', 5)] }))).toEqual(['not_confirmed aster'])
  expect(rulesOf(observed({ shares: [answered('aster', 30), answered('birch', 30)] }))).toEqual([])
  expect(rulesOf(observed({ shares: [shared(3, { answered: 19, not_violating: 19 })] }))).toEqual([])
})

test('a recipient is unusual that leaves signals without an answer where others answer', () => {
  const received = (recipient: string, answered: number, back = 10) =>
    shared(back, { recipient, shared: 100, answered })
  expect(rulesOf(observed({ shares: [received('birch', 1), received('cedar', 60)] }))).toEqual([
    'feedback_missing birch',
  ])
  expect(rulesOf(observed({ shares: [received('birch', 0), received('cedar', 0)] }))).toEqual([])
  expect(rulesOf(observed({ shares: [received('birch', 1, 6), received('cedar', 60)] }))).toEqual([])
})

test('a log is unusual without a checkpoint for long, or with many refused connections', () => {
  expect(rulesOf(observed({ longestGap: 70 }))).toEqual(['checkpoint_gap log'])
  expect(rulesOf(observed({ longestGap: 69 }))).toEqual([])
  expect(rulesOf(observed({ refused: new Map([[DAY, 100]]) }))).toEqual(['connections_refused log'])
})

test('a key is unusual that is used from a network for the first time, unless it is new itself', () => {
  const used = (fresh: number, known: number, actor = 'aster') => ({ actor, fresh, known })
  expect(rulesOf(observed({ used: [used(0, 3), used(2, 0)] }))).toEqual([])
  expect(anomaliesOf(observed({ used: [used(1, 3), used(2, 1), used(0, 9, 'birch')] }))).toEqual([
    { rule: 'network', subject: 'aster', measured: 3, baseline: 4, threshold: 1 },
  ])
})

describe('look-ups that find something', () => {
  const looked = (back: number, with_hits: number, change: Partial<LookedUp> = {}): LookedUp => ({
    ...{ day: dayBefore(DAY, back), actor: 'aster', lookups: 200, with_hits },
    ...change,
  })
  const usual = (with_hits: number, days = BASELINE_DAYS) =>
    Array.from({ length: days }, (_, i) => looked(i + 1, with_hits))

  test('are unusual at half the usual share more or less, and never within ten points', () => {
    const at = (hits: number, today: number) => rulesOf(observed({ looked: [...usual(hits), looked(0, today)] }))
    // Of 200 each: 60 % are usual, told from 30 and from 90 on.
    expect([61, 60, 178, 180].map((n) => at(120, n).length)).toEqual([0, 1, 0, 1])
    // 2 % are usual.
    expect([0, 22, 24].map((n) => at(4, n).length)).toEqual([0, 0, 1])
  })
  test('are told with how far they are from the usual share', () => {
    expect(anomaliesOf(observed({ looked: [...usual(100), looked(0, 0)] }))).toEqual([
      { rule: 'hit_ratio', subject: 'aster', measured: 50, baseline: 50, threshold: 25 },
    ])
  })
  test('are nothing unusual before a week was counted, nor where there are few', () => {
    expect(rulesOf(observed({ looked: [...usual(100, 6), looked(0, 0)] }))).toEqual([])
    expect(rulesOf(observed({ looked: [...usual(100, 7), looked(0, 0)] }))).toEqual(['hit_ratio aster'])
    expect(rulesOf(observed({ looked: [...usual(100), looked(0, 0, { lookups: 199 })] }))).toEqual([])
    const few = usual(1).map((one) => ({ ...one, lookups: 2 }))
    expect(rulesOf(observed({ looked: [...few, looked(0, 200)] }))).toEqual([])
  })
  test('are of each organisation for itself', () => {
    const others = usual(0).map((one) => ({ ...one, actor: 'birch' }))
    expect(rulesOf(observed({ looked: [...usual(100), ...others, looked(0, 100)] }))).toEqual([])
  })
})
