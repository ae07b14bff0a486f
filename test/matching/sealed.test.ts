import { createHmac, webcrypto } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, u16, u32, utf8 } from '../../src/kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../../src/kernel/ids.ts'
import { ENTRY_BYTES, NONCE_BYTES, type SealedContent, sealedKey, sealKid } from '../../src/matching/sealed.ts'
import { idOf } from '../signals/factory.ts'
import vectors from '../vectors/sealed.json' with { type: 'json' }

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0)
const [AUDIENCE, OTHER] = [idOf(10), idOf(11)]
const KEY = new Uint8Array(32).fill(7)
const content: SealedContent = {
  signal: idOf(1),
  category: 3,
  handling: 2,
  expires_at: new Date('2026-05-01T00:00:00Z'),
}
const nonce = new Uint8Array(NONCE_BYTES).fill(9)

/** By the words of RFC 5869, and another library's AES: what the code under test does not use. */
const extracted = (key: Uint8Array) => createHmac('sha256', new Uint8Array(32)).update(key).digest()
const derived = (key: Uint8Array, info: Uint8Array, n: number) =>
  createHmac('sha256', extracted(key))
    .update(concat(info, Uint8Array.of(1)))
    .digest()
    .subarray(0, n)
const infoOf = (what: string, audience: string) => concat(utf8(what), Uint8Array.of(0), utf8(audience))

describe('the vectors', () => {
  test.for(vectors.vectors)('$profile in $audience', async (v) => {
    const sealed = sealedKey(bytes(v.key), v.audience as Uuid)
    const given = { signal: v.signal as Uuid, category: v.category, handling: v.handling }
    expect(sealKid(v.profile)).toBe(v.kid)
    expect(toHex(sealed.tag)).toBe(v.tag)
    const entry = sealed.seal(v.kid, { ...given, expires_at: new Date(v.expires_at) }, bytes(v.nonce))
    expect(toHex(entry)).toBe(v.entry)

    expect(toHex(derived(bytes(v.key), infoOf('aldis-tag/1', v.audience), 16))).toBe(v.tag)
    const secret = derived(bytes(v.key), infoOf('aldis-seal/1', v.audience), 32)
    const key = await webcrypto.subtle.importKey('raw', new Uint8Array(secret), 'AES-GCM', false, ['encrypt'])
    const hours = Math.ceil(Date.parse(v.expires_at) / 3_600_000)
    const clear = [[1], uuidBytes(v.signal as Uuid), u16(v.category), [v.handling], u32(hours), [0, 0, 0, 0]]
    const additionalData = new Uint8Array(concat(infoOf('aldis-seal/1', v.audience), Uint8Array.of(0), utf8(v.kid)))
    const iv = new Uint8Array(bytes(v.nonce))
    const data = Uint8Array.from(clear.flatMap((part) => [...part]))
    const hidden = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, key, data)
    expect(toHex(concat(bytes(v.tag), iv, new Uint8Array(hidden)))).toBe(v.entry)
  })
})

describe('an entry', () => {
  const aContent = fc.record({
    signal: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((own) => idOf(own[0] ?? 0)),
    category: fc.nat(65_535),
    handling: fc.nat(255),
    expires_at: fc.nat(4_000_000).map((hour) => new Date(hour * 3_600_000)),
  })
  const aKey = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const aNonce = fc.uint8Array({ minLength: NONCE_BYTES, maxLength: NONCE_BYTES })

  test('says to its key what was sealed, and has one length', () => {
    fc.assert(
      fc.property(aKey, aContent, aNonce, (key, given, fresh) => {
        const sealed = sealedKey(key, AUDIENCE)
        const entry = sealed.seal('spring', given, fresh)
        expect(entry).toHaveLength(ENTRY_BYTES)
        expect(sealed.open('spring', entry)).toEqual(given)
      }),
    )
  })
  test('of which any byte was changed says nothing', () => {
    const sealed = sealedKey(KEY, AUDIENCE)
    const entry = sealed.seal('spring', content, nonce)
    for (let i = 0; i < ENTRY_BYTES; i++) {
      const bent = Uint8Array.from(entry)
      bent[i] = (bent[i] ?? 0) ^ 1
      expect(sealed.open('spring', bent), `byte ${i}`).toBeUndefined()
    }
    expect(sealed.open('spring', entry.subarray(1))).toBeUndefined()
    expect(sealed.open('spring', concat(entry, Uint8Array.of(0)))).toBeUndefined()
  })
  test('says nothing to another key, in another audience, under another key epoch', () => {
    const entry = sealedKey(KEY, AUDIENCE).seal('spring', content, nonce)
    expect(sealedKey(new Uint8Array(32).fill(8), AUDIENCE).open('spring', entry)).toBeUndefined()
    expect(sealedKey(KEY, OTHER).open('spring', entry)).toBeUndefined()
    expect(sealedKey(KEY, AUDIENCE).open('summer', entry)).toBeUndefined()
  })
  test('of one key has one tag in an audience, and another in each', () => {
    const [here, there] = [sealedKey(KEY, AUDIENCE), sealedKey(KEY, OTHER)]
    expect(here.tag).toEqual(sealedKey(KEY, AUDIENCE).tag)
    expect(here.tag).not.toEqual(there.tag)
    const twice = [here.seal('spring', content, nonce), here.seal('spring', content, new Uint8Array(NONCE_BYTES))]
    expect(toHex(twice[0] ?? KEY).slice(56)).not.toBe(toHex(twice[1] ?? KEY).slice(56))
  })
  test('lives to the end of its hour', () => {
    const sealed = sealedKey(KEY, AUDIENCE)
    const entry = sealed.seal('spring', { ...content, expires_at: new Date('2026-05-01T10:00:01Z') }, nonce)
    expect(sealed.open('spring', entry)?.expires_at).toEqual(new Date('2026-05-01T11:00:00Z'))
  })
  test('is made of 32 bytes and of nothing else', () => {
    expect(() => sealedKey(new Uint8Array(31), AUDIENCE)).toThrow('32 bytes')
  })
})

test('a link and a media hash have no key epoch: their profile stands for it', () => {
  expect(['email/1@spring', 'url/1', 'pdq', 'username/1:birdsong@summer-2'].map(sealKid)).toEqual([
    'spring',
    'url/1',
    'pdq',
    'summer-2',
  ])
})
