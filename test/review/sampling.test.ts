import { expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { isSampled } from '../../src/review/sampling.ts'

test('a share of releases is chosen, the same again each time, none of 0 and all of 100 in a hundred', () => {
  const events = Array.from({ length: 4_000 }, () => newId(new Date('2026-11-26T12:00:00Z')))
  const chosen = (percent: number) => events.filter((event) => isSampled(event, percent))
  expect([chosen(0).length, chosen(100).length]).toEqual([0, 4_000])
  expect(chosen(10).length).toBeGreaterThan(300)
  expect(chosen(10).length).toBeLessThan(500)
  expect(chosen(10)).toEqual(chosen(10))
})
