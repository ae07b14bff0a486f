import type { Outcome } from '../../feedback/schema.ts'
import { entryOf } from '../../kernel/entry-of.ts'
import type { FEEDBACK_VALUE, HashRecord } from './schema.ts'

type Value = (typeof FEEDBACK_VALUE)[number]

/** By the types under which values are kept for ThreatExchange's clients; others are withheld. */
export const SIGNAL_TYPE_OF: Readonly<Record<string, HashRecord['signalType']>> = {
  ...{ HASH_PDQ: 'ImagePDQ', HASH_VIDEO_MD5: 'VideoMD5', HASH_TMK: 'VideoTMK' },
}

const ALGORITHM: Readonly<Record<string, string>> = { ImagePDQ: 'pdq', VideoMD5: 'video_md5', VideoTMK: 'tmk' }

/** The client writes the name of its class before the value. */
export const algorithmOf = (signalType: string): string | undefined =>
  entryOf(ALGORITHM, signalType.replace(/^StopNCIISignalType\./, ''))

export const VALUE_OF: Readonly<Partial<Record<Outcome, Value>>> = {
  ...{ confirmed_action_taken: 'Blocked', not_violating: 'NotBlocked', in_review: 'PendingReview', seen_here: 'None' },
}

const SAID_BY: Readonly<Record<string, { outcome: Outcome; reason?: string }>> = {
  ...{
    Blocked: { outcome: 'seen_here', reason: 'investigating' },
    None: { outcome: 'seen_here', reason: 'investigating' },
  },
  ...{ NotBlocked: { outcome: 'not_violating', reason: 'policy_differs' }, PendingReview: { outcome: 'in_review' } },
}

/** What is said by a value. Only a case ends with an action: a block says here that it was seen. */
export const saidBy = (feedbackValue: string): { outcome: Outcome; reason?: string } | undefined =>
  entryOf(SAID_BY, feedbackValue)
