import { expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import { createHitCounts, KEYS_AT_LEAST } from '../../src/matching/unusual.ts'

const NOON = new Date('2026-11-26T12:00:00Z')
const [plum, fig] = [newId(NOON), newId(NOON)]

test('who asks for many keys and finds almost none may be guessing, until the next day', () => {
  const counts = createHitCounts()
  counts.looked(plum, KEYS_AT_LEAST - 1, 0, NOON)
  expect(counts.guessing(NOON)).toEqual([])
  counts.looked(plum, 1, 9, NOON)
  expect(counts.guessing(NOON)).toEqual([plum])
  expect(counts.guessing(new Date('2026-11-27T00:00:00Z'))).toEqual([])
})

test('who finds one in a thousand is not, and one participant says nothing of another', () => {
  const counts = createHitCounts()
  counts.looked(plum, KEYS_AT_LEAST, KEYS_AT_LEAST / 1_000, NOON)
  counts.looked(fig, KEYS_AT_LEAST, 0, NOON)
  expect(counts.guessing(NOON)).toEqual([fig])
})
