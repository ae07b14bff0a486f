import { Refusal } from '../kernel/errors.ts'
import type { Judged } from './apply.ts'
import { judgeAll } from './judge.ts'
import type { Submission } from './schema.ts'
import type { SignalServiceOptions, Submitter } from './service.ts'
import { type VerifiedSubmission, verifySubmission } from './submission.ts'

type Checking = Pick<SignalServiceOptions, 'rules' | 'categoryId' | 'verifyContext'>

/** What a submission is held to before the database is asked, tried or in earnest. Throws the Refusal of the whole submission. */
export function checked(
  { rules, categoryId, verifyContext }: Checking,
  by: Submitter,
  { submission, now }: { submission: Submission; now: Date },
): { verified: VerifiedSubmission; judged: Judged[] } {
  const verified = verifySubmission(submission, verifyContext(by))
  const { typ } = verified.header
  if (typ === 'aldis-withdrawal+jws' && !by.scopes.includes('signals:withdraw'))
    throw new Refusal('scope-missing', { detail: 'a withdrawal asks for signals:withdraw' })
  const judged = judgeAll(typ, submission.items, { participant: by.participant, now, rules, categoryId })
  return { verified, judged }
}
