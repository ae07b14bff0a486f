import { randomBytes, randomInt } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPdqIndex, PDQ_BYTES, PDQ_DISTANCE, type PdqFound, type PdqMatch } from '../../src/matching/pdq.ts'
import { PLANS } from '../../src/matching/pdq-chunks.ts'

/** Bits in which two hashes differ, counted one by one. */
function distance(a: Uint8Array, b: Uint8Array): number {
  let bits = 0
  for (let i = 0; i < PDQ_BYTES; i++) for (let n = (a[i] ?? 0) ^ (b[i] ?? 0); n > 0; n >>= 1) bits += n & 1
  return bits
}

const bruteForce = (hashes: readonly Uint8Array[], query: Uint8Array, most = PDQ_DISTANCE): PdqMatch[] =>
  hashes.map((hash, entry) => ({ entry, distance: distance(hash, query) })).filter((one) => one.distance <= most)

/** By entry; and that the nearest came first. */
function sorted({ nearest, found }: PdqFound): PdqMatch[] {
  expect(nearest.map((one) => one.distance)).toEqual(nearest.map((one) => one.distance).toSorted((a, b) => a - b))
  expect(found).toBe(nearest.length)
  return nearest.toSorted((a, b) => a.entry - b.entry)
}

/** The hash with so many of its bits turned, chosen at random among `among`. */
function turned(hash: Uint8Array, n: number, among = Array.from({ length: 256 }, (_, i) => i)): Uint8Array {
  const out = Uint8Array.from(hash)
  const left = [...among]
  for (let i = 0; i < n; i++) {
    const [bit = 0] = left.splice(randomInt(left.length), 1)
    out[bit >> 3] = (out[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return out
}

/** The bits of each chunk of a plan. */
const chunksOf = (plan: (typeof PLANS)['long']): number[][] => {
  let first = 0
  return plan.map(({ bits }) => {
    first += bits
    return Array.from({ length: bits }, (_, i) => first - bits + i)
  })
}

/** Turned so that each chunk has one bit more than its radius, but for the last, which has just its radius: distance 31. */
function hardest(hash: Uint8Array, plan: (typeof PLANS)['long'], spared: number): Uint8Array {
  return chunksOf(plan).reduce((out, bits, i) => {
    const radius = plan[i]?.radius ?? 1
    return turned(out, i === spared ? radius : radius + 1, bits)
  }, hash)
}

const plans = Object.entries(PLANS)

describe.for(plans)('with %s chunks', ([, plan]) => {
  test('the chunks part the bits, and what is near is near in one of them', () => {
    expect(plan.reduce((sum, { bits }) => sum + bits, 0)).toBe(256)
    expect(plan.reduce((sum, { radius }) => sum + radius + 1, 0)).toBe(PDQ_DISTANCE + 1)
  })

  test('a hash that just one chunk can find is found, whichever chunk that is', () => {
    const hash = randomBytes(PDQ_BYTES)
    const index = createPdqIndex(Buffer.concat([randomBytes(PDQ_BYTES * 600), hash]), plan)
    for (const spared of plan.keys()) {
      expect(sorted(index.search(hardest(hash, plan, spared)))).toEqual([{ entry: 600, distance: 31 }])
    }
  })

  const index = (hashes: readonly Uint8Array[]) => createPdqIndex(Buffer.concat(hashes), plan)
  const base = randomBytes(PDQ_BYTES)
  const many = (n: number, make: (i: number) => Uint8Array): Uint8Array[] =>
    Array.from({ length: n }, (_, i) => make(i))
  const SETS: Readonly<Record<string, readonly Uint8Array[]>> = {
    random: many(2_000, () => randomBytes(PDQ_BYTES)),
    'all zero': many(700, () => new Uint8Array(PDQ_BYTES)),
    'all one': many(700, () => new Uint8Array(PDQ_BYTES).fill(255)),
    'clustered at 30, 31 and 32': many(1_500, (i) => turned(base, 30 + (i % 3))),
    'in one bucket of each chunk but the last': many(1_500, () =>
      turned(base, randomInt(17), chunksOf(plan).at(-1) ?? []),
    ),
    'of duplicates': many(900, (i) => (i % 3 === 0 ? base : turned(base, i % 40))),
    'of few bits': many(1_200, () => turned(new Uint8Array(PDQ_BYTES), randomInt(40))),
    'of one': [base],
    'of none': [],
  }
  test.for(Object.entries(SETS))('a set %s gives what brute force gives', ([, hashes]) => {
    const found = index(hashes)
    const near = Array.from({ length: 40 }, (_, i) => turned(hashes[i * 17] ?? base, i))
    for (const query of [
      ...near,
      base,
      new Uint8Array(PDQ_BYTES),
      new Uint8Array(PDQ_BYTES).fill(255),
      randomBytes(32),
    ]) {
      expect(sorted(found.search(query))).toEqual(bruteForce(hashes, query))
    }
  })
})

test('a distance of 31 matches and one of 32 does not', () => {
  const hash = randomBytes(PDQ_BYTES)
  const index = createPdqIndex(Buffer.concat([hash, randomBytes(PDQ_BYTES * 999)]))
  for (let i = 0; i < 200; i++) {
    expect(sorted(index.search(turned(hash, 31)))).toContainEqual({ entry: 0, distance: 31 })
    expect(sorted(index.search(turned(hash, 32)))).not.toContainEqual(expect.objectContaining({ entry: 0 }))
  }
})

test('any set and question give what brute force gives', () => {
  const hashArb = fc.uint8Array({ minLength: PDQ_BYTES, maxLength: PDQ_BYTES })
  const nearArb = fc.record({
    hash: hashArb,
    bits: fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 36 }),
  })
  const madeArb = nearArb.map(({ hash, bits }) => turned(hash, bits.length, bits))
  const planArb = fc.constantFrom(PLANS.short, PLANS.long, PLANS.longest, undefined)
  fc.assert(
    fc.property(
      fc.array(madeArb, { maxLength: 40 }),
      madeArb,
      planArb,
      fc.integer({ min: 0, max: 31 }),
      (set, one, plan, most) => {
        const index = createPdqIndex(Buffer.concat(set), plan)
        for (const query of [one, ...set.slice(0, 3).map((hash) => turned(hash, most))]) {
          expect(sorted(index.search(query, { most }))).toEqual(bruteForce(set, query, most))
          expect(sorted(index.scan(query, { most }))).toEqual(bruteForce(set, query, most))
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('so many in the same buckets that a scan is faster are found all the same', () => {
  const base = randomBytes(PDQ_BYTES)
  const hashes = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? turned(base, i % 31) : randomBytes(PDQ_BYTES)))
  const index = createPdqIndex(Buffer.concat(hashes))
  expect(index.search(base, { tell: 5 })).toMatchObject({ found: 10_000, nearest: Array(5).fill({ distance: 0 }) })
  expect(sorted(index.search(base))).toEqual(bruteForce(hashes, base))
})

test('after questions that were given up the index is tried again', () => {
  const base = randomBytes(PDQ_BYTES)
  const others = Array.from({ length: 300 }, () => randomBytes(PDQ_BYTES))
  const hashes = [...others, ...Array.from({ length: 4_500 }, () => base)]
  const index = createPdqIndex(Buffer.concat(hashes))
  for (let i = 0; i < 120; i++) {
    const query = i % 40 < 20 ? turned(base, i % 4) : turned(others[i] ?? base, i % 32)
    expect(sorted(index.search(query))).toEqual(bruteForce(hashes, query))
  }
})

test.for([
  ['a question of 31 bytes', () => createPdqIndex(new Uint8Array(32)).search(new Uint8Array(31))],
  ['a distance of 32', () => createPdqIndex(new Uint8Array(32)).search(new Uint8Array(32), { most: 32 })],
  ['a distance of half a bit', () => createPdqIndex(new Uint8Array(32)).search(new Uint8Array(32), { most: 0.5 })],
  ['a set of broken hashes', () => createPdqIndex(new Uint8Array(33))],
] as const)('%s is refused', ([, run]) => {
  expect(run).toThrow(RangeError)
})
