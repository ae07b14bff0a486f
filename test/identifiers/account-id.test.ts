import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{ profile: string; vectors: Vector[] }>('account-id')

describe('account-id/1', () => holdsVectors('account_id', table.profile, table.vectors))

test('an account id is never changed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (raw) => {
      expect([raw, undefined]).toContain(canonicalOf({ type: 'account_id', raw, service: 'orchard' }))
    }),
  )
})
