import { type Static, Type } from 'typebox'
import {
  CategorySlug,
  KeySchema,
  NoteSchema,
  OutcomeCounts,
  ReasonSchema,
  Tally,
  VERDICTS,
} from '../feedback/schema.ts'
import { InstantSchema, SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { SIGNAL_TYPE } from '../signals/schema.ts'

const closed = { additionalProperties: false } as const

/** Hits of one report, cases of one page. */
export const HITS_MAX = 1_000
export const CASES_MAX = 100

/** How an organisation's own tool calls its people: a pseudonym, never a name or an address. */
const Operator = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })

/** What a platform's own matcher found of a signal since the beginning. */
const Hit = Type.Object(
  {
    source: SlugSchema,
    signal: UuidSchema,
    /** The signal's match key. */
    key: KeySchema,
    /** All of them so far: a repeated report changes nothing. */
    count: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
    last_at: InstantSchema,
    /** By which the platform finds them again. */
    own_ref: Type.Optional(Operator),
  },
  closed,
)
export const HitReport = Type.Object({ hits: Type.Array(Hit, { minItems: 1, maxItems: HITS_MAX }) }, closed)
export type HitReport = Static<typeof HitReport>
export const HitResult = Type.Object(
  {
    results: Type.Array(
      Type.Object(
        {
          index: Type.Integer(),
          status: Type.Integer(),
          case: Type.Optional(UuidSchema),
          code: Type.Optional(Type.String()),
        },
        closed,
      ),
    ),
    /** Null where nothing changed. */
    event: Type.Union([UuidSchema, Type.Null()]),
  },
  closed,
)
export type HitResult = Static<typeof HitResult>

export const CaseParams = Type.Object({ case: UuidSchema }, closed)
export const DecisionParams = Type.Object({ case: UuidSchema, decision: UuidSchema }, closed)

const StateName = Type.Enum(['open', 'held', 'awaiting_second', 'decided', 'closed', 'void'])
export const CasesQuery = Type.Object(
  {
    state: Type.Optional(StateName),
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: CASES_MAX })),
  },
  closed,
)
export type CasesQuery = Static<typeof CasesQuery>

const LeaseInfo = Type.Object({ holder: Type.String(), expires_at: Type.String() }, closed)

const DecisionInfo = Type.Object(
  {
    decision: UuidSchema,
    seq: Type.Integer(),
    verdict: Type.Enum([...VERDICTS]),
    reason: Type.String(),
    note_team: Type.Optional(Type.String()),
    note_shared: Type.Optional(Type.String()),
    category_suggested: Type.Optional(Type.String()),
    counts: OutcomeCounts,
    authority: Type.Enum(['attested', 'reviewed_here']),
    decided_by: Type.String(),
    decided_at: Type.String(),
    approved_by: Type.Optional(Type.String()),
    /** `proposed`: a second person has to approve; `grace`: it may be undone until `release_at`. */
    standing: Type.Enum(['proposed', 'grace', 'released', 'ended']),
    release_at: Type.Optional(Type.String()),
  },
  closed,
)
export type DecisionInfo = Static<typeof DecisionInfo>

export const CaseInfo = Type.Object(
  {
    case: UuidSchema,
    source: SlugSchema,
    signal: UuidSchema,
    revision: Type.Integer(),
    type: Type.Enum(Object.keys(SIGNAL_TYPE)),
    category: Type.String(),
    severity: Type.Enum(['low', 'medium', 'high', 'critical']),
    confidence: Type.Integer(),
    state: StateName,
    /** What a change names, so that it is refused once somebody else has moved the case. */
    version: Type.Integer(),
    own_hits: Type.Integer(),
    confirmations: Type.Integer(),
    disputed: Type.Boolean(),
    /** Why it stands where it does, in sentences. */
    priority: Type.Array(Type.String()),
    opened_at: Type.String(),
    due_at: Type.String(),
    lease: Type.Optional(LeaseInfo),
    assigned_to: Type.Optional(Type.String()),
    held_until: Type.Optional(Type.String()),
    hold_reason: Type.Optional(Type.String()),
    /** Why there is a case; of one alone, as are its decisions. */
    triggers: Type.Optional(
      Type.Array(Type.Object({ kind: Type.String(), ref: Type.String(), at: Type.String() }, closed)),
    ),
    decisions: Type.Optional(Type.Array(DecisionInfo)),
  },
  closed,
)
export type CaseInfo = Static<typeof CaseInfo>
export const CaseList = Type.Object(
  { cases: Type.Array(CaseInfo), next: Type.Union([Type.String(), Type.Null()]) },
  closed,
)
export type CaseList = Static<typeof CaseList>

