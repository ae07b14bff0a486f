import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { createPathCheck } from '../../src/provenance/path-check.ts'
import { leavesOf, mth, pathOf } from './definition.ts'
import { flipped } from './vectors.ts'

const LEAVES = leavesOf(40)
const ROOTS = LEAVES.map((_, n) => mth(LEAVES.slice(0, n + 1)))
const PATHS = LEAVES.map((_, n) => LEAVES.slice(0, n + 1).map((__, index) => pathOf(index, LEAVES.slice(0, n + 1))))

/** A tree of some size, and its leaves in some order. */
const aTree = fc
  .integer({ min: 1, max: LEAVES.length })
  .chain((size) => fc.record({ size: fc.constant(size), order: fc.shuffledSubarray([...Array(size).keys()]) }))
const placed = (size: number, index: number) => ({
  ...{ leaf: LEAVES[index] ?? sha256(''), index, path: PATHS[size - 1]?.[index] ?? [] },
})
/** As it is checked: the path joined. */
const joined = ({ path, ...one }: ReturnType<typeof placed>) => ({ ...one, path: concat(...path) })
function checkOf(size: number) {
  const hashed: number[] = [0]
  const root = ROOTS[size - 1] ?? sha256('')
  const check = createPathCheck(
    (data) => {
      hashed[0] = (hashed[0] ?? 0) + 1
      return sha256(data)
    },
    root,
    size,
  )
  return { check: (one: ReturnType<typeof placed>) => check(joined(one)), hashed: () => hashed[0] ?? 0 }
}

test('every leaf is in its tree, in whatever order they come, and comes again', () => {
  fc.assert(
    fc.property(aTree, ({ size, order }) => {
      const { check } = checkOf(size)
      for (const index of [...order, ...order]) expect(check(placed(size, index))).toBe(true)
    }),
  )
})

test('one bit that is turned, in the leaf or anywhere on the path, is seen whatever was checked before', () => {
  fc.assert(
    fc.property(aTree, fc.nat(), fc.nat(), fc.nat(255), ({ size, order }, at, which, bit) => {
      const { check } = checkOf(size)
      for (const index of order) check(placed(size, index))
      const good = placed(size, at % size)
      expect(check({ ...good, leaf: flipped(good.leaf, bit) })).toBe(false)
      const node = good.path[which % good.path.length]
      if (node !== undefined)
        expect(check({ ...good, path: good.path.map((one) => (one === node ? flipped(one, bit) : one)) })).toBe(false)
      expect(check(good)).toBe(true)
    }),
  )
})

test('a leaf is at no other place, and its path neither shorter nor longer', () => {
  fc.assert(
    fc.property(aTree, fc.nat(), fc.nat(50), ({ size, order }, at, elsewhere) => {
      const { check } = checkOf(size)
      for (const index of order) check(placed(size, index))
      const good = placed(size, at % size)
      if (elsewhere !== good.index) expect(check({ ...good, index: elsewhere })).toBe(false)
      expect(check({ ...good, index: -1 - elsewhere })).toBe(false)
      expect(check({ ...good, index: good.index + 0.5 })).toBe(false)
      expect(check({ ...good, path: [...good.path, good.leaf] })).toBe(false)
      if (good.path.length > 0) expect(check({ ...good, path: good.path.slice(0, -1) })).toBe(false)
    }),
  )
})

test('a path that breaks off within a node is none', () => {
  const check = createPathCheck(sha256, ROOTS[7] ?? sha256(''), 8)
  const good = joined(placed(8, 3))
  for (const bytes of [95, 65, 1]) expect(check({ ...good, path: good.path.subarray(0, bytes) })).toBe(false)
  expect(check(good)).toBe(true)
  for (const bytes of [95, 65, 1]) expect(check({ ...good, path: good.path.subarray(0, bytes) })).toBe(false)
})

test('what failed is taken for nothing: a forged path does not make a forged leaf good', () => {
  const { check } = checkOf(8)
  const forged = { ...placed(8, 0), leaf: sha256('plum') }
  expect(check(forged)).toBe(false)
  expect(check({ ...placed(8, 1), path: [forged.leaf, ...placed(8, 1).path.slice(1)] })).toBe(false)
  expect(check(forged)).toBe(false)
})

test('of a tree whose leaves all come, no more is hashed than the tree has nodes', () => {
  const { check, hashed } = checkOf(32)
  for (let index = 0; index < 32; index++) check(placed(32, index))
  expect(hashed()).toBe(31)
})
