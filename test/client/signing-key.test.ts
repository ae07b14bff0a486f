import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeSigningKey, openSigningKey, thumbprint } from '../../src/client/signing-key.ts'
import { utf8 } from '../../src/kernel/bytes.ts'
import { readSigningJwk } from '../../src/participants/signing-key.ts'
import { importJwk, signSubmission, verifySubmission } from '../../src/signals/submission.ts'
import { anItem, NOON, ORIGIN, PROGRAMME, textOf, uriOf } from '../signals/factory.ts'

/** RFC 8037 appendix A.1. */
const RFC8037 = {
  kty: 'OKP',
  crv: 'Ed25519',
  d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
}

const jwkOf = (key: KeyObject): string => JSON.stringify(key.export({ format: 'jwk' }))
const p256 = (): string => jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

test('the thumbprint is the one of RFC 8037 appendix A.3', () => {
  const { jwk, kid } = openSigningKey(JSON.stringify(RFC8037))
  expect(kid).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  expect(thumbprint(jwk)).toBe(kid)
})

test('the signature is the one of RFC 8037 appendix A.4', async () => {
  const { alg, sign } = openSigningKey(JSON.stringify(RFC8037))
  const signature = await sign(utf8('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc'))
  expect([alg, Buffer.from(signature).toString('base64url')]).toEqual([
    'Ed25519',
    'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
  ])
})

test('what is known of the key is its public half alone', () => {
  expect(openSigningKey(JSON.stringify(RFC8037)).jwk).toEqual({ kty: 'OKP', crv: 'Ed25519', x: RFC8037.x })
  const { d, ...rest } = JSON.parse(p256()) as Record<string, string>
  expect(openSigningKey(JSON.stringify({ d, ...rest })).jwk).toEqual(rest)
})

test.for([
  ['Ed25519', makeSigningKey],
  ['ES256', p256],
] as const)('the node knows an %s key by the same id and takes what it signs', async ([alg, make]) => {
  const key = openSigningKey(make())
  expect(key.alg).toBe(alg)
  expect(readSigningJwk(key.jwk)?.kid).toBe(key.kid)
  const [iss, items] = [uriOf('apple'), [textOf(anItem())]]
  const names = { iss, aud: ORIGIN, prg: PROGRAMME }
  const signed = await signSubmission({ ...names, typ: 'aldis-signal+jws', items, key, now: NOON })
  const findKey = (kid: string) => (kid === key.kid ? { alg, key: importJwk(key.jwk) } : undefined)
  expect(verifySubmission(signed, { ...names, now: NOON, findKey }).header).toMatchObject({ alg, kid: key.kid })
})

test('each new key is another one, on one line', () => {
  const made = Array.from({ length: 20 }, makeSigningKey)
  expect(new Set(made.map((text) => openSigningKey(text).kid)).size).toBe(20)
  for (const text of made) expect(text).toMatch(/^[^\n]+\n$/)
})

test.for<[string, () => string]>([
  ['P-384', () => jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)],
  ['secp256k1', () => jwkOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey)],
  ['RSA', () => jwkOf(generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey)],
  ['Ed448', () => jwkOf(generateKeyPairSync('ed448').privateKey)],
  ['X25519', () => jwkOf(generateKeyPairSync('x25519').privateKey)],
  ['a public key', () => jwkOf(generateKeyPairSync('ed25519').publicKey)],
  ['a key without a type', () => '{}'],
])('%s is a TypeError', ([, make]) => {
  expect(() => openSigningKey(make())).toThrow(TypeError)
})
