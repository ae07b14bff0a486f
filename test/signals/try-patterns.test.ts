import { expect, test } from 'vitest'
import { newId } from '../../src/kernel/ids.ts'
import type { PatternChecked, PatternChecker } from '../../src/matching/pattern.ts'
import type { Judged } from '../../src/signals/apply.ts'
import { patternFault, tryPatterns } from '../../src/signals/try-patterns.ts'
import { anItem } from './factory.ts'

const judged = (item: ReturnType<typeof anItem> | ReturnType<typeof anItem<'keyword_pattern'>>): Judged => ({
  ...{ outcome: 'signal', item, key: new Uint8Array(32), profile: 'kite', category: 1, prev: undefined },
})
const BY = newId(new Date())
const never = { check: async () => Promise.reject(new Error('asked')) }
const refused: PatternChecked = { outcome: 'refused', code: 'pattern-size', pointer: '/text', reason: 'too large' }

test('where no pattern is among the items nothing is waited for', () => {
  expect(tryPatterns([judged(anItem())], never, BY)).toBeUndefined()
  expect(tryPatterns([], never, BY)).toBeUndefined()
})

test('only patterns are tried, and each answer goes to its own item', async () => {
  const items = [
    judged(anItem()),
    judged(anItem({}, 'keyword_pattern')),
    judged(anItem()),
    judged(anItem({}, 'keyword_pattern')),
  ]
  const asked: unknown[] = []
  const check: PatternChecker['check'] = async (patterns, by) => {
    asked.push([patterns.length, by])
    return [{ outcome: 'ok', common: 0 }, refused]
  }
  const tried = await tryPatterns(items, { check }, BY)
  expect(asked).toEqual([[2, BY]])
  expect(tried?.slice(0, 3)).toEqual(items.slice(0, 3))
  expect(tried?.[3]).toEqual({ outcome: 'refused', code: 'pattern-size', pointer: '/value/text', detail: 'too large' })
})

test.for([
  [0.0049, 'automated', undefined],
  [0.005, 'automated', 'pattern-broad'],
  [0.005, 'human_reviewed', undefined],
] as const)('a share of %f of common words, %s: %s', ([common, basis, code]) => {
  expect(patternFault({ basis }, { outcome: 'ok', common })?.code).toBe(code)
})

test('an answer that is missing is a fault of ours', () => {
  expect(() => patternFault({ basis: 'automated' }, undefined)).toThrow(RangeError)
})
