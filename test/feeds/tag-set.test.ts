import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTagSet } from '../../src/feeds/tag-set.ts'

test('holds what was added, whatever its bits, however often and however many', () => {
  const tag = fc.oneof(
    fc.constantFrom(0, 1, 0xffffffff, 0x80000000),
    fc.nat(0xffffffff),
    // Neighbours at the end of the table, where probing goes round to its beginning.
    fc.integer({ min: 0xffff0000, max: 0xffffffff }),
  )
  fc.assert(
    fc.property(fc.array(tag, { maxLength: 3_000 }), (tags) => {
      const set = createTagSet()
      for (const one of tags) set.add(one)
      for (const one of tags) expect(set.has(one)).toBe(true)
      // The tag 0 is kept as 1.
      expect(set.size).toBe(new Set(tags.map((one) => one || 1)).size)
    }),
    { numRuns: 50 },
  )
})

test('does not hold what was not added', () => {
  const set = createTagSet()
  for (let i = 0; i < 5_000; i++) set.add(Math.imul(i, 0x9e3779b1))
  const others = Array.from({ length: 5_000 }, (_, i) => Math.imul(i + 5_000, 0x9e3779b1))
  expect(others.filter((one) => set.has(one))).toEqual([])
})
