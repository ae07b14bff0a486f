import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectedOf, heatOf, suppressed } from '../../src/governance/matrix.ts'
import { medianOf, noWaits, sumOf, WAIT_HOURS, waitsOf } from '../../src/governance/waits.ts'

const HOUR = 3_600_000

describe('the time to the first answer', () => {
  test('is told by the bucket that holds the median', () => {
    const waits = [1, 1, 5, 30, 1_000].map((hours) => waitsOf(hours * HOUR)).reduce(sumOf, noWaits())
    expect(medianOf(waits)).toBe(8)
    expect(medianOf(noWaits())).toBeUndefined()
    expect(medianOf(waitsOf(1_000 * HOUR))).toBe(Number.POSITIVE_INFINITY)
  })
  test('is in exactly one bucket, and never below the time itself', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000 * HOUR }), (ms) => {
        const waits = waitsOf(ms)
        expect(waits.reduce((n, one) => n + one, 0)).toBe(1)
        expect((WAIT_HOURS[waits.indexOf(1)] ?? Number.POSITIVE_INFINITY) * HOUR).toBeGreaterThanOrEqual(ms)
      }),
    )
  })
})

test.for([
  [{ shared: 3, allowed: true, sends: true }, 'as-allowed'],
  [{ shared: 3, allowed: false, sends: true }, 'unexpected-flow'],
  [{ shared: 0, allowed: true, sends: true }, 'unexpected-zero'],
  [{ shared: 0, allowed: true, sends: false }, 'none'],
  [{ shared: 0, allowed: false, sends: true }, 'none'],
] as const)('%o is %s', ([cell, expected]) => expect(expectedOf(cell)).toBe(expected))

test('darker is more, nothing is lightest, and the most is darkest', () => {
  expect(heatOf(0, 10)).toBe(0)
  expect(heatOf(undefined, 10)).toBe(0)
  expect(heatOf(1, 100_000)).toBeGreaterThanOrEqual(1)
  expect(heatOf(100_000, 100_000)).toBe(6)
  expect([100, 25, 4].map((n) => heatOf(n, 100))).toEqual([6, 3, 2])
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(1_000), (a, b) => {
      expect(heatOf(Math.max(a, b), 1_000)).toBeGreaterThanOrEqual(heatOf(Math.min(a, b), 1_000))
    }),
  )
})

describe('what leaves in a file', () => {
  const square = fc.integer({ min: 3, max: 6 }).chain((n) =>
    fc.array(fc.array(fc.oneof(fc.nat(12), fc.nat(500)), { minLength: n, maxLength: n }), {
      minLength: n,
      maxLength: n,
    }),
  )
  const own = (values: number[][]): number[][] => values.map((row, i) => row.map((n, j) => (i === j ? 0 : n)))

  test('has no small count, and no line whose sum tells one', () => {
    fc.assert(
      fc.property(square.map(own), (values) => {
        const released = suppressed(values, 5)
        const lines = [
          ...released.map((row, i) => row.map((one, j) => [one, values[i]?.[j] ?? 0] as const)),
          ...(released[0] ?? []).map((_, j) => released.map((row, i) => [row[j] ?? 0, values[i]?.[j] ?? 0] as const)),
        ]
        for (const line of lines) {
          for (const [one] of line) if (typeof one === 'number') expect(one === 0 || one >= 5).toBe(true)
          const hidden = line.filter(([one]) => typeof one !== 'number')
          const others = line.filter(([one, n]) => typeof one === 'number' && n >= 5)
          // One alone is told by the sum; unless there is nothing else to hide beside it.
          if (hidden.length === 1) expect(others).toEqual([])
        }
      }),
    )
  })
  test('and what was neither small nor is needed beside it stays', () => {
    const large = [
      [0, 400, 300],
      [20, 0, 30],
      [40, 50, 0],
    ]
    expect(suppressed(large, 5)).toEqual(large)
    const [first, ...rest] = suppressed(
      [
        [0, 400, 3, 90],
        [20, 0, 2, 70],
        [40, 50, 0, 60],
        [80, 70, 60, 0],
      ],
      5,
    )
    expect(first).toEqual([0, 400, 'small', 'complement'])
    expect(rest).toEqual([
      ['complement', 0, 'small', 70],
      ['complement', 50, 0, 'complement'],
      [80, 70, 60, 0],
    ])
  })
})
