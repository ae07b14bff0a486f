import { asParticipant } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { timeOf, type Uuid } from '../kernel/ids.ts'
import * as store from './notice-store.ts'
import { countQueue } from './queue.ts'
import type { CaseNotice, QueueAtRisk } from './schema.ts'

/** Of one kind; and how far back. */
const CASE_NOTICES_MAX = 100
const LISTED_MS = 30 * 86_400_000
const HOUR_MS = 3_600_000

export interface CaseNotices {
  /** What an organisation's cases have to tell its people: of each kind the newest, at most `CASE_NOTICES_MAX`. */
  notices(participant: Uuid): Promise<CaseNotice[]>
  /** Undefined where nothing is late, nor soon. */
  atRisk(participant: Uuid): Promise<QueueAtRisk | undefined>
}

interface CaseNoticesOptions {
  db: Db
  clock: Clock
  /** Of each statement. */
  timeoutMs: number
}

export function createCaseNotices({ db, clock, timeoutMs }: CaseNoticesOptions): CaseNotices {
  return {
    notices: (participant) =>
      asParticipant(
        db,
        participant,
        async (tx) => {
          const limit = CASE_NOTICES_MAX
          const since = new Date(clock().getTime() - LISTED_MS)
          return [
            ...(await store.handedOver(tx, participant, limit)).map(handedOver),
            ...(await store.takenSince(tx, participant, { since, limit })).map(takenOver),
            ...(await store.proposalsWaiting(tx, participant, limit)).map(waiting),
            ...(await store.proposalsAnswered(tx, participant, { since, limit })).map(answered),
          ]
        },
        { timeoutMs },
      ),
    atRisk: (participant) =>
      asParticipant(
        db,
        participant,
        async (tx) => {
          const now = clock()
          const { overdue, at_risk } = await countQueue(tx, participant, { who: '', now })
          if (overdue + at_risk === 0) return undefined
          return { overdue, at_risk, at: new Date(now.getTime() - (now.getTime() % HOUR_MS)) }
        },
        { timeoutMs },
      ),
  }
}

type Rows<F extends (...args: never[]) => Promise<unknown[]>> = Awaited<ReturnType<F>>[number]

/** Each hand-over is told of, also a second one to the same person; its event moves with nothing else. */
const handedOver = ({ case_id, assigned_to, ...row }: Rows<typeof store.handedOver>): CaseNotice => ({
  ...{ kind: 'case.handed_over', id: row.handed_event ?? `${case_id}/${assigned_to}`, case: case_id },
  ...{ at: new Date(timeOf(row.handed_event ?? row.last_event)), due: row.due_at },
  ...(assigned_to !== null && { for: assigned_to }),
})

const takenOver = (row: Rows<typeof store.takenSince>): CaseNotice => ({
  ...{ kind: 'case.taken_over', id: row.event_id, case: row.case_id, at: row.at },
  ...{ for: row.taken_from, by: row.taken_by },
})

const waiting = (row: Rows<typeof store.proposalsWaiting>): CaseNotice => ({
  ...{ kind: 'proposal.waiting', id: row.decision_id, case: row.case_id, at: row.decided_at },
  ...{ not: row.decided_by, by: row.decided_by },
  ...(row.held_until !== null && { due: row.held_until }),
})

function answered(row: Rows<typeof store.proposalsAnswered>): CaseNotice {
  const { decision_id, case_id, decided_by, approved_by, refused_by, release_at, ended_at } = row
  const by = approved_by ?? refused_by
  return {
    ...{ kind: approved_by === null ? 'proposal.denied' : 'proposal.approved', id: decision_id, case: case_id },
    ...{ for: decided_by, at: (approved_by === null ? ended_at : release_at) ?? new Date(timeOf(decision_id)) },
    ...(by !== null && { by }),
  }
}
