import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{ profile: string; vectors: Vector[] }>('username')
const service = 'orchard'

describe('username/1', () => holdsVectors('username', table.profile, table.vectors))

test('normalising twice gives what normalising once gave, for any Unicode', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), (raw) => {
      const once = canonicalOf({ type: 'username', raw, service })
      fc.pre(once !== undefined)
      expect(canonicalOf({ type: 'username', raw: once, service })).toBe(once)
    }),
    { numRuns: 1000 },
  )
})

test('invisible characters change nothing', () => {
  const name = fc.stringMatching(/^[a-z]{2,10}$/)
  fc.assert(
    fc.property(name, fc.constantFrom('\u200b', '\u00ad', '\u2060', '\ufe0f', '\u3164'), (raw, invisible) => {
      expect(canonicalOf({ type: 'username', raw: [...raw].join(invisible), service })).toBe(raw)
    }),
  )
})

test('names of two platforms have two profiles', () => {
  const [here, there] = ['orchard', 'meadow'].map((slug) =>
    canonicalOf({ type: 'username', raw: 'plum', service: slug }),
  )
  expect(here).toBe(there)
  expect(table.profile).toBe('username/1:orchard')
})
