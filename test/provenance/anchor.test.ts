import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Anchored, compareAnchor, HALTS, type HaltReason, LogHalted } from '../../src/provenance/anchor.ts'

const ORIGIN = 'node.example.org/provenance/1'
const root = (seed: number): Uint8Array => new Uint8Array(32).fill(seed)
const anchored = (size: bigint, seed = 1, origin = ORIGIN): Anchored => ({
  origin,
  size,
  root: root(seed),
  generation: 7n,
})
const standing = (signed: bigint, fence: bigint) => ({
  ...{ origin: ORIGIN, signed: { size: signed, root: root(1) } },
  fence: { size: fence },
})

test.each<[string, Anchored | undefined, bigint, bigint, 'equal' | 'older' | 'ahead' | HaltReason]>([
  ['at the signed tree', anchored(5n), 5n, 9n, 'equal'],
  ['before the first entry', anchored(0n), 0n, 0n, 'equal'],
  ['beyond what is signed, within what is committed', anchored(7n), 5n, 9n, 'ahead'],
  ['at the fence', anchored(9n), 5n, 9n, 'ahead'],
  ['below what is signed', anchored(4n), 5n, 9n, 'older'],
  ['beyond what the database holds', anchored(10n), 5n, 9n, 'anchor-ahead'],
  ['at the signed size with another root', anchored(5n, 2), 5n, 9n, 'anchor-differs'],
  ['of another log', anchored(5n, 1, 'other.example/provenance/1'), 5n, 9n, 'anchor-foreign'],
  ['not there', undefined, 0n, 0n, 'anchor-missing'],
])('an anchor %s', (_, anchor, signed, fence, expected) => {
  if (!(expected in HALTS)) return expect(compareAnchor(anchor, standing(signed, fence))).toBe(expected)
  expect(() => compareAnchor(anchor, standing(signed, fence))).toThrow(
    expect.objectContaining({ name: 'LogHalted', reason: expected }),
  )
})

test('no database that ends below the anchor is signed', () => {
  const sizes = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000)).map((some) => some.map(BigInt).sort())
  fc.assert(
    fc.property(sizes, ([a = 0n, b = 0n, c = 0n]) => {
      const [signed = 0n, fence = 0n, anchor = 0n] = [a, b, c].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))
      fc.pre(fence < anchor)
      expect(() => compareAnchor(anchored(anchor), standing(signed, fence))).toThrow(LogHalted)
    }),
  )
})

test('a halt says what was found and what to do next', () => {
  const { message } = new LogHalted('anchor-ahead', 'signed up to 9')
  expect(message).toBe(`signed up to 9; ${HALTS['anchor-ahead']}`)
  expect(message).toContain('aldis log rotate')
})
