import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { aBit, bytes, ED25519, flipped } from './vectors.ts'

const CASES = ED25519.cases.map(({ public_key, message, signature }) => ({
  key: bytes(public_key),
  message: bytes(message),
  signature: bytes(signature),
}))

test.for(CASES.map((one, i) => [i + 1, one] as const))('the published signature %i verifies', ([, one]) => {
  expect(verifyEd25519(one.key, one.message, one.signature)).toBe(true)
})

test('no signature verifies with one bit turned: in the key, the message or itself', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CASES), aBit, ({ key, message, signature }, bit) => {
      expect(verifyEd25519(flipped(key, bit), message, signature)).toBe(false)
      expect(verifyEd25519(key, message, flipped(signature, bit))).toBe(false)
      if (message.length > 0) expect(verifyEd25519(key, flipped(message, bit), signature)).toBe(false)
    }),
  )
})

test('a key or signature of another length is no error but false', () => {
  const { key, message, signature } = CASES[2] ?? { key: bytes(''), message: bytes(''), signature: bytes('') }
  for (const other of [bytes(''), key.slice(1), Buffer.concat([key, key])])
    expect(verifyEd25519(other, message, signature)).toBe(false)
  for (const other of [bytes(''), signature.slice(1), Buffer.concat([signature, bytes('00')])])
    expect(verifyEd25519(key, message, other)).toBe(false)
})
