import { type Static, Type } from 'typebox'
import { BigIntSchema, SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { RELATION } from '../signals/schema.ts'

const closed = { additionalProperties: false } as const

/** Events of one page, keys of one look-up. */
export const PAGE_MAX = 1_000
export const LOOKUP_MAX = 1_000
/** Entries of a sealed segment. */
export const SEGMENT_SIZE = 4_096
/** Segments of one answer, which one commit journals. */
export const SEGMENTS_MAX = 16
/** Of an answer of several segments: each behind its head. */
export const SEGMENTS_TYPE = 'application/vnd.aldis.segments'
/** Seconds a page may wait for something new. */
export const WAIT_MAX = 30
/** Of one event stream; whoever listens comes again with the last id that it saw. */
export const STREAM_SECONDS = 3_600
/** Of silence, after which a comment shows whoever stands between that the connection lives. */
export const HEARTBEAT_SECONDS = 15
/** Event streams of one credential at a time. */
export const STREAMS_MAX = 8

export const FeedParams = Type.Object({ feed: UuidSchema }, closed)
export const SegmentParams = Type.Object({ feed: UuidSchema, first_seq: BigIntSchema }, closed)
export const SegmentQuery = Type.Object(
  { count: Type.Optional(Type.Integer({ minimum: 1, maximum: SEGMENTS_MAX })) },
  closed,
)

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

export const StreamQuery = Type.Object({ cursor: EventsQuery.properties.cursor }, closed)

export const FeedList = Type.Object(
  {
    feeds: Type.Array(
      Type.Object(
        {
          feed: UuidSchema,
          kind: Type.Enum(['audience', 'inbox']),
          mode: Type.Enum(['full', 'sealed']),
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
  /** In an inbox: what is told of one's own signal, or of one's own dispute. */
  data: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object' })),
  /** In a sealed feed: the sequence of the entry that this ends. */
  ends: Type.Optional(BigIntSchema),
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

/** A live signal in a sealed feed: what it is and whose, only the holder of its key can tell. */
export const SealedEventSchema = Type.Object({
  seq: BigIntSchema,
  type: Type.Literal('signal.sealed'),
  at: Type.String(),
  feed: UuidSchema,
  /** 72 bytes; absent once the signal is erased, and where it is held. */
  sealed: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{96}$' })),
  reason: Type.Optional(Type.Enum(['erased', 'disputed'])),
  /** The sequence of the entry in whose place this one comes. */
  replaces: Type.Optional(BigIntSchema),
})
export type SealedEventBody = Static<typeof SealedEventSchema>

/** A page of a sealed feed: live signals are sealed, ends are in the clear. */
export const SealedPage = Type.Object({
  events: Type.Array(Type.Union([SealedEventSchema, FeedEventSchema])),
  submissions: Type.Array(SubmissionProof),
  next_cursor: Type.String(),
  more: Type.Boolean(),
})
export type SealedPage = Static<typeof SealedPage>

export const Acknowledgement = Type.Object(
  { upto: BigIntSchema, stage: Type.Enum(['mirror_removed', 'client_reached', 'client_cannot_remove']) },
  closed,
)
export type Acknowledgement = Static<typeof Acknowledgement>
export const ACK_STAGE = { mirror_removed: 1, client_reached: 2, client_cannot_remove: 3 } as const
export const AcknowledgementResult = Type.Object({ feed: UuidSchema, upto: BigIntSchema }, closed)

const Key = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** Why somebody asks; recorded. */
const PurposeSchema = Type.Enum(['enforcement', 'investigation', 'appeal'])
export type Purpose = Static<typeof PurposeSchema>

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
    purpose: PurposeSchema,
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

/** Entries of a sealed audience that are divided into buckets; a larger one is for mirrors. */
export const BUCKETED_MAX = 2_000_000
/** Entries of one bucket, 18 MB; where more are of one identifier the audience is for mirrors too. */
export const BUCKET_WIDTH_MAX = 250_000

export const LookupParams = Type.Object({ audience: UuidSchema }, closed)
export const BucketParams = Type.Object(
  { audience: UuidSchema, snapshot: BigIntSchema, prefix: Type.String({ pattern: '^[0-9a-f]{1,4}$' }) },
  closed,
)
export const OpeningParams = Type.Object({ audience: UuidSchema, signal: UuidSchema }, closed)
export const PurposeQuery = Type.Object({ purpose: PurposeSchema }, closed)

/** How a sealed audience is asked by buckets: the bits of a tag that are its prefix, and the entries of each bucket. */
export const SnapshotInfo = Type.Object(
  {
    audience: UuidSchema,
    snapshot: BigIntSchema,
    bits: Type.Integer({ minimum: 0, maximum: 16 }),
    entries: Type.Integer({ minimum: 0 }),
  },
  closed,
)
export type SnapshotInfo = Static<typeof SnapshotInfo>

/** The live signals behind an id, of each source that has one. */
export const OpeningResult = Type.Object({
  as_of: BigIntSchema,
  events: Type.Array(FeedEventSchema),
  submissions: Type.Array(SubmissionProof),
})
export type OpeningResult = Static<typeof OpeningResult>

/** Values that a participant's programs, and each of its people, reveal on a day (UTC). */
export const REVEALS_PER_DAY = 200

export const RevealParams = Type.Object({ signal: UuidSchema }, closed)
/** Why, and of whom where several sources have signals of the id. */
export const RevealAsked = Type.Object({ purpose: PurposeSchema, source: Type.Optional(SlugSchema) }, closed)
export type RevealAsked = Static<typeof RevealAsked>

/** The raw link that a source sealed beside its signal, as it gave it: text, and nothing to follow by itself. */
export const RevealResult = Type.Object(
  {
    source: Type.String(),
    signal: UuidSchema,
    revision: Type.Integer(),
    type: Type.Enum(['url', 'domain']),
    value: Type.String(),
    sealed_at: Type.String(),
    /** The entry of the log that tells of this reveal. */
    event: UuidSchema,
  },
  closed,
)
export type RevealResult = Static<typeof RevealResult>

/** Members of one page of a network. */
export const NETWORK_MEMBERS_MAX = 50
/** Relations of a signal, seen by one reader, beyond which it is a hub: it belongs to everything, and so to nothing. */
export const RELATIONS_MAX = 500

export const NetworkParams = Type.Object({ signal: UuidSchema }, closed)
export const NetworkQuery = Type.Object({ after: Type.Optional(UuidSchema) }, closed)

/** The live signals of an id, by source. */
const NetworkSignals = Type.Array(
  Type.Object({ source: Type.String(), type: Type.String(), revision: Type.Integer() }, closed),
)

/** What is stated of one member: `out` from the signal that was asked for, `in` towards it. */
const NetworkLink = Type.Object(
  {
    relation: Type.Enum([...RELATION]),
    direction: Type.Enum(['out', 'in']),
    /** The first and the last time it was observed, by those who state it now. */
    first_seen: Type.String(),
    last_seen: Type.String(),
    /** Each statement is a signal of its source, in the feed. */
    stated_by: Type.Array(Type.Object({ source: Type.String(), signal: UuidSchema, revision: Type.Integer() }, closed)),
  },
  closed,
)

export const NetworkResult = Type.Object({
  as_of: BigIntSchema,
  signal: UuidSchema,
  signals: NetworkSignals,
  /** More relations than are told: none is. */
  hub: Type.Boolean(),
  /** By rising id. */
  members: Type.Array(Type.Object({ signal: UuidSchema, signals: NetworkSignals, relations: Type.Array(NetworkLink) })),
  /** What to ask for the next page after; null on the last. */
  next: Type.Union([UuidSchema, Type.Null()]),
})
export type NetworkResult = Static<typeof NetworkResult>
