import { type Static, Type } from 'typebox'

const open = { additionalProperties: true } as const
const closed = { additionalProperties: false } as const

export const FEEDBACK_VALUE = ['None', 'PendingReview', 'Blocked', 'NotBlocked'] as const
const CASE_STATUS = ['Received', 'Active', 'Withdrawn', 'Deleted'] as const

/** A record to the letter: one member that is missing, null or a fraction stops a client for good. */
export const HashRecord = Type.Object(
  {
    lastModtimestamp: Type.Integer({ minimum: 0 }),
    signalType: Type.Enum(['ImagePDQ', 'VideoMD5', 'VideoTMK']),
    hashValue: Type.String({ minLength: 1 }),
    hashStatus: Type.Enum([...CASE_STATUS]),
    caseNumbers: Type.Record(Type.String(), Type.Enum([...CASE_STATUS])),
    CSPFeedbacks: Type.Array(
      Type.Object(
        {
          source: Type.String({ minLength: 1 }),
          feedbackValue: Type.Enum([...FEEDBACK_VALUE]),
          tags: Type.Array(Type.String()),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type HashRecord = Static<typeof HashRecord>

/** Hashes of one request. */
const HASHES_MAX = 1_000

/** What clients send: members that they add are passed over. */
export const SubmitHashes = Type.Object(
  {
    hashRecords: Type.Array(
      Type.Object(
        { signalType: Type.String({ maxLength: 64 }), hashValue: Type.String({ minLength: 1, maxLength: 4_096 }) },
        open,
      ),
      { minItems: 1, maxItems: HASHES_MAX },
    ),
  },
  open,
)
export type SubmitHashes = Static<typeof SubmitHashes>

export const SubmitFeedback = Type.Object(
  {
    hashFeedbacks: Type.Array(
      Type.Object(
        { feedbackValue: Type.String({ maxLength: 64 }), hashValue: Type.String({ minLength: 1, maxLength: 4_096 }) },
        open,
      ),
      { minItems: 1, maxItems: HASHES_MAX },
    ),
  },
  open,
)
export type SubmitFeedback = Static<typeof SubmitFeedback>
