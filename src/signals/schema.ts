import { type Static, Type } from 'typebox'
import type { ErrorCode } from '../kernel/errors.ts'
import { BigIntSchema, InstantSchema, UuidSchema } from '../kernel/schema.ts'
import type { SIGNAL_TYPES } from '../participants/schema.ts'

const closed = { additionalProperties: false } as const
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' })
/** 32 bytes in their one writing: loose bits would make another text of the same hash. */
const LeafHash = Type.String({ pattern: '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$' })
const Slug = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })
const Text = Type.String({ minLength: 1, maxLength: 500 })
const Texts = Type.Array(Text, { maxItems: 20 })

/** Numbers are stored, names travel; neither is ever reused. */
export const SIGNAL_TYPE = {
  url: 1,
  domain: 2,
  email: 3,
  phone: 4,
  username: 5,
  account_id: 6,
  payment_handle: 7,
  ip: 8,
  keyword_pattern: 9,
  media_hash: 10,
  tactic: 11,
  relation: 12,
} as const satisfies Record<(typeof SIGNAL_TYPES)[number], number>
export type SignalType = keyof typeof SIGNAL_TYPE

export const SIGNAL_STATE = { live: 1, withdrawn: 2, expired: 3, held: 4, erased: 5 } as const

/** Signals of one source that two persons hold at once. */
export const SOURCE_HOLD_MAX = 1_000

export const TLP = ['clear', 'green', 'amber', 'amber+strict', 'red'] as const
export const SEVERITY = ['low', 'medium', 'high', 'critical'] as const
export const BASIS = ['human_reviewed', 'automated'] as const
export const SURFACE = ['public', 'private'] as const
/** Numbers are sealed, names travel; neither is ever reused. */
export const HANDLING_NUMBER = { review: 1, block_link: 2, limit_recommendation: 3, monitor: 4 } as const
export type Handling = keyof typeof HANDLING_NUMBER
/** From the first named signal to the second. Numbers are stored, names travel; neither is ever reused. */
export const RELATION_NUMBER = { same_account: 1, same_operator: 2, advertises: 3, pays: 4, redirects_to: 5 } as const
export type Relation = keyof typeof RELATION_NUMBER
export const RELATION = Object.keys(RELATION_NUMBER) as Relation[]
export const WITHDRAWAL_REASON = ['mistaken', 'outdated', 'appeal_upheld', 'duplicate', 'legal'] as const

/** Where and under what law the source collected what it shares; a hold switch stands on it. */
const CollectionContext = Type.Object(
  { region: Type.String({ pattern: '^[A-Z]{2}$' }), legal_basis: Slug, surface: Type.Enum([...SURFACE]) },
  closed,
)

/** Which host-suffix/path-prefix expression was hashed (Safe Browsing, "Suffix/prefix expressions"). */
const UrlScope = Type.Object(
  { host: Type.Enum(['exact', 'suffix']), path: Type.Enum(['query', 'exact', 'prefix', 'root']) },
  closed,
)

const LinkValue = Type.Object(
  { profile: Type.String({ pattern: '^(url|domain)/1$' }), sha256: Digest, scope: UrlScope },
  closed,
)

/** A match key under a hash profile: the key epoch `kid` and the normalisation profile name how it was made. */
const TokenValue = Type.Object(
  {
    profile: Type.String({ minLength: 4, maxLength: 64, pattern: '^[a-z-]+/1(:[a-z0-9][a-z0-9._-]{0,40})?$' }),
    kid: Slug,
    token: Digest,
  },
  closed,
)

/** What a pattern must match, or must not: enough that its source tried it. */
const Samples = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
  ...{ minItems: 3, maxItems: 50, uniqueItems: true },
})

export const PatternValue = Type.Object(
  {
    kind: Type.Enum(['literal', 're2']),
    text: Type.String({ minLength: 1, maxLength: 512 }),
    language: Type.String({ pattern: '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$' }),
    case_sensitive: Type.Boolean(),
    whole_word: Type.Boolean(),
    /** Compared by what characters look like, too (UTS #39); for literals. */
    confusables: Type.Optional(Type.Boolean()),
    must_match: Samples,
    must_not_match: Samples,
  },
  closed,
)

export const MEDIA_ALGORITHM = ['pdq', 'md5', 'sha1', 'sha256', 'photodna', 'video_md5', 'tmk', 'vpdq'] as const

const MediaValue = Type.Object(
  { algorithm: Type.Enum([...MEDIA_ALGORITHM]), hash: Type.String({ pattern: '^[0-9a-f]+$', maxLength: 4096 }) },
  closed,
)

