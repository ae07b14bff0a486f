import { type Static, Type } from 'typebox'
import { CASE_STATE, CLOSE_REASONS } from '../anomalies/schema.ts'
import { SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { ParticipantKindSchema, POLICY_KINDS } from '../participants/schema.ts'

// What governance works with, beside the log itself, as programs read it: codes, counts and clocks; no person, no note.

const closed = { additionalProperties: false } as const
const Count = Type.Integer({ minimum: 0 })
const Code = Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,62}$' })
const Day = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' })
const Hex = Type.String({ pattern: '^[0-9a-f]{64}$' })
const At = Type.String()
const orNull = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()])

/** Rows of a page. */
export const OVERSIGHT_PAGE_MAX = 200

/** `after`: the `next` of the page before. */
export const OversightQuery = Type.Object(
  {
    after: Type.Optional(UuidSchema),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: OVERSIGHT_PAGE_MAX })),
  },
  closed,
)
export type OversightQuery = Static<typeof OversightQuery>
const next = { next: Type.Union([UuidSchema, Type.Null()]) }

/** What an organisation has shown before it is admitted; documents by their digests. */
export const Onboarding = Type.Object(
  {
    onboarding: UuidSchema,
    participant: SlugSchema,
    name: Type.String(),
    kind: ParticipantKindSchema,
    opened_at: At,
    outcome: orNull(Code),
    closed_at: orNull(At),
    items: Type.Array(
      Type.Object(
        {
          item: Code,
          state: Code,
          digest: orNull(Hex),
          /** Of the agreement: which one it is. */
          version: orNull(Type.String()),
          /** Of the agreement: in which office somebody signed it. */
          signatory: orNull(Type.String()),
          provided_at: orNull(At),
          judged_at: orNull(At),
        },
        closed,
      ),
    ),
    /** Items that keep it from being admitted. */
    missing: Type.Array(Code),
  },
  closed,
)
export type Onboarding = Static<typeof Onboarding>
export const OnboardingList = Type.Object({ onboardings: Type.Array(Onboarding), ...next }, closed)
export type OnboardingList = Static<typeof OnboardingList>

/** A request that waits for persons (`short`), to be carried out (`ready`) or for its time (`scheduled`). */
export const Approval = Type.Object(
  {
    request: UuidSchema,
    action: Code,
    /** SHA-256 of the payload (RFC 8785), base64url, as the log has it. */
    digest: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    state: Type.Enum(['short', 'ready', 'scheduled']),
    organisation: Type.String(),
    /** Persons that approve it, besides who asked. */
    needed: Count,
    /** Whether these are of another organisation. */
    other_org: Type.Boolean(),
    requested_at: At,
    expires_at: At,
    effective_at: orNull(At),
    /** When an answer is due; the request stands beyond it. */
    due_at: orNull(At),
    votes: Type.Array(
      Type.Object({ organisation: Type.String(), verdict: Type.Enum(['approve', 'reject']), at: At }, closed),
    ),
  },
  closed,
)
export type Approval = Static<typeof Approval>
export const ApprovalList = Type.Object({ approvals: Type.Array(Approval), ...next }, closed)
export type ApprovalList = Static<typeof ApprovalList>

/** What a rule found unusual on a day: how much, how much is usual, and from where on it is told. */
export const AnomalyCase = Type.Object(
  {
    case: UuidSchema,
    rule: Code,
    /** An organisation, or `log`. */
    subject: Type.String(),
    day: Day,
    measured: Type.Integer(),
    baseline: Type.Integer(),
    threshold: Type.Integer(),
    state: Type.Unsafe<keyof typeof CASE_STATE>({ type: 'string', enum: Object.keys(CASE_STATE) }),
    opened_at: At,
    moved_at: orNull(At),
    reason: Type.Union([Type.Enum([...CLOSE_REASONS]), Type.Null()]),
  },
  closed,
)
export type AnomalyCase = Static<typeof AnomalyCase>
export const AnomalyList = Type.Object({ cases: Type.Array(AnomalyCase), ...next }, closed)
export type AnomalyList = Static<typeof AnomalyList>

/** The rules that cases are found by; `from`: the threshold in words. */
export const AnomalyRules = Type.Object(
  {
    rules: Type.Array(
      Type.Object({ rule: Code, title: Type.String(), unit: Type.String(), from: Type.String() }, closed),
    ),
  },
  closed,
)
export type AnomalyRules = Static<typeof AnomalyRules>

