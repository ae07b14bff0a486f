import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { newId, timeAfter, type Uuid } from '../kernel/ids.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import type { Holds } from '../signals/hold.ts'
import { checkWords } from './judge.ts'
import * as store from './question-store.ts'
import { type ActAuthority, OUTCOME, type QuestionAnswer } from './schema.ts'
import type { Speaker } from './tell.ts'

export interface QuestionsOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  holds: Holds
  directory: {
    slugOf(participant: Uuid): string
    participantBySlug(slug: string): { participant_id: Uuid } | undefined
  }
}

/** A person of the source, in the console: nobody signs. */
type By = Pick<Speaker, 'participant' | 'slug'> & { person: Uuid }

export interface Questions {
  /** To a recipient that needs information on one's own signal, once; its case goes on. Answers the event. */
  answerQuestion(by: By, of: { signal: Uuid; asker: string }, answer: QuestionAnswer): Promise<Uuid>
}

export function createQuestions(options: QuestionsOptions): Questions {
  const { db, provenance } = options
  return {
    answerQuestion: async (by, of, answer) => {
      checkWords({ note: answer.note })
      provenance.admit()
      const event = await asParticipant(db, by.participant, (tx) => answerIn(options, tx, { by, of, answer }))
      provenance.wake()
      return event
    },
  }
}

async function answerIn(
  { clock, provenance, holds, directory }: QuestionsOptions,
  tx: Tx<'participant'>,
  { by, of, answer }: { by: By; of: { signal: Uuid; asker: string }; answer: QuestionAnswer },
): Promise<Uuid> {
  const { signal } = of
  const asker = directory.participantBySlug(of.asker)?.participant_id
  const standing = await holds.standing(tx, { ...by, signal })
  if (asker === undefined || standing === undefined) throw new Refusal('not-found')
  if (standing.ended) throw new Refusal('signal-ended')
  const opinion = await store.opinionOf(tx, by.participant, { signal_id: signal, giver: asker })
  if (opinion?.outcome !== OUTCOME.needs_information)
    throw new Refusal('state-conflict', { detail: 'it asks nothing of this signal now' })
  const known = await store.lastAnswer(tx, by.participant, { signal_id: signal, asker })
  if (known !== undefined && known.at >= opinion.at)
    throw new Refusal('state-conflict', { detail: 'the question was answered already' })
  // By whatever clock it was asked: an answer is later.
  const now = timeAfter([newId(opinion.at)], clock())
  const event = newId(now)
  const { revision } = standing
  const authority: ActAuthority = 'reviewed_here'
  await provenance.record(tx, {
    ...{ kind: 'question.answered', event_id: event, participant_id: by.participant, at: now, actor: by.slug },
    ...{ subject: directory.slugOf(asker), fields: { signal, revision, authority, person: by.person } },
  })
  await store.insertQuestionAnswer(tx, {
    ...{ participant_id: by.participant, answer_id: event, asker, signal_id: signal, revision },
    ...{ told: JSON.stringify({ note: answer.note, authority }), at: now },
  })
  return event
}
