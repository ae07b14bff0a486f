import type { Outcome } from '../feedback/schema.ts'
import type { SentSignal, SignalState } from '../feedback/sent-schema.ts'
import type { Tone } from './parts/badge.tsx'
import { plain, verdictLabel } from './words.ts'

export const SENT_STATES: Readonly<Record<SignalState, { label: string; tone: Tone }>> = {
  live: { label: 'Live', tone: 'ok' },
  held: { label: 'Held', tone: 'warn' },
  withdrawn: { label: 'Withdrawn', tone: 'neutral' },
  expired: { label: 'Expired', tone: 'neutral' },
  erased: { label: 'Erased', tone: 'neutral' },
}

const OUTCOMES: Partial<Record<Outcome, string>> = {
  ingested: 'Taken in',
  already_known: 'Already known',
  in_review: 'Being reviewed',
}

export const outcomeLabel = (outcome: string): string => OUTCOMES[outcome as Outcome] ?? verdictLabel(outcome)

const GROUND_WORDS: Readonly<Record<string, string>> = {
  false_match: 'False match',
  wrong_identifier: 'Wrong identifier',
  appeal_upheld: 'Appeal upheld',
  unlawful: 'Unlawful',
}

export const groundLabel = (ground: string): string => GROUND_WORDS[ground] ?? plain(ground)

/** What each answer to a dispute means, and what follows from it. */
export const ANSWERS = {
  confirmed: {
    label: 'It is right: we were wrong',
    follows: 'A serious ground holds the signal at once. Withdraw or revise it next.',
  },
  amended: { label: 'We have mended it', follows: 'Revise the signal first, so that recipients have the mended one.' },
  rejected: { label: 'We stand by it', follows: 'The signal stays as it is. Say in the note on what it rests.' },
} as const

export const answerLabel = (result: string): string => ANSWERS[result as keyof typeof ANSWERS]?.label ?? plain(result)

/** On whose word something was said. */
export const AUTHORITY_WORDS: Readonly<Record<string, string>> = {
  origin_jws: 'signed by its own key',
  attested: "attested by its platform's own tool",
  reviewed_here: 'decided by a person in the console',
}

/** How many said that they have it and did not disagree, counted once each. */
export const seenOf = ({ outcomes }: Pick<SentSignal, 'outcomes'>): number =>
  ['seen_here', 'ingested', 'already_known', 'in_review'].reduce((n, name) => n + (outcomes[name] ?? 0), 0)

export const confirmedOf = ({ outcomes }: Pick<SentSignal, 'outcomes'>): number =>
  (outcomes['confirmed_action_taken'] ?? 0) + (outcomes['confirmed_no_presence'] ?? 0)

export const disagreedOf = ({ outcomes }: Pick<SentSignal, 'outcomes'>): number =>
  ['not_violating', 'disagree_category', 'outdated'].reduce((n, name) => n + (outcomes[name] ?? 0), 0)
