import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  derivedId,
  firstIdOf,
  isUuid,
  newId,
  SLUG,
  timeOf,
  type Uuid,
  uuidBytes,
  uuidFromBytes,
} from '../../src/kernel/ids.ts'

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 })

test('a new id has the time of RFC 9562 appendix A.6, version 7 and the variant', () => {
  expect(newId(new Date(0x017f22e279b0))).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('new ids are ordered by their millisecond', () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 2 })
  fc.assert(
    fc.property(time, (ms) => {
      const id = newId(new Date(Math.min(ms, 8.64e15)))
      expect(isUuid(id)).toBe(true)
      expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(ms)
    }),
  )
})

test('two ids of one millisecond differ', () => {
  const now = new Date()
  expect(new Set(Array.from({ length: 1_000 }, () => newId(now))).size).toBe(1_000)
})

test('ids of one millisecond rise in the order in which they are made, and no step tells the next', () => {
  const now = new Date()
  const ids = Array.from({ length: 10_000 }, () => newId(now))
  expect(ids.toSorted()).toEqual(ids)
  const steps = ids.slice(1).map((id, i) => BigInt(`0x${id.slice(24)}`) - BigInt(`0x${ids[i]?.slice(24)}`))
  expect(new Set(steps).size).toBeGreaterThan(9_900)
})
test('ids of a millisecond that comes again are other ones', () => {
  const [one, other] = [new Date(1_000), new Date(2_000)]
  const ids = Array.from({ length: 100 }, (_, i) => newId(i % 2 === 0 ? one : other))
  expect(new Set(ids).size).toBe(100)
})

test('a derived id is the given bytes but for version 8 and the variant', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 32 }), (bytes) => {
      const before = bytes.slice()
      const id = derivedId(bytes)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      const kept = uuidBytes(id)
      for (const i of [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12, 13, 14, 15]) expect(kept[i]).toBe(before[i])
      expect([(kept[6] ?? 0) & 0x0f, (kept[8] ?? 0) & 0x3f]).toEqual([(before[6] ?? 0) & 0x0f, (before[8] ?? 0) & 0x3f])
      expect(bytes).toEqual(before)
    }),
  )
})

test('bytes and text of a UUID are two forms of one thing', () => {
  fc.assert(
    fc.property(sixteen, (bytes) => {
      const id = uuidFromBytes(bytes)
      expect(isUuid(id)).toBe(true)
      expect(uuidBytes(id)).toEqual(bytes)
    }),
  )
})

test.for([
  '',
  '017F22E2-79B0-7CC3-98C4-DC0C0C07398F',
  '{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}',
  'urn:uuid:017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  '017f22e279b07cc398c4dc0c0c07398f',
  '017f22e2-79b0-7cc3-98c4-dc0c0c07398',
  '017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n',
])('%j is not the canonical text of a UUID', (text) => {
  expect(isUuid(text)).toBe(false)
})

test.for(['', 'ab', 'pear', '017f22e2-79b0-7cc3-98c4-dc0c0c07398', '017f22e2-79b0-7cc3-98c4-dc0c0c07398f00'])(
  'the bytes of %j are a TypeError',
  (text) => {
    expect(() => uuidBytes(text as Uuid)).toThrow(TypeError)
  },
)

test.for<[string, boolean]>([
  ['aspen', true],
  ['0x', true],
  ['a-b', true],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  ['a', false],
  ['-a', false],
  ['Aspen', false],
  ['a_b', false],
  ['a/b', false],
  ['aspen\n', false],
])('%j as a slug: %j', ([text, good]) => {
  expect(SLUG.test(text)).toBe(good)
})

test('the least id of a moment is an id that no id of the moment or later comes before', () => {
  const at = new Date(1_764_000_000_123)
  const least = firstIdOf(at)
  expect(isUuid(least)).toBe(true)
  expect(timeOf(least)).toBe(at.getTime())
  expect(newId(at) > least).toBe(true)
  expect(newId(new Date(at.getTime() - 1)) < least).toBe(true)
})
