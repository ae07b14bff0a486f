import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { checkMediaHash } from '../../src/signals/media-hash.ts'
import { MEDIA_ALGORITHM } from '../../src/signals/schema.ts'
import { sha } from './factory.ts'

type Algorithm = (typeof MEDIA_ALGORITHM)[number]
const digits = (n: number): string => sha('apple').repeat(65).slice(0, n)
const outcome = (algorithm: Algorithm, hex: string): string => checkMediaHash(algorithm, hex).outcome
/** A PDQ hash with so many of its 256 bits set. */
const pdq = (bits: number): string =>
  BigInt(`0b${'1'.repeat(bits).padStart(256, '0')}`)
    .toString(16)
    .padStart(64, '0')

const LENGTHS: Readonly<Record<Algorithm, readonly [accepted: readonly number[], refused: readonly number[]]>> = {
  pdq: [[64], [62, 66, 128]],
  md5: [[32], [30, 34, 64]],
  sha1: [[40], [38, 42, 32]],
  sha256: [[64], [62, 66, 40]],
  photodna: [[288], [286, 290, 144]],
  video_md5: [[32], [30, 34]],
  tmk: [
    [64, 66, 4_096],
    [62, 65, 4_098],
  ],
  vpdq: [
    [64, 128, 4_096],
    [62, 127, 4_098],
  ],
}

test('every algorithm has its lengths here', () => {
  expect(Object.keys(LENGTHS)).toEqual([...MEDIA_ALGORITHM])
})

describe.for(MEDIA_ALGORITHM)('a hash of %s', (algorithm) => {
  const [accepted, refused] = LENGTHS[algorithm]
  test.for(accepted)('of %i hex digits is accepted', (n) => {
    expect(outcome(algorithm, digits(n))).toBe('ok')
  })
  test.for(refused)('of %i hex digits is refused', (n) => {
    expect(outcome(algorithm, digits(n))).toBe('refused')
  })
  test('of one digit repeated is refused', () => {
    for (const digit of '0f7') expect(outcome(algorithm, digit.repeat(accepted[0] ?? 0)), digit).toBe('refused')
  })
})

test.for(['md5', 'sha1', 'sha256'] as const)('the %s of an empty file is refused', (algorithm) => {
  expect(outcome(algorithm, createHash(algorithm).update('').digest('hex'))).toBe('refused')
  expect(outcome(algorithm, createHash(algorithm).update('apple').digest('hex'))).toBe('ok')
})

test.for([
  [63, 'refused'],
  [64, 'ok'],
  [128, 'ok'],
  [192, 'ok'],
  [193, 'refused'],
] as const)('a PDQ hash with %i bits set: %s', ([bits, expected]) => {
  expect(outcome('pdq', pdq(bits))).toBe(expected)
})

test('the number of bits says nothing of other algorithms', () => {
  expect(outcome('sha256', pdq(10))).toBe('ok')
})

test('a refusal never repeats the hash', () => {
  const hex = pdq(10)
  expect(JSON.stringify(checkMediaHash('pdq', hex))).not.toContain(hex.slice(-8))
})
