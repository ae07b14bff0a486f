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
import type { Uuid } from '../kernel/ids.ts'
import { InstantSchema, SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { PatternValue, SIGNAL_TYPE, type SignalType, TacticValue } from '../signals/schema.ts'

const closed = { additionalProperties: false } as const

/** Hits of one report, cases of one page. */
export const HITS_MAX = 1_000
export const CASES_MAX = 100

/** How an organisation's own tool calls its people: a pseudonym, never a name or an address. */
export const Operator = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })

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
const SeverityName = Type.Enum(['low', 'medium', 'high', 'critical'])
const YesNo = Type.Enum(['yes', 'no'])
export const CasesQuery = Type.Object(
  {
    state: Type.Optional(StateName),
    type: Type.Optional(Type.Enum(Object.keys(SIGNAL_TYPE) as SignalType[])),
    category: Type.Optional(CategorySlug),
    /** At least this one. */
    severity: Type.Optional(SeverityName),
    source: Type.Optional(SlugSchema),
    /** Whether there are hits of one's own. */
    hits: Type.Optional(YesNo),
    disputed: Type.Optional(YesNo),
    /** Who works on it now, or was handed it. */
    holder: Type.Optional(Operator),
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
    /** Decided with others alike, in this job. */
    job: Type.Optional(UuidSchema),
    /** One person confirmed something critical alone, which the programme lets pass. */
    single_reviewed: Type.Optional(Type.Boolean()),
    decided_by: Type.String(),
    decided_at: Type.String(),
    approved_by: Type.Optional(Type.String()),
    /** The second person who denied it, and why in one word. */
    refused_by: Type.Optional(Type.String()),
    refusal: Type.Optional(Type.String()),
    /** `proposed`: a second person has to approve; `grace`: it may be undone until `release_at`. */
    standing: Type.Enum(['proposed', 'grace', 'released', 'ended']),
    release_at: Type.Optional(Type.String()),
    /** What the log has of it last. */
    event: UuidSchema,
  },
  closed,
)
export type DecisionInfo = Static<typeof DecisionInfo>

/** What its source says of a live signal now; what hurts to read is told of, and given by `CaseTexts` alone. */
const SignalSaid = Type.Object(
  {
    revision: Type.Integer(),
    basis: Type.String(),
    tlp: Type.String(),
    handling: Type.String(),
    region: Type.String(),
    legal_basis: Type.String(),
    surface: Type.String(),
    observed_at: Type.String(),
    expires_at: Type.String(),
    audience: UuidSchema,
    /** The hash or token of what it is about, and the rule that made it; absent where there is none. */
    value: Type.Optional(Type.Object({ rule: Type.String(), hash: Type.String() }, closed)),
    texts: Type.Array(Type.Enum(['note', 'pattern', 'tactic'])),
  },
  closed,
)
export type SignalSaid = Static<typeof SignalSaid>

/** What the organisation's own matcher reported. */
const OwnHit = Type.Object(
  { count: Type.Integer(), last_at: Type.String(), own_ref: Type.Optional(Type.String()) },
  closed,
)

export const CaseInfo = Type.Object(
  {
    case: UuidSchema,
    source: SlugSchema,
    signal: UuidSchema,
    revision: Type.Integer(),
    type: Type.Enum(Object.keys(SIGNAL_TYPE)),
    category: Type.String(),
    severity: SeverityName,
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
      Type.Array(
        Type.Object({ kind: Type.String(), ref: Type.String(), at: Type.String(), event: UuidSchema }, closed),
      ),
    ),
    decisions: Type.Optional(Type.Array(DecisionInfo)),
    /** Absent where the signal is no longer live. */
    said: Type.Optional(SignalSaid),
    hit: Type.Optional(OwnHit),
  },
  closed,
)
export type CaseInfo = Static<typeof CaseInfo>
export const CaseList = Type.Object(
  { cases: Type.Array(CaseInfo), next: Type.Union([Type.String(), Type.Null()]) },
  closed,
)
export type CaseList = Static<typeof CaseList>

/** Words of others that hurt to read: each page of them is asked for by itself. */
export const CaseTexts = Type.Object(
  {
    case: UuidSchema,
    note: Type.Optional(Type.String()),
    pattern: Type.Optional(PatternValue),
    tactic: Type.Optional(TacticValue),
  },
  closed,
)
export type CaseTexts = Static<typeof CaseTexts>

/** What waits in an organisation's queue; each count ends at 10,001. */
export interface QueueCounts {
  open: number
  oldest: Date | undefined
  overdue: number
  /** Due within the hour. */
  at_risk: number
  /** When the next case is due that is not overdue. */
  next_due: Date | undefined
  disputed: number
  today: number
  held: number
  second: number
  mine: number
}

/** Something that somebody should know of a case; `for` and `not` are pseudonyms. */
export interface CaseNotice {
  kind: 'case.handed_over' | 'case.taken_over' | 'proposal.waiting' | 'proposal.approved' | 'proposal.denied'
  /** The same whenever it is asked for. */
  id: string
  case: Uuid
  at: Date
  /** Whose it is; absent: everybody who decides cases. */
  for?: string
  /** Whose it is not. */
  not?: string
  by?: string
  due?: Date
}

/** Cases that are late, or will be within the hour; `at` is the hour in which that is so. */
export interface QueueAtRisk {
  overdue: number
  at_risk: number
  at: Date
}

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

/** Days that the recent figures go back. */
export const FIGURES_DAYS = 30
const Seconds = Type.Union([Type.Integer(), Type.Null()])

/** What an organisation's own cases come to; each figure with what it is a part of, and none of a person. */
export const ReviewFigures = Type.Object(
  {
    open: Type.Integer(),
    overdue: Type.Integer(),
    /** Half of the open cases, and nine of ten, have waited at most so long; null where none is open. */
    age_seconds: Type.Object({ p50: Seconds, p90: Seconds }, closed),
    decided: Tally,
    corrected: Type.Integer(),
    /** Confirmations at critical that one person stood for alone; they are counted among the decided too. */
    single_reviewed: Type.Integer(),
    /** Of the last days: closed decisions that were chosen for a second look, how many had one, and how many came out alike. */
    samples: Type.Object({ opened: Type.Integer(), answered: Type.Integer(), agreed: Type.Integer() }, closed),
    /** Signals on which action was taken, and how many of them were seen again since. */
    acted: Type.Integer(),
    seen_again: Type.Integer(),
    hits_since_action: Type.Integer(),
    /** Of the last days: cases that came, decisions that were released, and how many of these were late or corrections. */
    recent: Type.Object(
      {
        days: Type.Integer(),
        inbound: Type.Integer(),
        decided: Type.Integer(),
        late: Type.Integer(),
        reversals: Type.Integer(),
        sources: Type.Array(Type.Object({ source: SlugSchema, verdicts: Tally }, closed)),
      },
      closed,
    ),
  },
  closed,
)
export type ReviewFigures = Static<typeof ReviewFigures>
