import type { Uuid } from '../kernel/ids.ts'
import { type Answers, type AnswersOptions, createAnswers } from './answers.ts'
import { createQuestions, type Questions, type QuestionsOptions } from './questions.ts'
import { createOpinionsOf, createSidesOf } from './said.ts'
import type { Opinions } from './schema.ts'
import { createSent, type Sent, type SentOptions } from './sent.ts'
import { createSignedActs, type SignedActs, type SignedActsOptions } from './signed-acts.ts'
import { createTelling, type Telling } from './tell.ts'

export type { Speaker } from './tell.ts'

export type FeedbackServiceOptions = SignedActsOptions & AnswersOptions & QuestionsOptions & SentOptions

/** What recipients say of the signals of others, what the sources answer, and what became of what they sent. */
export interface FeedbackService extends SignedActs, Telling, Answers, Questions, Sent {
  /** What recipients say of a signal, as counts; for its source and for whoever it is shared with. */
  opinions(participant: Uuid, of: { source: string; signal: Uuid }): Promise<Opinions>
  /** The same of many at once, summed up: who said yes, who said no, who asked. */
  sides: ReturnType<typeof createSidesOf>
}

export const createFeedbackService = (options: FeedbackServiceOptions): FeedbackService => ({
  ...createSignedActs(options),
  ...createTelling(options),
  ...createAnswers(options),
  ...createQuestions(options),
  ...createSent(options),
  opinions: createOpinionsOf(options),
  sides: createSidesOf(options),
})
