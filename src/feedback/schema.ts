import { type Static, Type } from 'typebox'
import { InstantSchema, SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { Jws, SubmittedItem } from '../signals/schema.ts'

const closed = { additionalProperties: false } as const

/** What becomes of a signal at a recipient. Numbers are stored, names travel; neither is ever reused. */
export const OUTCOME = {
  confirmed_action_taken: 1,
  confirmed_no_presence: 2,
  seen_here: 3,
  not_violating: 4,
  disagree_category: 5,
  outdated: 6,
  needs_information: 7,
  ingested: 8,
  already_known: 9,
  in_review: 10,
} as const
export type Outcome = keyof typeof OUTCOME

/** Those that a review ends with. */
export const VERDICTS = [
  'confirmed_action_taken',
  'confirmed_no_presence',
  'seen_here',
  'not_violating',
  'disagree_category',
  'outdated',
  'needs_information',
] as const
export type ReviewVerdict = (typeof VERDICTS)[number]

/** The reasons of each verdict; `other` is one of all, and needs a note. */
export const REASONS: Readonly<Record<ReviewVerdict, readonly string[]>> = {
  confirmed_action_taken: ['own_policy', 'law'],
  confirmed_no_presence: ['no_account', 'already_gone', 'not_reachable'],
  seen_here: ['investigating'],
  not_violating: ['policy_differs', 'shared_host', 'false_match', 'wrong_identifier', 'appeal_upheld'],
  disagree_category: ['category', 'severity'],
  outdated: ['inactive', 'identifier_reassigned'],
  needs_information: ['context', 'basis', 'time_range'],
}
export const OTHER_REASON = 'other'

/** Grounds of a dispute; a serious one that the source confirms holds the signal at once. */
export const GROUNDS: Readonly<Record<string, { serious: boolean }>> = {
  false_match: { serious: false },
  wrong_identifier: { serious: true },
  appeal_upheld: { serious: true },
  unlawful: { serious: true },
}

/** How a source answers: it was wrong, it stands by it, or it mends what it said. */
export const DISPUTE_RESULTS = ['confirmed', 'rejected', 'amended'] as const
export type DisputeResult = (typeof DISPUTE_RESULTS)[number]

/** On whose word: a participant's key signed it, its own tool attested it, or a person decided it in the console. */
export const AUTHORITY = { origin_jws: 1, attested: 2, reviewed_here: 3 } as const
export type ActAuthority = keyof typeof AUTHORITY

/** Days in which a source has to answer a dispute. */
export const DISPUTE_HOURS = 72

/** Disagreements of independent organisations that hold a signal for all. */
export const HOLD_AT = 3

export const NOTE_MAX = 500
export const NoteSchema = Type.String({
  minLength: 1,
  maxLength: NOTE_MAX,
  pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]+$',
})
export const ReasonSchema = Type.String({ pattern: '^[a-z][a-z0-9_]{1,62}$' })
export const KeySchema = Type.String({ pattern: '^[0-9a-f]{64}$' })
export const CategorySlug = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })
const Count = Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 }))

/** What was done, counted; one that is absent was not reported, and 0 is none. */
export const OutcomeCounts = Type.Object(
  {
    accounts_actioned: Count,
    content_removed: Count,
    urls_blocked: Count,
    reports_filed: Count,
    investigations_opened: Count,
  },
  closed,
)
export type OutcomeCounts = Static<typeof OutcomeCounts>

const about = {
  v: Type.Literal(1),
  /** Whose signal. */
  source: SlugSchema,
  signal: UuidSchema,
  revision: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  /** The signal's match key: whoever received it knows it. */
  key: KeySchema,
}

/** What a participant signs of another's signal (`aldis-feedback+jws`). */
export const FeedbackItem = Type.Object(
  {
    ...about,
    outcome: Type.Enum(Object.keys(OUTCOME) as Outcome[]),
    reason: Type.Optional(ReasonSchema),
    note: Type.Optional(NoteSchema),
    category_suggested: Type.Optional(CategorySlug),
    counts: Type.Optional(OutcomeCounts),
  },
  closed,
)
export type FeedbackItem = Static<typeof FeedbackItem>

