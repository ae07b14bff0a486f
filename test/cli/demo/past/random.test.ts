import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRandom } from '../../../../src/cli/demo/past/random.ts'

const draws = (seed: string, n = 50): number[] => {
  const random = createRandom(seed)
  return Array.from({ length: n }, random.next)
}

test('the same seed gives the same draws, another one others', () => {
  expect(draws('a')).toEqual(draws('a'))
  expect(draws('a')).not.toEqual(draws('b'))
})

test('draws under a name are untouched by how many were made beside them', () => {
  const [one, other] = [createRandom('a'), createRandom('a')]
  other.next()
  expect(one.named('fig').hex(16)).toBe(other.named('fig').hex(16))
  expect(one.named('fig').hex(16)).not.toBe(one.named('kiwi').hex(16))
})

test('every draw is within what was asked for', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (seed, n) => {
      const random = createRandom(seed)
      for (let i = 0; i < 20; i++) {
        const [unit, below, between] = [random.next(), random.int(n), random.from(n, n + 3)]
        expect(unit >= 0 && unit < 1).toBe(true)
        expect(below >= 0 && below < n && Number.isInteger(below)).toBe(true)
        expect(between >= n && between <= n + 3).toBe(true)
        expect(random.weighted({ fig: 0, kiwi: 3, lime: 0 })).toBe('kiwi')
      }
      const all = Array.from({ length: n }, (_, i) => i)
      expect(random.shuffled(all).toSorted((a, b) => a - b)).toEqual(all)
    }),
  )
})

test('all of the range is drawn about equally', () => {
  const counts = new Map<number, number>()
  const random = createRandom('even')
  for (let i = 0; i < 10_000; i++) {
    const n = random.int(10)
    counts.set(n, (counts.get(n) ?? 0) + 1)
  }
  for (let n = 0; n < 10; n++) expect(Math.abs((counts.get(n) ?? 0) - 1_000)).toBeLessThan(150)
})

test('nothing is picked from nothing', () => {
  expect(() => createRandom('a').pick([])).toThrow(RangeError)
})
