import { randomBytes } from 'node:crypto'
import { equal } from '../kernel/bytes.ts'
import { sha512 } from '../kernel/sha512.ts'
import { type Blinded, createVoprf, type Evaluated } from '../matching/oprf.ts'
import { nobleGroup } from './noble-group.ts'

const voprf = createVoprf({ group: nobleGroup, hash: sha512, random: () => randomBytes(64) })

/** A token is the first half of the output. */
const TOKEN_BYTES = 32

/** The public key of an epoch, and of each part that it is the sum of. */
export interface EpochKey {
  public_key: Uint8Array
  parts: readonly Uint8Array[]
}

/** One batch as it came back, with one answer for each part of the key. */
export interface Answered {
  inputs: readonly Uint8Array[]
  blinded: readonly Blinded[]
  key: EpochKey
  answers: readonly Evaluated[]
}

export type Job = { job: 'blind'; inputs: readonly Uint8Array[] } | ({ job: 'finalize' } & Answered)

/** Of a batch that does not verify: the part of the key whose proof fails, from 1; 0 if the parts make another key. */
export type Outcome =
  | { outcome: 'blinded'; blinded: Blinded[] }
  | { outcome: 'tokens'; tokens: Uint8Array[] }
  | { outcome: 'unverified'; part: number }

export const workOn = (job: Job): Outcome =>
  job.job === 'blind' ? { outcome: 'blinded', blinded: job.inputs.map((input) => voprf.blind(input)) } : tokensOf(job)

function tokensOf({ inputs, blinded, key, answers }: Answered): Outcome {
  if (!isSum(key)) return { outcome: 'unverified', part: 0 }
  const sent = blinded.map(({ element }) => element)
  const bad = key.parts.findIndex((part, i) => {
    const answer = answers[i]
    return answer === undefined || !voprf.verify(part, sent, answer)
  })
  if (bad >= 0) return { outcome: 'unverified', part: bad + 1 }
  const evaluated = answers.map(({ elements }) => elements).reduce(voprf.addShares)
  const tokens = inputs.map((input, i) => {
    const [own, element] = [blinded[i], evaluated[i]]
    if (own === undefined || element === undefined) throw new RangeError('a batch with parts of different length')
    return voprf.finalize(input, own.blind, element).subarray(0, TOKEN_BYTES)
  })
  return { outcome: 'tokens', tokens }
}

/** Whether the parts are elements of which the key is the sum. */
export function isSum({ public_key, parts }: EpochKey): boolean {
  if (parts.length === 0 || ![public_key, ...parts].every(nobleGroup.isElement)) return false
  return equal(parts.reduce(nobleGroup.add), public_key)
}