export const TacticValue = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 120 }),
    steps: Texts,
    surfaces: Type.Array(Slug, { maxItems: 20 }),
    lures: Texts,
    payment_rails: Type.Array(Slug, { maxItems: 20 }),
    detection: Texts,
  },
  closed,
)

/** Two signals of anyone's by their ids; whether either exists or may be seen is not told. */
const RelationValue = Type.Object({ relation: Type.Enum([...RELATION]), from: UuidSchema, to: UuidSchema }, closed)

const common = {
  v: Type.Literal(1),
  /** Chosen by the source: a UUIDv7. */
  signal: UuidSchema,
  revision: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  /** Leaf hash of the former revision; absent at revision 1. */
  prev: Type.Optional(LeafHash),
  audience: UuidSchema,
  tlp: Type.Enum([...TLP]),
  taxonomy: Type.Integer({ minimum: 1, maximum: 1000 }),
  category: Slug,
  note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  severity: Type.Enum([...SEVERITY]),
  confidence: Type.Integer({ minimum: 0, maximum: 100 }),
  basis: Type.Enum([...BASIS]),
  context: CollectionContext,
  handling: Type.Enum(Object.keys(HANDLING_NUMBER) as Handling[]),
  observed_at: InstantSchema,
  expires_at: InstantSchema,
}

const link = <T extends 'url' | 'domain'>(type: T) =>
  Type.Object({ ...common, type: Type.Literal(type), value: LinkValue }, closed)
const identifier = <T extends 'email' | 'phone' | 'username' | 'account_id' | 'payment_handle' | 'ip'>(type: T) =>
  Type.Object({ ...common, type: Type.Literal(type), value: TokenValue }, closed)

const SHAPES = {
  url: link('url'),
  domain: link('domain'),
  email: identifier('email'),
  phone: identifier('phone'),
  username: identifier('username'),
  account_id: identifier('account_id'),
  payment_handle: identifier('payment_handle'),
  ip: identifier('ip'),
  keyword_pattern: Type.Object({ ...common, type: Type.Literal('keyword_pattern'), value: PatternValue }, closed),
  media_hash: Type.Object({ ...common, type: Type.Literal('media_hash'), value: MediaValue }, closed),
  tactic: Type.Object({ ...common, type: Type.Literal('tactic'), value: TacticValue }, closed),
  relation: Type.Object({ ...common, type: Type.Literal('relation'), value: RelationValue }, closed),
}

/** One revision of one signal, exactly as its source signed it. */
export const SignalItem = Type.Union(Object.values(SHAPES))
export type SignalItem = { [T in SignalType]: Static<(typeof SHAPES)[T]> }[SignalType]
/** By type, so that an error names the member and not every branch of a union. */
export const SIGNAL_SHAPES: Readonly<Record<SignalType, (typeof SHAPES)[SignalType]>> = SHAPES

/** The end of a signal by its source; it takes the next revision. */
export const WithdrawalItem = Type.Object(
  {
    v: Type.Literal(1),
    signal: UuidSchema,
    revision: Type.Integer({ minimum: 2, maximum: 1_000_001 }),
    prev: LeafHash,
    reason: Type.Enum([...WITHDRAWAL_REASON]),
  },
  closed,
)
export type WithdrawalItem = Static<typeof WithdrawalItem>

/** RFC 7515 section 7.2.2, flattened. */
export const Jws = Type.Object(
  {
    protected: Type.String({ maxLength: 1024 }),
    payload: Type.String({ maxLength: 256 }),
    signature: Type.String({ maxLength: 128 }),
  },
  closed,
)

export const SubmittedItem = Type.Object(
  { salt: Type.String({ pattern: '^[A-Za-z0-9_-]{22}$' }), item: Type.String({ minLength: 2, maxLength: 16_384 }) },
  closed,
)

/** One JWS over the tree of 1 to 1,000 items. */
export const Submission = Type.Object(
  { jws: Jws, items: Type.Array(SubmittedItem, { minItems: 1, maxItems: 1000 }) },
  closed,
)
export type Submission = Static<typeof Submission>

/** What became of one item; `pointer` and `code` name the fault, never the value. */
export const ItemResult = Type.Object(
  {
    index: Type.Integer(),
    signal: Type.Optional(UuidSchema),
    revision: Type.Optional(Type.Integer()),
    status: Type.Integer(),
    /** Of the catalogue. */
    code: Type.Optional(Type.Unsafe<ErrorCode>({ type: 'string' })),
    pointer: Type.Optional(Type.String()),
    detail: Type.Optional(Type.String()),
    /** Of an accepted item: why it may be of no use. */
    warning: Type.Optional(Type.String()),
  },
  closed,
)
export type ItemResult = Static<typeof ItemResult>

