import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import type { Holds } from '../signals/hold.ts'
import * as disputeStore from './dispute-store.ts'
import { isHeldByAnswer } from './hold-rule.ts'
import { checkWords } from './judge.ts'
import {
  type ActAuthority,
  DISPUTES_MAX,
  type DisputeAnswer,
  type DisputeAnswered,
  type DisputeList,
  type DisputesQuery,
  type Released,
} from './schema.ts'
import type { Speaker } from './tell.ts'

export interface AnswersOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  holds: Holds
  directory: { slugOf(participant: Uuid): string }
}

/** Whose source answers; `person`: who decided it in the console, where nobody signs. */
type By = Pick<Speaker, 'participant' | 'slug'> & { person?: Uuid }

export interface Answers {
  /** The source's answer; a serious ground that it confirms holds the signal at once. */
  answer(by: By, dispute: Uuid, answer: DisputeAnswer): Promise<DisputeAnswered>
  disputes(participant: Uuid, query: DisputesQuery): Promise<DisputeList>
  /** A source lets its held signal go, once it has answered every dispute of it. */
  release(by: By, signal: Uuid): Promise<Released>
}

const FIRST = '00000000-0000-0000-0000-000000000000' as Uuid

export function createAnswers(options: AnswersOptions): Answers {
  const { db, clock, provenance, holds } = options
  return {
    answer: async (by, dispute, answer) => {
      checkWords({ note: answer.note })
      provenance.admit()
      const answered = await asParticipant(db, by.participant, (tx) => answerIn(options, tx, { by, dispute, answer }))
      provenance.wake()
      return answered
    },
    disputes: (participant, query) => listDisputes(options, participant, query),
    release: async (by, signal) => {
      provenance.admit()
      const at = await asParticipant(db, by.participant, async (tx) => {
        if ((await disputeStore.openDisputes(tx, by.participant, signal)) > 0)
          throw new Refusal('signal-held', { detail: 'answer its disputes first: GET /v1/disputes?side=received' })
        return holds.release(tx, { ...by, signal, now: clock() })
      })
      provenance.wake()
      return { signal, released_at: `${at.toISOString().slice(0, 19)}Z` }
    },
  }
}

async function answerIn(
  options: AnswersOptions,
  tx: Tx<'participant'>,
  { by, dispute, answer }: { by: By; dispute: Uuid; answer: DisputeAnswer },
): Promise<DisputeAnswered> {
  const { clock, provenance, directory, holds } = options
  const row = await disputeStore.received(tx, by.participant, dispute)
  if (row === undefined) throw new Refusal('not-found')
  const { opener, signal_id: signal, revision, ground } = row
  // Locks the signal, so that of two answers the second finds the first.
  const standing = await holds.standing(tx, { ...by, signal })
  const known = await disputeStore.answerOf(tx, by.participant, dispute)
  const { result, note } = answer
  if (known !== undefined && known.result !== result)
    throw new Refusal('state-conflict', { detail: `the dispute was answered as ${known.result}` })
  const isHeld = isHeldByAnswer(ground, result)
  if (known !== undefined) return { dispute, result, held: isHeld }
  const now = clock()
  const event = newId(now)
  const authority = by.person === undefined ? undefined : ('reviewed_here' satisfies ActAuthority)
  const attested = { authority, person: by.person }
  await provenance.record(tx, {
    ...{ kind: 'dispute.closed', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    ...{ subject: directory.slugOf(opener), fields: { dispute, signal, revision, ground, result, ...attested } },
  })
  await disputeStore.insertAnswer(tx, {
    ...{ participant_id: by.participant, dispute_id: dispute, opener, signal_id: signal, revision, result },
    ...{ note: note ?? null, told: JSON.stringify({ dispute, result, note, authority }), at: now, last_event: event },
  })
  if (isHeld && standing?.live === true) await holds.hold(tx, { ...by, signal, dispute, now })
  return { dispute, result, held: isHeld }
}

function listDisputes(
  { db, clock, directory }: AnswersOptions,
  participant: Uuid,
  { side, after = FIRST }: DisputesQuery,
): Promise<DisputeList> {
  return asParticipant(db, participant, async (tx) => {
    const list = side === 'opened' ? disputeStore.disputesOpened : disputeStore.disputesReceived
    const rows = await list(tx, participant, { after, limit: DISPUTES_MAX })
    const now = clock()
    const disputes = rows.map((row) => ({
      ...{ dispute: row.dispute_id, source: directory.slugOf(row.origin), opener: directory.slugOf(row.opener) },
      ...{ signal: row.signal_id, revision: row.revision, ground: row.ground },
      ...{ opened_at: row.opened_at.toISOString(), due_at: row.due_at.toISOString() },
      overdue: row.result === null && row.due_at <= now,
      ...(row.result !== null && { result: row.result }),
    }))
    return { disputes, next: rows.length < DISPUTES_MAX ? null : (rows.at(-1)?.dispute_id ?? null) }
  })
}
