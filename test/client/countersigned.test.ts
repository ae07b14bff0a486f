import { describe, expect, test } from 'vitest'
import { type Countersigner, odOf, promisedEntry } from '../../src/client/countersigned.ts'
import { makeSigningKey, type OwnSigningKey, openSigningKey } from '../../src/client/signing-key.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { type CountersignInput, countersign } from '../../src/signals/countersignature.ts'
import { digestOfJws } from '../../src/signals/submission.ts'
import { encoded, NOON, ORIGIN } from '../signals/factory.ts'

const JWS = { protected: encoded({ alg: 'Ed25519' }), payload: encoded('{"v":1}'), signature: encoded('pear') }
const REC = sha256(Buffer.from('a record'))
const [own, next, foreign] = [makeSigningKey(), makeSigningKey(), makeSigningKey()].map(openSigningKey)
const FAILED = expect.objectContaining({ step: 'countersignature' })

function pinned(...keys: (OwnSigningKey | undefined)[]): Countersigner {
  const receipt_keys = keys.flatMap((key) =>
    key?.jwk.kty === 'OKP' ? [{ kid: key.kid, alg: 'Ed25519' as const, jwk: key.jwk }] : [],
  )
  return { node_origin: ORIGIN, receipt_keys }
}

async function acknowledged(by = own, change: Partial<CountersignInput> = {}, iss = ORIGIN) {
  if (by === undefined) throw new Error('no key')
  const input = { od: digestOfJws(JWS), rec: REC, payload: JWS.payload, now: NOON, ...change }
  return {
    payload: JWS.payload,
    od: odOf(JWS),
    countersignature: await countersign(input, { kid: by.kid, iss, sign: by.sign }),
  }
}

test('a countersignature by a pinned key names the entry that the log will hold', async () => {
  expect(promisedEntry(await acknowledged(), pinned(own))).toBe(toBase64Url(REC))
})

test('any of the pinned keys may have made it', async () => {
  expect(promisedEntry(await acknowledged(next), pinned(own, next))).toBe(toBase64Url(REC))
  expect(promisedEntry(await acknowledged(own), pinned(own, next))).toBe(toBase64Url(REC))
})

describe('a countersignature is refused', () => {
  test('by a key that is not pinned', async () => {
    const made = await acknowledged(foreign)
    expect(() => promisedEntry(made, pinned(own, next))).toThrow(FAILED)
    expect(() => promisedEntry(made, pinned())).toThrow(FAILED)
  })

  test('of another JWS over the same payload', async () => {
    const other = digestOfJws({ ...JWS, signature: encoded('plum') })
    const made = await acknowledged(own, { od: other })
    expect(() => promisedEntry(made, pinned(own))).toThrow(FAILED)
  })

  test('over another payload', async () => {
    const made = await acknowledged(own, { payload: encoded('{"v":2}') })
    expect(() => promisedEntry(made, pinned(own))).toThrow(FAILED)
  })

  test('in the name of another node', async () => {
    const made = await acknowledged(own, {}, 'https://other.example.org')
    expect(() => promisedEntry(made, pinned(own))).toThrow(FAILED)
  })

  test('if it was made for something else than a receipt', async () => {
    if (own === undefined) throw new Error('no key')
    const head = encoded({ typ: 'aldis-signal+jws', iss: ORIGIN, od: odOf(JWS), rec: toBase64Url(REC) })
    const signature = toBase64Url(await own.sign(Buffer.from(`${head}.${JWS.payload}`)))
    const made = { payload: JWS.payload, od: odOf(JWS), countersignature: { protected: head, signature } }
    expect(() => promisedEntry(made, pinned(own))).toThrow(FAILED)
  })

  test('if any part of it is not what was signed', async () => {
    const made = await acknowledged()
    const { protected: head, signature } = made.countersignature
    for (const countersignature of [
      { protected: head, signature: signature.slice(0, -4) },
      { protected: head, signature: '' },
      { protected: head, signature: `${signature}=` },
      { protected: `${head}A`, signature },
      { protected: head.slice(1), signature },
      { protected: '', signature },
    ])
      expect(() => promisedEntry({ ...made, countersignature }, pinned(own))).toThrow(FAILED)
  })
})

test('the digest of a JWS covers each of its three parts', () => {
  const others = (['protected', 'payload', 'signature'] as const).map((part) =>
    odOf({ ...JWS, [part]: encoded('plum') }),
  )
  expect(new Set([odOf(JWS), ...others]).size).toBe(4)
})
