import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{ profile: string; vectors: Vector[] }>('payment-handle')

describe('payment/1', () => holdsVectors('payment_handle', table.profile, table.vectors))

test('normalising twice gives what normalising once gave', () => {
  const services = fc.constantFrom('cashtag', 'finchpay', 'bitcoin', 'ethereum')
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 50 }), services, (raw, service) => {
      const once = canonicalOf({ type: 'payment_handle', raw, service })
      fc.pre(once !== undefined)
      expect(canonicalOf({ type: 'payment_handle', raw: once, service })).toBe(once)
    }),
  )
})