/** A claim that a signal is wrong (`aldis-dispute+jws`). */
export const DisputeItem = Type.Object(
  {
    ...about,
    /** Chosen by whoever disputes. */
    dispute: UuidSchema,
    ground: Type.Enum(Object.keys(GROUNDS)),
    note: Type.Optional(NoteSchema),
  },
  closed,
)
export type DisputeItem = Static<typeof DisputeItem>

/** One item under one signature: what is said of one signal concerns its source alone. */
export const SignedAct = Type.Object(
  { jws: Jws, items: Type.Array(SubmittedItem, { minItems: 1, maxItems: 1 }) },
  closed,
)
export type SignedAct = Static<typeof SignedAct>

export const ActResult = Type.Object(
  {
    /** The act, which is also the event of the log. */
    event: UuidSchema,
    countersignature: Type.Object({ protected: Type.String(), signature: Type.String() }, closed),
    receipt: Type.String(),
  },
  closed,
)
export type ActResult = Static<typeof ActResult>

export const DisputeParams = Type.Object({ dispute: UuidSchema }, closed)
/** What the source says to a recipient that needs information. */
export const QuestionAnswer = Type.Object({ note: NoteSchema }, closed)
export type QuestionAnswer = Static<typeof QuestionAnswer>

export const DisputeAnswer = Type.Object(
  { result: Type.Enum([...DISPUTE_RESULTS]), note: Type.Optional(NoteSchema) },
  closed,
)
export type DisputeAnswer = Static<typeof DisputeAnswer>
export const DisputeAnswered = Type.Object(
  { dispute: UuidSchema, result: Type.Enum([...DISPUTE_RESULTS]), held: Type.Boolean() },
  closed,
)
export type DisputeAnswered = Static<typeof DisputeAnswered>

export const DISPUTES_MAX = 100
export const DisputesQuery = Type.Object(
  { side: Type.Enum(['opened', 'received']), after: Type.Optional(UuidSchema) },
  closed,
)
export type DisputesQuery = Static<typeof DisputesQuery>
/** What was written with it stands in the inbox, whose pages are recorded. */
const DisputeInfo = Type.Object(
  {
    dispute: UuidSchema,
    /** Whose signal it is, and who disputes it. */
    source: SlugSchema,
    opener: SlugSchema,
    signal: UuidSchema,
    revision: Type.Integer(),
    ground: Type.String(),
    opened_at: Type.String(),
    due_at: Type.String(),
    overdue: Type.Boolean(),
    result: Type.Optional(Type.String()),
  },
  closed,
)
export const DisputeList = Type.Object(
  { disputes: Type.Array(DisputeInfo), next: Type.Union([UuidSchema, Type.Null()]) },
  closed,
)
export type DisputeList = Static<typeof DisputeList>

/** How many, by name. */
export const Tally = Type.Unsafe<Record<string, number>>({ type: 'object', additionalProperties: { type: 'integer' } })

export const OpinionsQuery = Type.Object({ source: SlugSchema }, closed)
export const OpinionParams = Type.Object({ signal: UuidSchema }, closed)
/** What recipients say of a signal together, by outcome; never who. */
export const Opinions = Type.Object(
  {
    source: SlugSchema,
    signal: UuidSchema,
    standing: Type.Enum(['seed', 'confirmed', 'negative', 'disputed']),
    outcomes: Tally,
    answered: Type.Integer(),
    open_disputes: Type.Integer(),
    /** Recipients that saw it again after they had acted. */
    seen_again: Type.Integer(),
  },
  closed,
)
export type Opinions = Static<typeof Opinions>

export const Released = Type.Object({ signal: UuidSchema, released_at: InstantSchema }, closed)
export type Released = Static<typeof Released>
