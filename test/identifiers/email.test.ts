import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{ profile: string; vectors: Vector[]; second: { profile: string; vectors: Vector[] } }>(
  'email',
)

describe('email/1', () => holdsVectors('email', table.profile, table.vectors))
describe('email-provider/1', () => holdsVectors('email', table.second.profile, table.second.vectors, true))

test('normalising twice gives what normalising once gave', () => {
  const local = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(local, (text) => {
      const once = canonicalOf({ type: 'email', raw: `${text}@example.com` })
      fc.pre(once !== undefined)
      expect(canonicalOf({ type: 'email', raw: once })).toBe(once)
    }),
  )
})

test('upper and lower case of an ASCII address are one address', () => {
  fc.assert(
    fc.property(fc.emailAddress(), (address) => {
      const canonical = canonicalOf({ type: 'email', raw: address })
      expect(canonical).toBeDefined()
      expect(canonicalOf({ type: 'email', raw: address.toUpperCase() })).toBe(canonical)
    }),
  )
})
