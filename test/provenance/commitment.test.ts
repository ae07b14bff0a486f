import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64Url, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { commitment, decoy, digestOf, fieldsOfRead, openPayload } from '../../src/provenance/commitment.ts'
import { disclosure, payloadOf } from './disclosures.ts'
import { aBit, aHash, bytes, flipped, RECORD } from './vectors.ts'

const { fields, ...published } = RECORD.one_party
const DISCLOSURES = fields.map((field) => field.disclosure)
const open = (payload: string, disclosures: readonly string[]) => openPayload(sha256, payload, disclosures)
/** A payload and all that is in it, of any names and values. */
const aRecord = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.jsonValue({ maxDepth: 2 })), {
    selector: ([name]) => name,
    maxLength: 6,
  })
  .chain((named) => fc.tuple(fc.constant(named), fc.array(aHash, { minLength: named.length, maxLength: named.length })))
  .map(([named, salts]) =>
    named.map(([name, value], i) => ({ name, text: disclosure(salts[i] ?? utf8(''), name, value) })),
  )

describe('the published record', () => {
  test.for(fields)(
    'has the disclosure and the digest of its $name',
    ({ name, value, salt, disclosure: text, digest }) => {
      expect(disclosure(bytes(salt), name, value)).toBe(text)
      expect(digestOf(sha256, text)).toBe(digest)
    },
  )
  test('has its payload and its commitment', () => {
    const payload = payloadOf(sha256, DISCLOSURES)
    expect(payload).toBe(published.payload)
    expect(payload.length).toBe(311)
    expect(toHex(sha256(utf8(payload)))).toBe(published.payload_sha256)
    expect(toHex(commitment(sha256, payload))).toBe(published.c)
  })
  test('opens to its fields, all of them or any', () => {
    const all = fields.map(({ name, value }) => ({ name, value }))
    expect(open(published.payload, DISCLOSURES)).toEqual({ outcome: 'opened', fields: all })
    expect(open(published.payload, DISCLOSURES.slice(2, 3))).toEqual({ outcome: 'opened', fields: all.slice(2, 3) })
    expect(open(published.payload, [])).toEqual({ outcome: 'opened', fields: [] })
  })
})

describe('a payload', () => {
  test('does not tell the order of its disclosures, nor decoys from digests', () => {
    fc.assert(
      fc.property(aRecord, aHash, (record, salt) => {
        const all = [...record.map(({ text }) => text), decoy(salt)]
        expect(payloadOf(sha256, all.toReversed())).toBe(payloadOf(sha256, all))
        expect(JSON.parse(payloadOf(sha256, all))._sd.length).toBe(all.length)
      }),
    )
  })
  test('opens each disclosure that made it, and no other', () => {
    fc.assert(
      fc.property(aRecord, aRecord, (record, other) => {
        const payload = payloadOf(
          sha256,
          record.map(({ text }) => text),
        )
        const opened = open(
          payload,
          record.map(({ text }) => text),
        )
        expect(opened.outcome === 'opened' && opened.fields.map(({ name }) => name)).toEqual(
          record.map(({ name }) => name),
        )
        for (const { text } of other) expect(open(payload, [text]).outcome).toBe('failed')
      }),
    )
  })
  test('opens no disclosure with one bit turned', () => {
    fc.assert(
      fc.property(fc.constantFrom(...DISCLOSURES), aBit, (text, bit) => {
        const other = toBase64Url(flipped(Buffer.from(text, 'base64url'), bit))
        expect(open(published.payload, [other]).outcome).toBe('failed')
      }),
    )
  })
  const { payload } = published
  const digests: string[] = JSON.parse(payload)._sd
  test.for<[what: string, text: string]>([
    ['nothing', ''],
    ['what is not JSON', payload.slice(1)],
    ['a number', '1'],
    ['null', 'null'],
    ['no digests', '{"_sd_alg":"sha-256","v":1}'],
    ['a space', payload.replace(',"v"', ', "v"')],
    ['another order of members', JSON.stringify({ _sd_alg: 'sha-256', _sd: digests, v: 1 })],
    ['digests out of order', JSON.stringify({ _sd: digests.toReversed(), _sd_alg: 'sha-256', v: 1 })],
    ['another algorithm', payload.replace('sha-256', 'sha-512')],
    ['another version', payload.replace('"v":1', '"v":2')],
    ['a member more', payload.replace('"v":1', '"v":1,"w":1')],
    ['a member twice', payload.replace('"v":1', '"v":1,"v":1')],
    ['a newline at its end', `${payload}\n`],
  ])('of %s is not canonical', ([, text]) => {
    expect(open(payload, []).outcome).toBe('opened')
    expect(open(text, []).outcome).toBe('failed')
  })
})

