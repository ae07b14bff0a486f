import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toBase64Url, toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { askedDigest, askedFault } from '../../src/provenance/asked.ts'
import { bytes, READSET } from './vectors.ts'

const SALT = bytes(READSET.set_salt)
const { keys: KEYS, digest } = READSET.asked
const recordOf = (keys: readonly string[], salt = SALT) => [
  { name: 'asked', value: { n: keys.length, digest: toBase64Url(askedDigest(sha256, salt, keys)) } },
  { name: 'set_salt', value: toBase64Url(salt) },
]
const faultOf = (record: Parameters<typeof askedFault>[1], keys: readonly string[] = KEYS) =>
  askedFault(sha256, record, keys)

test('what was asked has the published digest', () => {
  expect(toHex(askedDigest(sha256, SALT, KEYS))).toBe(digest)
})

describe('the record of a look-up', () => {
  test('is held against the keys that were asked for, in their order', () => {
    expect(faultOf(recordOf(KEYS))).toBeUndefined()
    expect(faultOf(recordOf([]), [])).toBeUndefined()
  })
  test('is not one of other keys, of another order, or of fewer', () => {
    const other = 'other keys were asked for, or in another order'
    expect(faultOf(recordOf(KEYS), KEYS.toReversed())).toBe(other)
    expect(faultOf(recordOf(KEYS), KEYS.with(0, '0'.repeat(64)))).toBe(other)
    expect(faultOf(recordOf(KEYS), KEYS.slice(1))).toBe('the record says that 2 keys were asked for, and these are 1')
  })
  test('says nothing of what was asked where a field is missing or malformed', () => {
    const [asked, salt] = recordOf(KEYS)
    for (const record of [[], [asked], [salt], [{ name: 'asked', value: { n: 2, root: digest } }, salt]])
      expect(faultOf(record.flatMap((field) => field ?? []))).toBe('the record does not say what was asked')
    expect(faultOf([{ name: 'asked', value: { n: 2, digest: '=' } }, ...(salt ? [salt] : [])])).toBe(
      'the record does not say what was asked',
    )
  })
  test('fits no other list of keys, whatever the keys are', () => {
    const key = fc.stringMatching(/^[0-9a-f]{1,3}$/)
    fc.assert(
      fc.property(fc.array(key, { maxLength: 5 }), fc.array(key, { maxLength: 5 }), (one, other) => {
        expect(faultOf(recordOf(one), other) === undefined).toBe(one.join() === other.join())
      }),
    )
  })
})