/** `dry_run=true`: say what would become of it, and do nothing. */
export const SubmissionQuery = Type.Object(
  { dry_run: Type.Optional(Type.Enum(['true', 'false'])) },
  { additionalProperties: false },
)

export const SubmissionResult = Type.Object(
  {
    /** Also the id of the log event; null when every item was refused and nothing was stored. */
    submission: Type.Union([UuidSchema, Type.Null()]),
    accepted: Type.Integer(),
    refused: Type.Integer(),
    /** The node's signature over digest and log commitment (general serialisation, second signature). */
    countersignature: Type.Optional(Type.Object({ protected: Type.String(), signature: Type.String() }, closed)),
    receipt: Type.Optional(Type.String()),
    results: Type.Array(ItemResult),
  },
  closed,
)
export type SubmissionResult = Static<typeof SubmissionResult>

/** One line of the answer to a stream: an item, a whole submission (`first` to `line`), or lines that were none. */
export const UploadLine = Type.Object({
  line: Type.Integer(),
  first: Type.Optional(Type.Integer()),
  status: Type.Integer(),
  signal: Type.Optional(UuidSchema),
  revision: Type.Optional(Type.Integer()),
  submission: Type.Optional(Type.Union([UuidSchema, Type.Null()])),
  accepted: Type.Optional(Type.Integer()),
  refused: Type.Optional(Type.Integer()),
  code: Type.Optional(Type.String()),
  pointer: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
  warning: Type.Optional(Type.String()),
  countersignature: Type.Optional(Type.Object({ protected: Type.String(), signature: Type.String() }, closed)),
  receipt: Type.Optional(Type.String()),
})
export type UploadLine = Static<typeof UploadLine>

export const UploadParams = Type.Object({ upload_id: UuidSchema }, closed)
/** Numbers are stored, names travel; neither is ever reused. `waiting`: all of it is durable here. */
export const UPLOAD_STATE = { receiving: 1, waiting: 2, running: 3, done: 4, failed: 5 } as const
export type UploadState = keyof typeof UPLOAD_STATE

/** An upload that is worked off after its sender has gone. */
export const UploadJob = Type.Object(
  {
    upload: UuidSchema,
    state: Type.Enum(Object.keys(UPLOAD_STATE) as UploadState[]),
    received_at: Type.String(),
    bytes: BigIntSchema,
    lines: BigIntSchema,
    /** Items so far. */
    accepted: BigIntSchema,
    refused: BigIntSchema,
    /** Why it failed. */
    code: Type.Optional(Type.Unsafe<ErrorCode>({ type: 'string' })),
    ended_at: Type.Optional(Type.String()),
    /** Until when its results can be had. */
    results_until: Type.Optional(Type.String()),
  },
  closed,
)
export type UploadJob = Static<typeof UploadJob>
export const UploadJobList = Type.Object({ uploads: Type.Array(UploadJob) }, closed)
export type UploadJobList = Static<typeof UploadJobList>

/** The first line that is neither durable nor settled as refused. */
export const UploadPlace = Type.Object({ next_line: BigIntSchema, job: Type.Optional(UploadJob) }, closed)
export type UploadPlace = Static<typeof UploadPlace>
export const SignalParams = Type.Object({ signal: UuidSchema }, closed)

/** Of a raw value beside a signal: UTF-16 code units. */
export const SEALED_VALUE_MAX = 8_192
/** The raw link behind a `url` or `domain` at this revision, for its audience to reveal; null takes it back. */
export const GivenValue = Type.Object(
  {
    v: Type.Literal(1),
    revision: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    value: Type.Union([Type.String({ minLength: 1, maxLength: SEALED_VALUE_MAX }), Type.Null()]),
  },
  closed,
)
export type GivenValue = Static<typeof GivenValue>
/** Never the value itself. */
export const ValueResult = Type.Object(
  {
    signal: UuidSchema,
    revision: Type.Integer(),
    sealed: Type.Boolean(),
    /** The entry of the log that tells of it; null where there was nothing to take back. */
    event: Type.Union([UuidSchema, Type.Null()]),
  },
  closed,
)
export type ValueResult = Static<typeof ValueResult>

/** The newest revision of one's own signal; `leaf` is what the next one names as `prev`. */
export const OwnSignalResult = Type.Object(
  { signal: UuidSchema, revision: Type.Integer(), state: Type.String(), leaf: Type.String(), item: Type.String() },
  closed,
)