describe('a disclosure that is in the payload', () => {
  const salt = new Uint8Array(32)
  const opens = (...texts: string[]): string => open(payloadOf(sha256, texts), texts).outcome
  const encoded = (text: string): string => toBase64Url(utf8(text))

  test('twice under one name is refused, but several sources are not', () => {
    const other = new Uint8Array(32).fill(1)
    expect(opens(disclosure(salt, 'n', 1), disclosure(other, 'n', 2))).toBe('failed')
    expect(opens(disclosure(salt, 'source', { party: 'plum' }), disclosure(other, 'source', { party: 'fig' }))).toBe(
      'opened',
    )
  })
  test('of a read is taken apart, and what it says is not said beside it again', () => {
    const other = new Uint8Array(32).fill(1)
    const read = disclosure(salt, 'read', { n: 1, route: '/v1/lookups' })
    const opened = (...texts: string[]) => openPayload(sha256, payloadOf(sha256, texts), texts, fieldsOfRead)
    const fields = [
      { name: 'n', value: 1 },
      { name: 'route', value: '/v1/lookups' },
    ]
    expect(opened(read)).toEqual({ outcome: 'opened', fields })
    expect(opened(disclosure(salt, 'n', 1), disclosure(other, 'route', '/v1/lookups'))).toEqual({
      outcome: 'opened',
      fields,
    })
    for (const texts of [
      [read, disclosure(other, 'n', 2)],
      [disclosure(other, 'n', 2), read],
      [read, disclosure(other, 'read', { n: 2 })],
    ])
      expect(opened(...texts)).toEqual({ outcome: 'failed', why: 'the field n is there twice' })
  })
  test('but is a decoy opens nothing', () => {
    expect(opens(decoy(salt))).toBe('failed')
    expect(Buffer.from(decoy(salt), 'base64url').toString()).toBe(`["${'A'.repeat(43)}","decoy"]`)
  })
  test('is refused with its reason', () => {
    const why = (of: string, ...texts: string[]) => {
      const opened = open(of, texts)
      return opened.outcome === 'failed' ? opened.why : opened.outcome
    }
    const [one, two] = [disclosure(salt, 'n', 1), disclosure(salt, 'n', 2)]
    expect(why('{}')).toBe('the payload is not canonical')
    expect(why(payloadOf(sha256, [one]), two)).toBe('a disclosure is not in the payload')
    expect(why(payloadOf(sha256, ['A']), 'A')).toBe('a disclosure is malformed')
    expect(why(payloadOf(sha256, [one, two]), one, two)).toBe('the field n is there twice')
  })
  test.for([
    ...['{}', '"n"', 'null', '[]', '["s","n"]', '["s","n",1,2]', '["s",1,1]', '["s","n",1', '["s","n",1]x'].map(
      encoded,
    ),
    toBase64Url(Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d)),
    toBase64Url(Buffer.from('["s","\u00ff",1]', 'latin1')),
    Buffer.from('["s","n",1]').toString('base64'),
    `${encoded('["s","n",1]').slice(0, -1)}B`,
    'A',
    '',
  ])('but reads %j is refused', (text) => {
    expect(opens(disclosure(salt, 'n', 1))).toBe('opened')
    expect(opens(text)).toBe('failed')
  })
})