/** Who does it, as the platform's tool attests. */
const operated = { operator: Operator }
const gripped = { ...operated, token: UuidSchema, version: Type.Integer({ minimum: 1 }) }

export const Operated = Type.Object(operated, closed)
export const ClaimRequest = Type.Object(
  {
    ...operated,
    /** A lead takes over before the lease has ended. */
    lead: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type ClaimRequest = Static<typeof ClaimRequest>
export const LeaseResult = Type.Object(
  { case: UuidSchema, token: UuidSchema, version: Type.Integer(), expires_at: Type.String() },
  closed,
)
export type LeaseResult = Static<typeof LeaseResult>
/** Null where the queue is clear. */
export const NextResult = Type.Object({ claimed: Type.Union([LeaseResult, Type.Null()]) }, closed)
export const TokenRequest = Type.Object({ ...operated, token: UuidSchema }, closed)
export type TokenRequest = Static<typeof TokenRequest>

/** Hours for which a case may be parked. */
export const HOLD_HOURS = 24
export const HoldRequest = Type.Object(
  { ...gripped, reason: ReasonSchema, hours: Type.Integer({ minimum: 1, maximum: HOLD_HOURS }) },
  closed,
)
export type HoldRequest = Static<typeof HoldRequest>
export const ResumeRequest = Type.Object({ ...operated, version: Type.Integer({ minimum: 1 }) }, closed)
export type ResumeRequest = Static<typeof ResumeRequest>
export const HandOverRequest = Type.Object({ ...gripped, to: Operator }, closed)
export type HandOverRequest = Static<typeof HandOverRequest>
export const MoveResult = Type.Object({ case: UuidSchema, state: StateName, version: Type.Integer() }, closed)
export type MoveResult = Static<typeof MoveResult>

export const DecisionRequest = Type.Object(
  {
    ...operated,
    /** Chosen by whoever decides: a repetition changes nothing. */
    decision: UuidSchema,
    version: Type.Integer({ minimum: 1 }),
    /** Of the lease; absent where a closed case is corrected. */
    token: Type.Optional(UuidSchema),
    verdict: Type.Enum([...VERDICTS]),
    reason: ReasonSchema,
    /** For the own team alone. */
    note_team: Type.Optional(NoteSchema),
    /** The source reads it. */
    note_shared: Type.Optional(NoteSchema),
    category_suggested: Type.Optional(CategorySlug),
    counts: Type.Optional(OutcomeCounts),
    /** Asks for a second person where none is needed. */
    escalate: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type DecisionRequest = Static<typeof DecisionRequest>
export const DecisionResult = Type.Object(
  {
    case: UuidSchema,
    decision: UuidSchema,
    state: StateName,
    version: Type.Integer(),
    release_at: Type.Optional(Type.String()),
  },
  closed,
)
export type DecisionResult = Static<typeof DecisionResult>
export const SecondRequest = Type.Object(
  { ...operated, answer: Type.Enum(['approve', 'deny', 'retract']), reason: Type.Optional(ReasonSchema) },
  closed,
)
export type SecondRequest = Static<typeof SecondRequest>

export const Routing = Type.Object(
  {
    keyword_patterns: Type.Boolean(),
    critical: Type.Boolean(),
    not_reviewed: Type.Boolean(),
    new_sources: Type.Boolean(),
    categories: Type.Array(CategorySlug, { maxItems: 50, uniqueItems: true }),
  },
  closed,
)
export type Routing = Static<typeof Routing>

/** What an organisation's own cases come to; each figure with what it is a part of. */
export const ReviewFigures = Type.Object(
  {
    open: Type.Integer(),
    overdue: Type.Integer(),
    decided: Tally,
    corrected: Type.Integer(),
    /** Signals on which action was taken, and how many of them were seen again since. */
    acted: Type.Integer(),
    seen_again: Type.Integer(),
    hits_since_action: Type.Integer(),
  },
  closed,
)
export type ReviewFigures = Static<typeof ReviewFigures>
