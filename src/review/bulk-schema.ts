import { type Static, Type } from 'typebox'
import { NoteSchema, ReasonSchema, Tally, VERDICTS } from '../feedback/schema.ts'
import { UuidSchema } from '../kernel/schema.ts'
import { CasesQuery, Operator } from './schema.ts'

const closed = { additionalProperties: false } as const

/** Cases of one job, and how many of them one person may decide without a lead. */
export const BULK_MAX = 1_000
export const BULK_ALONE = 25
/** Jobs of one page. */
export const BULK_JOBS_MAX = 50
/** Hours in which a lead answers. */
export const BULK_HOURS = 24

/** Numbers are stored, names travel; neither is ever reused. */
export const BULK_STATE = {
  proposed: 1,
  running: 2,
  done: 3,
  undoing: 4,
  undone: 5,
  refused: 6,
  cancelled: 7,
} as const
export type BulkState = keyof typeof BULK_STATE

/** What became of one case: decided or proposed, or why it was left as it was. */
export const BULK_RESULT = {
  decided: 1,
  /** A second person has to approve it, whatever the size of the whole. */
  proposed: 2,
  claimed: 3,
  own: 4,
  already_decided: 5,
  parked: 6,
  signal_ended: 7,
  moved: 8,
  not_there: 9,
  cancelled: 10,
} as const
export type BulkResult = keyof typeof BULK_RESULT

const Version = Type.Integer({ minimum: 1, maximum: 999_999_999 })
const Cases = Type.Array(Type.Object({ case: UuidSchema, version: Version }, closed), {
  minItems: 1,
  maxItems: BULK_MAX,
})

const verdict = {
  verdict: Type.Enum([...VERDICTS]),
  reason: ReasonSchema,
}

const { cursor: _, limit: __, state: ___, ...FILTER } = CasesQuery.properties
export const BulkFilter = Type.Object(FILTER, closed)
export type BulkFilter = Static<typeof BulkFilter>

/** Looks first, and changes nothing: named cases, or the first thousand open ones that a filter leaves. */
export const BulkAsked = Type.Object(
  {
    operator: Operator,
    cases: Type.Optional(Type.Array(UuidSchema, { minItems: 1, maxItems: BULK_MAX, uniqueItems: true })),
    filter: Type.Optional(BulkFilter),
    verdict: Type.Optional(verdict.verdict),
  },
  closed,
)
export type BulkAsked = Static<typeof BulkAsked>

export const BulkRequest = Type.Object(
  {
    operator: Operator,
    /** Chosen by whoever asks: a repetition changes nothing. */
    job: UuidSchema,
    ...verdict,
    /** For the own team alone. */
    note_team: Type.Optional(NoteSchema),
    /** The sources read it. */
    note_shared: Type.Optional(NoteSchema),
    /** Each with the version that was seen. */
    cases: Cases,
  },
  closed,
)
export type BulkRequest = Static<typeof BulkRequest>

const Result = Type.Enum(Object.keys(BULK_RESULT) as BulkResult[])
export const BulkPlan = Type.Object(
  {
    /** How many would change, and how many of these a second person would have to approve each. */
    changed: Type.Integer(),
    proposed: Type.Integer(),
    needs_lead: Type.Boolean(),
    /** By result. */
    results: Tally,
    /** Open cases beyond these fit the filter too. */
    more: Type.Boolean(),
    cases: Type.Array(Type.Object({ case: UuidSchema, version: Type.Integer(), result: Result }, closed)),
  },
  closed,
)
export type BulkPlan = Static<typeof BulkPlan>

const StateName = Type.Enum(Object.keys(BULK_STATE) as BulkState[])
export const BulkJob = Type.Object(
  {
    job: UuidSchema,
    state: StateName,
    verdict: verdict.verdict,
    reason: Type.String(),
    note_team: Type.Optional(Type.String()),
    note_shared: Type.Optional(Type.String()),
    n: Type.Integer(),
    /** Of the exact list and decision: what a lead approves. */
    digest: Type.String(),
    authority: Type.Enum(['attested', 'reviewed_here']),
    proposed_by: Type.String(),
    proposed_at: Type.String(),
    needs_lead: Type.Boolean(),
    approved_by: Type.Optional(Type.String()),
    /** Until then a lead may approve. */
    expires_at: Type.Optional(Type.String()),
    /** Why it was not carried out. */
    refusal: Type.Optional(Type.String()),
    /** How many were looked at, and what became of them. */
    looked_at: Type.Integer(),
    results: Tally,
    /** How many are open again, once the whole was undone. */
    undone: Type.Integer(),
    ended_at: Type.Optional(Type.String()),
    /** Until then the whole may be undone, and nothing has left. */
    release_at: Type.Optional(Type.String()),
    /** What the log has of it last. */
    event: UuidSchema,
  },
  closed,
)
export type BulkJob = Static<typeof BulkJob>

export const BulkJobList = Type.Object(
  { jobs: Type.Array(BulkJob), next: Type.Union([UuidSchema, Type.Null()]) },
  closed,
)
export type BulkJobList = Static<typeof BulkJobList>
export const BulkJobsQuery = Type.Object({ after: Type.Optional(UuidSchema) }, closed)
export type BulkJobsQuery = Static<typeof BulkJobsQuery>
export const BulkParams = Type.Object({ job: UuidSchema }, closed)

const BulkItem = Type.Object(
  {
    case: UuidSchema,
    decision: UuidSchema,
    version: Type.Integer(),
    /** Absent until it was looked at. */
    result: Type.Optional(Result),
    at: Type.Optional(Type.String()),
    /** Once the whole was undone: whether this is open again. */
    undone: Type.Optional(Type.Boolean()),
  },
  closed,
)

export const BulkItems = Type.Object({ job: UuidSchema, items: Type.Array(BulkItem) }, closed)
export type BulkItems = Static<typeof BulkItems>

export const BulkAnswer = Type.Object(
  {
    operator: Operator,
    /** Leads alone approve and deny. */
    lead: Type.Optional(Type.Boolean()),
    answer: Type.Enum(['approve', 'deny', 'retract']),
    /** How many cases there are, and the digest of what was looked at: both have to be right to approve. */
    n: Type.Optional(Type.Integer({ minimum: 1, maximum: BULK_MAX })),
    digest: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })),
    reason: Type.Optional(ReasonSchema),
  },
  closed,
)
export type BulkAnswer = Static<typeof BulkAnswer>
