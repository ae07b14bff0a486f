import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { instantText, numberText, spanText } from '../../src/console/parts/text.tsx'
import { pseudonymOf } from '../../src/console/viewer.ts'
import { newId } from '../../src/kernel/ids.ts'

test('an instant is in UTC, to the minute', () => {
  expect(instantText(new Date('2026-11-26T23:59:59.999Z'))).toBe('2026-11-26 23:59 UTC')
})

describe('a span', () => {
  test.for([
    [0, '0 s', '0 s'],
    [999, '0 s', '0 s'],
    [59_000, '59 s', '59 s'],
    [60_000, '1 min', '1 min'],
    [90_000, '1 min', '1 min 30 s'],
    [3_600_000 * 5 + 60_000 * 12, '5 h', '5 h 12 min'],
    [86_400_000 * 3 - 1, '2 d', '2 d 23 h'],
    [86_400_000 * 3, '3 d', '3 d'],
    [-61_000, '1 min', '1 min 1 s'],
  ] as const)('of %i ms is %s, and exactly %s', ([ms, one, two]) => {
    expect(spanText(ms)).toBe(one)
    expect(spanText(ms, 2)).toBe(two)
  })
})

test('digits stand in groups of three, and are no others', () => {
  expect(numberText(1_284_113n)).toBe('1\u202f284\u202f113')
  fc.assert(
    fc.property(fc.bigInt({ min: 0n }), (n) => {
      expect(numberText(n).replaceAll('\u202f', '')).toBe(String(n))
    }),
  )
})

test('a pseudonym is four letters and digits that are not mistaken for each other, always the same', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 200; i++) {
    const id = newId(new Date())
    const name = pseudonymOf(id)
    expect(name).toMatch(/^[2-9A-HJ-NP-Z]{4}$/)
    expect(pseudonymOf(id)).toBe(name)
    seen.add(name)
  }
  expect(seen.size).toBeGreaterThan(190)
})
