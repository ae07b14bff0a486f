import { AldisError, VerificationFailed } from '../client/errors.ts'
import { isAway } from './node-link.ts'

/** What waits for the node. */
export type EntryKind = 'submission' | 'feedback' | 'hits'

/** What becomes of an entry that the node did not take. */
export type Verdict =
  /** It waits, and what is behind it: the node is away, or does not let this participant in now. */
  | { verdict: 'again'; code: string }
  /** It is kept with what the node said, and the next one is sent. */
  | { verdict: 'refused'; problem: Problem }

/** As the node told it, without its words: they may repeat what was sent. */
export interface Problem {
  code: string
  status: number
  errors: { pointer: string; code: string }[]
}

/** Refusals of the participant, not of what it sends: they end when its operator or the programme has acted. */
const OF_US: ReadonlySet<string> = new Set(['credential-not-enrolled', 'participant-suspended', 'signing-key-unknown'])

/** Undefined for a failure that is neither the node's nor the connection's. */
export function verdictOn(error: unknown): Verdict | undefined {
  if (isAway(error)) return { verdict: 'again', code: error instanceof AldisError ? error.code : 'node-needed' }
  if (error instanceof VerificationFailed)
    return { verdict: 'refused', problem: { code: 'answer-unverified', status: 502, errors: [] } }
  if (!(error instanceof AldisError)) return undefined
  const { code, status, errors } = error
  if (OF_US.has(code)) return { verdict: 'again', code }
  const named = errors.map((one) => ({ pointer: one.pointer, code: one.code }))
  return { verdict: 'refused', problem: { code, status, errors: named } }
}
