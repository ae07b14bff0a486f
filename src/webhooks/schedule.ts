import { ROTATION_HOURS } from './schema.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** How long each attempt after the first waits for the one before: together a day and a little. */
export const RETRY_DELAYS_MS = [
  ...[5_000, MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS],
  ...[2 * HOUR_MS, 5 * HOUR_MS, 8 * HOUR_MS, 9 * HOUR_MS],
] as const

export const ATTEMPTS_MAX = RETRY_DELAYS_MS.length + 1
/** Of an attempt, from the name of the host to the status. */
export const ATTEMPT_MS = 10_000

/** When to try again after so many attempts; undefined once it is given up. Up to a tenth later, so that many do not come at once. */
export function nextAttempt(attempts: number, now: Date, spread: number): Date | undefined {
  const delay = RETRY_DELAYS_MS[attempts - 1]
  return delay === undefined ? undefined : new Date(now.getTime() + delay + Math.floor((delay * spread) / 10))
}

/** The numbers of the secrets that a message is signed by: while a rotation is young, the former one too. */
export function secretsAt(
  { secret_no, rotated_at }: { secret_no: number; rotated_at: Date | null },
  now: Date,
): number[] {
  const young = rotated_at !== null && now.getTime() - rotated_at.getTime() < ROTATION_HOURS * HOUR_MS
  return young && secret_no > 1 ? [secret_no, secret_no - 1] : [secret_no]
}

/** Why an attempt failed, as it is kept and shown: a word, never anything that was answered. */
export const FAULTS = {
  refused: 'answered with another status than 2xx',
  redirected: 'answered with a redirect, which is not followed',
  gone: 'answered 410: it wants no more',
  timeout: 'did not answer in time',
  unreachable: 'could not be reached',
  untrusted: 'showed a certificate that is not trusted',
  'not-active': 'is suspended, or has left',
  'not-enrolled': "its host is no longer on the operator's list",
  inside: 'its name leads to an address that is not called',
} as const
export type Fault = keyof typeof FAULTS

/** What a status means: nothing where it was taken. */
export function faultOf(status: number): Fault | undefined {
  if (status >= 200 && status < 300) return undefined
  if (status >= 300 && status < 400) return 'redirected'
  return status === 410 ? 'gone' : 'refused'
}
