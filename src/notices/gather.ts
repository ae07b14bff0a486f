import type { Attention } from '../feedback/sent-schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import { expiryBand } from '../participants/expiry-band.ts'
import type { CaseNotice, QueueAtRisk } from '../review/schema.ts'
import type { Notice } from './schema.ts'

const DAY_MS = 86_400_000

/** A key of an organisation and when it ends. */
export interface Ending {
  credential: Uuid
  not_after: Date
}

/** What the rows of an organisation say now. */
export interface Standing {
  cases: readonly CaseNotice[]
  at_risk: QueueAtRisk | undefined
  attention: Pick<Attention, 'questions' | 'disputes' | 'held'>
  credentials: readonly Ending[]
}

/** The notices of an organisation, the newest first. */
export function noticesOf({ cases, at_risk, attention, credentials }: Standing, now: Date): Notice[] {
  const { questions, disputes, held } = attention
  return [
    ...cases.map(
      ({ case: id, id: own, kind, ...more }): Notice => ({ kind, id: `${kind}/${own}`, of: { case: id }, ...more }),
    ),
    ...(at_risk === undefined ? [] : [late(at_risk)]),
    ...questions.map(
      ({ signal, giver, at }): Notice => ({
        ...{ kind: 'question.asked', id: `question.asked/${signal}/${giver}/${at.getTime()}` },
        ...{ of: { signal }, at, by: giver },
      }),
    ),
    ...disputes.map(
      ({ dispute, signal, opener, opened_at, due_at }): Notice => ({
        ...{ kind: 'dispute.opened', id: `dispute.opened/${dispute}` },
        ...{ of: { signal, dispute }, at: opened_at, due: due_at, by: opener },
      }),
    ),
    ...held.map(
      ({ signal, at }): Notice => ({
        ...{ kind: 'signal.held', id: `signal.held/${signal}/${at.getTime()}`, of: { signal }, at },
      }),
    ),
    ...credentials.flatMap((one) => ending(one, now)),
  ].sort(newestFirst)
}

const late = ({ overdue, at_risk, at }: QueueAtRisk): Notice => ({
  ...{ kind: 'queue.at_risk', id: `queue.at_risk/${at.getTime()}`, of: {}, at, count: overdue + at_risk },
})

/** Told again on each of the days: the last one that has come. */
function ending({ credential, not_after }: Ending, now: Date): Notice[] {
  const days = expiryBand(not_after, now)
  if (days === 'good' || days === 'ended') return []
  return [
    {
      ...{ kind: 'credential.ends', id: `credential.ends/${credential}/${days}` },
      ...{ of: { credential }, at: new Date(not_after.getTime() - days * DAY_MS), due: not_after },
    },
  ]
}

/** By time, then by id, so that a place in the list is one. */
const newestFirst = (a: Pick<Notice, 'at' | 'id'>, b: Pick<Notice, 'at' | 'id'>): number =>
  b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1)