const PerParticipant = Type.Array(Type.Object({ participant: SlugSchema, n: Count, days: Count }, closed))
/** What the next purge would take, and what a hold keeps from it. */
export const PurgePreview = Type.Object(
  {
    reads: Type.Array(Type.Object({ participant: SlugSchema, n: Count, kept: Type.Boolean() }, closed)),
    signals: Type.Array(Type.Object({ source: SlugSchema, type: Code, n: Count }, closed)),
    refusals: Type.Object({ n: Count, days: Count }, closed),
    uploads: PerParticipant,
    requests: PerParticipant,
  },
  closed,
)
export type PurgePreview = Static<typeof PurgePreview>
export const RetentionState = Type.Object(
  {
    /** In force. */
    policy: Type.Object(
      {
        version: Count,
        signals: Type.Array(Type.Object({ type: Code, default_days: Count, maximum_days: Count }, closed)),
        read_days: Count,
      },
      closed,
    ),
    preview: PurgePreview,
    /** The purge that goes on, or the last one since the node started. */
    run: Type.Union([
      Type.Object(
        {
          started_at: At,
          finished_at: orNull(At),
          removed: Count,
          done: Count,
          of: Count,
          failed: Type.Boolean(),
        },
        closed,
      ),
      Type.Null(),
    ]),
    /** Placed ones first, then the newest; 500 at most. */
    holds: Type.Array(
      Type.Object(
        {
          hold: UuidSchema,
          participant: Type.String(),
          what: Code,
          reason: Code,
          placed_at: At,
          lifted_at: orNull(At),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type RetentionState = Static<typeof RetentionState>

/** What a person asked by right: kind and clock, never who. */
export const SubjectRequest = Type.Object(
  {
    request: UuidSchema,
    kind: Code,
    received_at: At,
    due_at: At,
    extension: orNull(Code),
    searched_at: orNull(At),
    outcome: orNull(Code),
    closed_at: orNull(At),
  },
  closed,
)
export type SubjectRequest = Static<typeof SubjectRequest>
export const SubjectRequestList = Type.Object({ requests: Type.Array(SubjectRequest), ...next }, closed)
export type SubjectRequestList = Static<typeof SubjectRequestList>

/** What was erased, and what those say who had obtained it. */
export const Erasure = Type.Object(
  {
    /** The entry of the log. */
    erasure: UuidSchema,
    source: SlugSchema,
    at: At,
    basis: Code,
    /** The request that two persons decided. */
    approval: UuidSchema,
    signals: Count,
    notified: Count,
    acknowledged: Type.Array(SlugSchema),
    cannot_remove: Type.Array(SlugSchema),
    missing: Type.Array(SlugSchema),
    /** To be asked by other means. */
    unreachable: Type.Array(SlugSchema),
  },
  closed,
)
export type Erasure = Static<typeof Erasure>
export const ErasureList = Type.Object({ erasures: Type.Array(Erasure), ...next }, closed)
export type ErasureList = Static<typeof ErasureList>

/** What an authority asked for, by which law, and what came of it; the reference of its file stays in the console. */
export const GovernmentRequest = Type.Object(
  {
    request: UuidSchema,
    country: Type.String({ pattern: '^[A-Z]{2}$' }),
    kind: Code,
    asked: Count,
    basis: Code,
    received_at: At,
    outcome: orNull(Code),
    /** How many things were given out. */
    given: Type.Union([Count, Type.Null()]),
    closed_at: orNull(At),
  },
  closed,
)
export type GovernmentRequest = Static<typeof GovernmentRequest>
export const GovernmentRequestList = Type.Object({ requests: Type.Array(GovernmentRequest), ...next }, closed)
export type GovernmentRequestList = Static<typeof GovernmentRequestList>

const Kind = Type.Enum([...POLICY_KINDS])
const Version = Type.Integer({ minimum: 1 })
/** Every version that two persons published, the newest first. */
export const PolicyVersions = Type.Object(
  {
    policies: Type.Array(
      Type.Object(
        {
          kind: Kind,
          version: Version,
          /** SHA-256 of its bytes. */
          digest: Hex,
          published_at: At,
          /** The entry of the log that names it. */
          event: UuidSchema,
        },
        closed,
      ),
    ),
  },
  closed,
)
export type PolicyVersions = Static<typeof PolicyVersions>
export const PolicyParams = Type.Object({ kind: Kind, version: Type.String({ pattern: '^[1-9][0-9]{0,8}$' }) }, closed)
export const OnboardingParams = Type.Object({ onboarding: UuidSchema }, closed)
