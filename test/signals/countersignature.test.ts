import { generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64Url, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { countersign, verifyCountersignature } from '../../src/signals/countersignature.ts'
import { decoded, encoded, NOON, ORIGIN } from './factory.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const by = { kid: 'receipt', iss: ORIGIN, sign: async (data: Uint8Array) => sign(null, data, privateKey) }
const byNode = (data: Uint8Array, signature: Uint8Array) => verify(null, data, publicKey, signature)
const [od, rec] = [sha256(utf8('apple')), sha256(utf8('banana'))]
const payload = encoded({ v: 1, count: 1, root: 'x' })
const made = await countersign({ od, rec, payload, now: new Date(NOON.getTime() + 999) }, by)

const header = {
  ...{ alg: 'Ed25519', kid: 'receipt', typ: 'aldis-receipt+jws', iss: ORIGIN, iat: NOON.getTime() / 1000 },
  ...{ od: toBase64Url(od), rec: toBase64Url(rec) },
}

describe('the node’s signature', () => {
  test('binds what the source signed to what the log holds', () => {
    expect(verifyCountersignature(made, payload, byNode)).toEqual(header)
    expect(JSON.parse(decoded(made.protected))).toEqual(header)
  })
  test('is over its header and the payload of the source', () => {
    const data = Buffer.from(`${made.protected}.${payload}`)
    expect(verify(null, data, publicKey, Buffer.from(made.signature, 'base64url'))).toBe(true)
  })
  test('is none over another payload, or by another key', () => {
    expect(verifyCountersignature(made, encoded('x'), byNode)).toBeUndefined()
    const { publicKey: other } = generateKeyPairSync('ed25519')
    expect(verifyCountersignature(made, payload, (data, s) => verify(null, data, other, s))).toBeUndefined()
  })
  test('is none with any character changed', () => {
    fc.assert(
      fc.property(fc.constantFrom('protected', 'signature'), fc.nat(), fc.nat(6), (name, place, bit) => {
        const text = made[name]
        const at = place % text.length
        const changed = `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ (1 << bit))}${text.slice(at + 1)}`
        expect(verifyCountersignature({ ...made, [name]: changed }, payload, byNode)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })
  test('for another purpose is none, though the node made it', async () => {
    const head = encoded({ ...header, typ: 'aldis-signal+jws' })
    const signature = toBase64Url(await by.sign(utf8(`${head}.${payload}`)))
    expect(verifyCountersignature({ protected: head, signature }, payload, byNode)).toBeUndefined()
  })
  test('of another length is none', () => {
    for (const n of [0, 63, 65])
      expect(verifyCountersignature({ ...made, signature: toBase64Url(new Uint8Array(n)) }, payload, () => true)).toBe(
        undefined,
      )
  })
})
