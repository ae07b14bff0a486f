import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { publicKeyText, secretText, signedHeaders } from '../../src/webhooks/signing.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')
const secret = Buffer.alloc(32, 7)
const keys = { secrets: [secret], sign: async (data: Uint8Array) => sign(null, data, privateKey) }
const now = (): number => Math.floor(Date.now() / 1_000)

const arrays = { id: fc.stringMatching(/^msg_[A-Za-z0-9_-]{24}$/), body: fc.json() }

test("the specification's own library verifies v1 by the secret as it is shown", async () => {
  await fc.assert(
    fc.asyncProperty(arrays.id, arrays.body, async (id, body) => {
      const headers = await signedHeaders({ id, seconds: now(), body }, keys)
      expect(new Webhook(secretText(secret)).verify(body, { ...headers })).toEqual(JSON.parse(body))
    }),
    { numRuns: 30 },
  )
})

test('it refuses another secret, body, id and time', async () => {
  const [id, body] = ['msg_1', '{"a":1}']
  const headers = await signedHeaders({ id, seconds: now(), body }, keys)
  const refused = (change: object, text = body, by = secret) =>
    expect(() => new Webhook(secretText(by)).verify(text, { ...headers, ...change })).toThrow()
  refused({}, body, Buffer.alloc(32, 8))
  refused({}, '{"a":2}')
  refused({ 'webhook-id': 'msg_2' })
  refused({ 'webhook-timestamp': String(now() - 3_600) })
})

test("v1a is Ed25519 over id, time and body, under the node's key as it is shown", async () => {
  const headers = await signedHeaders({ id: 'msg_1', seconds: 1_700_000_000, body: '{}' }, keys)
  const [, v1a = ''] = headers['webhook-signature']?.split(' ') ?? []
  const [version, signature = ''] = v1a.split(',')
  expect(version).toBe('v1a')
  const x = Buffer.from(publicKeyText(raw).slice('whpk_'.length), 'base64').toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const over = (text: string): boolean => verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
  expect(over('msg_1.1700000000.{}')).toBe(true)
  expect(over('msg_2.1700000000.{}')).toBe(false)
})
