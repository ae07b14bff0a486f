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

/** Whether a media hash has the form of its algorithm; what stands for no real file is on a suppression list. */
export function checkMediaHash(algorithm: Algorithm, hex: string): Checked {
  const [least, most] = DIGITS[algorithm]
  if (hex.length < least || hex.length > most || hex.length % 2 !== 0) {
    return refused(
      least === most ? `${algorithm} has ${least} hex digits` : `${algorithm} has ${least} to ${most} hex digits`,
    )
  }
  return { outcome: 'ok' }
}

const refused = (reason: string): Checked => ({ outcome: 'refused', reason })
