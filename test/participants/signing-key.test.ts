import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/kernel/bytes.ts'
import { readSigningJwk, thumbprint, verifyProof } from '../../src/participants/signing-key.ts'
import { aSigner } from './keys.ts'

// RFC 8037 appendix A.2 and A.3.
const RFC_8037 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const

test('the thumbprint is that of RFC 8037 appendix A.3', () => {
  expect(thumbprint(RFC_8037)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  expect(readSigningJwk(RFC_8037)).toMatchObject({ kid: thumbprint(RFC_8037), alg: 'Ed25519' })
})

test('coordinates with loose bits are no key: one key has one thumbprint', () => {
  expect(readSigningJwk({ ...RFC_8037, x: `${RFC_8037.x.slice(0, -1)}p` })).toBeUndefined()
})

test('a point that is not on P-256 is no key', () => {
  const x = `${'A'.repeat(42)}E`
  expect(readSigningJwk({ kty: 'EC', crv: 'P-256', x, y: x })).toBeUndefined()
})

describe.for(['Ed25519', 'ES256'] as const)('a proof by %s', (alg) => {
  const signer = aSigner(alg)
  const key = readSigningJwk(signer.jwk)
  if (key === undefined) throw new Error('no key')

  test('verifies over its bytes and over no others', () => {
    const proof = signer.sign(utf8('apple'))
    expect(verifyProof(key, utf8('apple'), proof)).toBe(true)
    expect(verifyProof(key, utf8('banana'), proof)).toBe(false)
  })
  test('by another key does not verify', () => {
    expect(verifyProof(key, utf8('apple'), aSigner(alg).sign(utf8('apple')))).toBe(false)
  })
  test('malformed is false, not an error', () => {
    for (const proof of ['', 'AA', '!', 'A'.repeat(86)]) expect(verifyProof(key, utf8('apple'), proof)).toBe(false)
  })
})
