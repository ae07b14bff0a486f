import { FlattenedSign, flattenedVerify, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { importJwk, type SigningAlg, signSubmission, verifySubmission } from '../../src/signals/submission.ts'
import { aSigner } from '../participants/keys.ts'
import { NOON } from './factory.ts'

const ADDRESS = { iss: 'spiffe://orchard.example/participant/apple', aud: 'https://node.example.org', prg: 'orchard' }
const ALGS: readonly SigningAlg[] = ['Ed25519', 'ES256']

const signed = (alg: SigningAlg) => {
  const signer = aSigner(alg)
  const sign = async (data: Uint8Array) => Buffer.from(signer.sign(data), 'base64url')
  const key = { kid: signer.kid, alg, sign }
  const items = ['{"a":1}', '{"b":2}', '{"c":3}']
  return { signer, submission: signSubmission({ ...ADDRESS, typ: 'aldis-signal+jws', items, key, now: NOON }) }
}

describe.for(ALGS)('another implementation of JWS agrees on %s', (alg) => {
  test('it verifies what we sign', async () => {
    const { signer, submission } = signed(alg)
    const { jws } = await submission
    const { protectedHeader } = await flattenedVerify(jws, await importJWK({ ...signer.jwk }, alg))
    expect(protectedHeader).toMatchObject({ alg, kid: signer.kid, typ: 'aldis-signal+jws', ...ADDRESS })
  })

  test('we verify what it signs over the same payload', async () => {
    const { signer, submission } = signed(alg)
    const { jws, items } = await submission
    const header = JSON.parse(Buffer.from(jws.protected, 'base64url').toString()) as { alg: string }
    const theirs = await new FlattenedSign(Buffer.from(jws.payload, 'base64url'))
      .setProtectedHeader(header)
      .sign(signer.privateKey)
    const { protected: head = '', payload, signature } = theirs
    const verified = verifySubmission(
      { jws: { protected: head, payload, signature }, items },
      { ...ADDRESS, now: NOON, findKey: () => ({ alg, key: importJwk({ ...signer.jwk }) }) },
    )
    expect(verified.header).toEqual(header)
  })
})
