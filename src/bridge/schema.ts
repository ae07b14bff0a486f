import { type Static, Type } from 'typebox'
import { CategorySlug, NoteSchema, OUTCOME, OutcomeCounts, ReasonSchema } from '../feedback/schema.ts'
import { BigIntSchema, InstantSchema, UuidSchema } from '../kernel/schema.ts'
import { HITS_MAX } from '../review/schema.ts'
import { SIGNAL_TYPE } from '../signals/schema.ts'
import { ITEMS_MAX } from '../signals/submission.ts'

const closed = { additionalProperties: false } as const
/** Queries of one request; bytes of a text, and of a line of a stream. */
export const QUERIES_MAX = 1_000
export const LINE_BYTES = 65_536

const Word = Type.String({ minLength: 1, maxLength: 128 })

/** What is met on a platform: raw, which stays in this process, or a token that was made before. */
export const Query = Type.Object(
  {
    type: Type.Enum([
      ...(['url', 'domain', 'email', 'phone', 'username', 'account_id', 'payment_handle', 'ip'] as const),
      ...(['media_hash', 'text'] as const),
    ]),
    value: Type.Optional(Type.String({ minLength: 1, maxLength: LINE_BYTES })),
    /** Whose a username or account is; the region of a number in national form. */
    service: Type.Optional(Word),
    region: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$' })),
    algorithm: Type.Optional(Word),
    hash: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
    profile: Type.Optional(Word),
    kid: Type.Optional(Word),
    token: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  },
  closed,
)
export type Query = Static<typeof Query>

/** Each query is judged for itself. */
const Queries = Type.Array(Type.Unsafe<unknown>({}), { minItems: 1, maxItems: QUERIES_MAX })

export const MatchBody = Type.Object({ queries: Queries }, closed)
export type MatchBody = Static<typeof MatchBody>

/**
 * `mirror`: at home, the node makes tokens at most. `private`: in the mirrors of sealed audiences; the node hears of what matched.
 * `buckets`: in sealed audiences without a mirror; the node sees prefixes. `node`: the node is asked by the keys, on record.
 */
const LOOKUP_WAYS = ['mirror', 'private', 'buckets', 'node'] as const

export const LookupBody = Type.Object(
  {
    queries: Queries,
    how: Type.Optional(Type.Enum([...LOOKUP_WAYS])),
    /** Of sealed audiences one, by id or label; all of ours unless given. */
    audience: Type.Optional(Word),
    purpose: Type.Optional(Type.Enum(['enforcement', 'investigation', 'appeal'])),
    /** Whether what matched in a sealed audience is asked for: a disclosure, on record. */
    open: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type LookupBody = Static<typeof LookupBody>

/** What the items of a submission have in common; a line may say otherwise. */
const Common = {
  category: Type.Optional(CategorySlug),
  note: Type.Optional(NoteSchema),
  severity: Type.Optional(Type.Enum(['low', 'medium', 'high', 'critical'])),
  confidence: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
  basis: Type.Optional(Type.Enum(['human_reviewed', 'automated'])),
  handling: Type.Optional(Type.Enum(['review', 'block_link', 'limit_recommendation', 'monitor'])),
  tlp: Type.Optional(Type.Enum(['clear', 'green', 'amber', 'amber+strict', 'red'])),
}

/** Where and under what law it was collected. */
const CollectionContext = Type.Object(
  {
    region: Type.String({ pattern: '^[A-Z]{2}$' }),
    legal_basis: CategorySlug,
    surface: Type.Enum(['public', 'private']),
  },
  closed,
)

export const SubmitLine = Type.Object(
  {
    type: Type.Enum(Object.keys(SIGNAL_TYPE) as (keyof typeof SIGNAL_TYPE)[]),
    value: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
    service: Type.Optional(Word),
    region: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$' })),
    algorithm: Type.Optional(Word),
    hash: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
    /** A link or identifier that was hashed before, as a signal has it. */
    hashed: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object' })),
    /** As a signal has them (docs/formats.md): the node and the client check what is in them. */
    pattern: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object' })),
    tactic: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object' })),
    relation: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object' })),
    ...Common,
    context: Type.Optional(CollectionContext),
    observed_at: Type.Optional(InstantSchema),
    expires_at: Type.Optional(InstantSchema),
  },
  closed,
)
export type SubmitLine = Static<typeof SubmitLine>

export const SubmitBody = Type.Object(
  {
    /** By id or label; the whole programme unless given. */
    audience: Type.Optional(Word),
    defaults: Type.Optional(Type.Object(Common, closed)),
    context: CollectionContext,
    lines: Type.Array(Type.Unsafe<unknown>({}), { minItems: 1, maxItems: ITEMS_MAX }),
  },
  closed,
)
export type SubmitBody = Static<typeof SubmitBody>

/** A mirrored signal, by the place that a match names. */
const About = { feed: UuidSchema, seq: BigIntSchema }

export const FeedbackBody = Type.Object(
  {
    ...About,
    outcome: Type.Enum(Object.keys(OUTCOME) as (keyof typeof OUTCOME)[]),
    reason: Type.Optional(ReasonSchema),
    note: Type.Optional(NoteSchema),
    category_suggested: Type.Optional(CategorySlug),
    counts: Type.Optional(OutcomeCounts),
  },
  closed,
)
export type FeedbackBody = Static<typeof FeedbackBody>

export const HitsBody = Type.Object(
  {
    hits: Type.Array(
      Type.Object(
        {
          ...About,
          /** All so far: a repeated report changes nothing. */
          count: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
          last_at: InstantSchema,
          own_ref: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' })),
        },
        closed,
      ),
      { minItems: 1, maxItems: HITS_MAX },
    ),
  },
  closed,
)
export type HitsBody = Static<typeof HitsBody>
