import { type Static, Type } from 'typebox'
import { BigIntSchema, UuidSchema } from '../kernel/schema.ts'

const closed = { additionalProperties: false } as const

/** Events of one page, keys of one look-up. */
export const PAGE_MAX = 1_000
export const LOOKUP_MAX = 1_000
/** Seconds a page may wait for something new. */
export const WAIT_MAX = 30

export const FeedParams = Type.Object({ feed: UuidSchema }, closed)
export const SegmentParams = Type.Object({ feed: UuidSchema, first_seq: BigIntSchema }, closed)

export const EventsQuery = Type.Object(
  {
    cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    /** More than `PAGE_MAX` is told by a code of its own, as more keys than a look-up takes are. */
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    wait: Type.Optional(Type.Integer({ minimum: 0, maximum: WAIT_MAX })),
  },
  closed,
)
export type EventsQuery = Static<typeof EventsQuery>

export const FeedList = Type.Object(
  {
    feeds: Type.Array(
      Type.Object(
        {
          feed: UuidSchema,
          kind: Type.Enum(['audience', 'inbox']),
          audience: Type.Union([UuidSchema, Type.Null()]),
          label: Type.String(),
          /** First sequence this participant may see, last one given so far, last one inside a sealed segment. */
          from_seq: BigIntSchema,
          last_seq: BigIntSchema,
          sealed_seq: BigIntSchema,
          /** Cursor that stands before the first event. */
          start: Type.String(),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type FeedList = Static<typeof FeedList>

/** One event as the SDK reads it; `item`, `salt`, `index`, `path` are absent where the node speaks. */
export const FeedEventSchema = Type.Object({
  seq: BigIntSchema,
  type: Type.String(),
  at: Type.String(),
  feed: UuidSchema,
  source: Type.String(),
  signal: UuidSchema,
  revision: Type.Integer(),
  /** The submission, which is also the log event. */
  event: UuidSchema,
  index: Type.Optional(Type.Integer()),
  salt: Type.Optional(Type.String()),
  item: Type.Optional(Type.String()),
  path: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
})
export type FeedEventBody = Static<typeof FeedEventSchema>

export const SubmissionProof = Type.Object({
  event: UuidSchema,
  source: Type.String(),
  count: Type.Integer(),
  jws: Type.Object({ protected: Type.String(), payload: Type.String(), signature: Type.String() }),
  countersignature: Type.Object({ protected: Type.String(), signature: Type.String() }),
})
export type SubmissionProof = Static<typeof SubmissionProof>

export const EventsPage = Type.Object({
  events: Type.Array(FeedEventSchema),
  submissions: Type.Array(SubmissionProof),
  next_cursor: Type.String(),
  more: Type.Boolean(),
})
export type EventsPage = Static<typeof EventsPage>

export const Acknowledgement = Type.Object(
  { upto: BigIntSchema, stage: Type.Enum(['mirror_removed', 'client_reached', 'client_cannot_remove']) },
  closed,
)
export type Acknowledgement = Static<typeof Acknowledgement>
export const ACK_STAGE = { mirror_removed: 1, client_reached: 2, client_cannot_remove: 3 } as const
export const AcknowledgementResult = Type.Object({ feed: UuidSchema, upto: BigIntSchema }, closed)

const Key = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** Keys of one kind: the type, the normalisation profile, and for tokens the key epoch that made them. */
export const Lookup = Type.Object(
  {
    queries: Type.Array(
      Type.Object(
        {
          type: Type.Enum([
            'url',
            'domain',
            'email',
            'phone',
            'username',
            'account_id',
            'payment_handle',
            'ip',
            'media_hash',
          ]),
          profile: Type.String({ minLength: 2, maxLength: 128, pattern: '^[a-z0-9][a-z0-9._/:@-]*$' }),
          keys: Type.Array(Key, { minItems: 1, maxItems: LOOKUP_MAX }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 64 },
    ),
    purpose: Type.Enum(['enforcement', 'investigation', 'appeal']),
  },
  closed,
)
export type Lookup = Static<typeof Lookup>

export const LookupResult = Type.Object({
  /** The log index up to which look-ups are current. */
  as_of: BigIntSchema,
  asked: Type.Integer(),
  matches: Type.Array(Type.Object({ key: Key, event: FeedEventSchema })),
  submissions: Type.Array(SubmissionProof),
})
export type LookupResult = Static<typeof LookupResult>
