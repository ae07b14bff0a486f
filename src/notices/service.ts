import type { Sent } from '../feedback/sent.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { CaseNotices } from '../review/notices.ts'
import { type Ending, noticesOf } from './gather.ts'
import type { Notice } from './schema.ts'

export interface NoticesOptions {
  clock: Clock
  review: CaseNotices
  feedback: Pick<Sent, 'attention'>
  /** The keys of an organisation that are in force. */
  credentialsOf(participant: Uuid): readonly Ending[]
}

export interface Notices {
  /** What waits for an organisation or happened to it, the newest first; made of the rows as they stand, so that what is done is gone. */
  of(participant: Uuid): Promise<Notice[]>
}

export const createNotices = ({ clock, review, feedback, credentialsOf }: NoticesOptions): Notices => ({
  of: async (participant) =>
    noticesOf(
      {
        cases: await review.notices(participant),
        at_risk: await review.atRisk(participant),
        attention: await feedback.attention(participant),
        credentials: credentialsOf(participant),
      },
      clock(),
    ),
})
