import { Compile } from 'typebox/compile'
import { type CriticalSecond, ReviewPolicy } from '../participants/schema.ts'

const POLICY = Compile(ReviewPolicy)

/** What the programme asks of confirmations at critical; another person, unless it has published otherwise. */
export function criticalSecondOf(published: { body: string } | undefined): CriticalSecond {
  if (published === undefined) return 'required'
  const policy: unknown = JSON.parse(published.body)
  return POLICY.Check(policy) ? policy.critical_second : 'required'
}
