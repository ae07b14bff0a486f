import type { MEDIA_ALGORITHM } from './schema.ts'

export type Checked = { outcome: 'ok' } | { outcome: 'refused'; reason: string }
type Algorithm = (typeof MEDIA_ALGORITHM)[number]

/** Hex digits of each algorithm's hash; of those without one length, the least and the most. */
const DIGITS: Readonly<Record<Algorithm, readonly [least: number, most: number]>> = {
  pdq: [64, 64],
  md5: [32, 32],
  sha1: [40, 40],
  sha256: [64, 64],
  photodna: [288, 288],
  video_md5: [32, 32],
  tmk: [64, 4_096],
  vpdq: [64, 4_096],
}

/** Bits set in a PDQ hash of a real image; plain surfaces lie outside, and would match each other. */
const PDQ_BITS: readonly [number, number] = [64, 192]

/** Digests of nothing: what a broken pipeline shares for every file. */
const EMPTY: ReadonlySet<string> = new Set([
  'd41d8cd98f00b204e9800998ecf8427e',
  'da39a3ee5e6b4b0d3255bfef95601890afd80709',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
])

/** Whether a media hash has the form of its algorithm and could be that of a real file. */
export function checkMediaHash(algorithm: Algorithm, hex: string): Checked {
  const [least, most] = DIGITS[algorithm]
  if (hex.length < least || hex.length > most || hex.length % 2 !== 0) {
    return refused(
      least === most ? `${algorithm} has ${least} hex digits` : `${algorithm} has ${least} to ${most} hex digits`,
    )
  }
  if (EMPTY.has(hex)) return refused('the digest of an empty file')
  if (/^(.)\1*$/.test(hex)) return refused('one digit repeated')
  if (algorithm !== 'pdq') return { outcome: 'ok' }
  const bits = bitsOf(hex)
  return bits < PDQ_BITS[0] || bits > PDQ_BITS[1]
    ? refused('a PDQ hash of a plain surface, of too low a quality')
    : { outcome: 'ok' }
}

const refused = (reason: string): Checked => ({ outcome: 'refused', reason })

function bitsOf(hex: string): number {
  let bits = 0
  for (const digit of hex) for (let n = Number.parseInt(digit, 16); n > 0; n >>= 1) bits += n & 1
  return bits
}
