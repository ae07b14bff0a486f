import { describe, expect, test } from 'vitest'
import { checkMediaHash } from '../../src/signals/media-hash.ts'
import { MEDIA_ALGORITHM } from '../../src/signals/schema.ts'
import { sha } from './factory.ts'

type Algorithm = (typeof MEDIA_ALGORITHM)[number]
const digits = (n: number): string => sha('apple').repeat(65).slice(0, n)
const outcome = (algorithm: Algorithm, hex: string): string => checkMediaHash(algorithm, hex).outcome

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
})

test('a refusal never repeats the hash', () => {
  const hex = digits(62)
  expect(JSON.stringify(checkMediaHash('pdq', hex))).not.toContain(hex.slice(-8))
})
