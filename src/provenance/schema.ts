import { type Static, Type } from 'typebox'
import { BigIntSchema, SlugSchema, UuidSchema } from '../kernel/schema.ts'

const closed = { additionalProperties: false } as const

/** Links of one answer. */
export const CHAIN_MAX = 1_000
/** Entries of one export. */
export const EXPORT_MAX = 4_096
/** Reads of one batch. */
export const READS_IN_BATCH = 65_536

export const TileParams = Type.Object({ '*': Type.String({ minLength: 1, maxLength: 80 }) }, closed)
export const InclusionQuery = Type.Object({ index: BigIntSchema, size: BigIntSchema }, closed)
export const ConsistencyQuery = Type.Object({ from: BigIntSchema, to: BigIntSchema }, closed)
/** Nodes of 32 bytes, base64, in the order of RFC 6962. */
export const ProofPath = Type.Object({ path: Type.Array(Type.String()) }, closed)
export type ProofPath = Static<typeof ProofPath>
export const ReceiptParams = Type.Object({ event_id: UuidSchema }, closed)
/**
 * `read`: the place in a row of the read journal, whose id then stands in the path (`Provenance-Read: <id>.<place> ..`). `item`:
 * a signal of the asker that a batch of reads gave out, in one revision if it is named, in the first read from `from` on.
 */
export const ReceiptQuery = Type.Object(
  {
    read: Type.Optional(Type.String({ pattern: '^(0|[1-9][0-9]{0,2})$' })),
    item: Type.Optional(UuidSchema),
    revision: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
    from: Type.Optional(Type.Integer({ minimum: 0, maximum: READS_IN_BATCH })),
  },
  closed,
)

/** What the witnesses of the policy last did. */
export const WitnessList = Type.Object(
  {
    witnesses: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          vkey: Type.String(),
          size: Type.Optional(BigIntSchema),
          cosigned_at: Type.Optional(Type.String()),
          missing_since: Type.Optional(Type.String()),
        },
        closed,
      ),
    ),
  },
  closed,
)

/** What a viewer is given of one record; `docs/formats.md` says how it is verified. */
const RecordCut = Type.Object(
  {
    v: Type.Literal(1),
    payload: Type.String(),
    disclosures: Type.Array(Type.String()),
    chains: Type.Array(Type.String()),
    chain_digests: Type.Optional(Type.Array(Type.String())),
  },
  closed,
)
export const CutRecordSchema = Type.Object({ event: UuidSchema, index: BigIntSchema, record: RecordCut }, closed)
/** One link of a chain. */
export const ChainLine = Type.Object(
  { seq: BigIntSchema, event: UuidSchema, index: BigIntSchema, record: RecordCut },
  closed,
)
export type ChainLine = Static<typeof ChainLine>
/** More than `CHAIN_MAX` is told by a code of its own. */
export const ChainQuery = Type.Object(
  {
    after: Type.Optional(BigIntSchema),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    party: Type.Optional(SlugSchema),
  },
  closed,
)

/** Entries from `from` up to and without `to`. */
export const ExportQuery = Type.Object({ from: BigIntSchema, to: BigIntSchema }, closed)

/** Entries of one page of the explorer. */
export const ENTRIES_MAX = 200
/** Rows of one file, and receipts of one bundle. */
export const ROWS_MAX = 10_000
export const BUNDLE_MAX = 500

/** `q`: terms as `docs/formats.md` has them; `below`: the `next` of the page before. */
export const EntriesQuery = Type.Object(
  {
    q: Type.Optional(Type.String({ maxLength: 2_000 })),
    below: Type.Optional(BigIntSchema),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
)
const FacetSchema = Type.Array(Type.Object({ name: Type.String(), n: Type.Integer() }, closed))
export const EntryList = Type.Object(
  {
    entries: Type.Array(
      Type.Object(
        {
          index: BigIntSchema,
          event: UuidSchema,
          kind: Type.String(),
          actor: Type.String(),
          at: Type.String(),
          recipients: Type.Array(Type.String()),
          state: Type.Union([
            Type.Literal('verified'),
            Type.Literal('pending'),
            Type.Literal('unopened'),
            Type.Literal('failed'),
          ]),
        },
        closed,
      ),
    ),
    next: Type.Union([BigIntSchema, Type.Null()]),
    size: BigIntSchema,
    found: Type.Object({ n: Type.Integer(), more: Type.Boolean() }, closed),
    kinds: FacetSchema,
    actors: FacetSchema,
  },
  closed,
)
export type EntryList = Static<typeof EntryList>

const SignalChangeSchema = Type.Object(
  {
    index: Type.Integer(),
    signal: UuidSchema,
    revision: Type.Integer(),
    state: Type.String(),
    audience: UuidSchema,
    type: Type.String(),
    category: Type.String(),
    expires_at: Type.String(),
    leaf: Type.String(),
  },
  closed,
)
/** One record with everything that its entry is made of. */
export const ExportEntry = Type.Object(
  {
    index: BigIntSchema,
    event: UuidSchema,
    payload: Type.String(),
    disclosures: Type.Array(Type.String()),
    chains: Type.Array(Type.String()),
    decoys: Type.Array(Type.String()),
    changes: Type.Optional(Type.Array(SignalChangeSchema)),
    expired: Type.Optional(Type.Array(Type.Object({ signal: UuidSchema, revision: Type.Integer() }, closed))),
    erased: Type.Optional(Type.Array(Type.Object({ signal: UuidSchema, revision: Type.Integer() }, closed))),
  },
  closed,
)
export type ExportEntry = Static<typeof ExportEntry>
/** One read of the batch whose line is before it. `items`: `[source, [signal, revision], ..]` of a look-up. */
export const ExportRead = Type.Object(
  {
    index: BigIntSchema,
    read: Type.Integer(),
    payload: Type.String(),
    disclosures: Type.Array(Type.String()),
    items: Type.Array(Type.Array(Type.Unknown())),
  },
  closed,
)
export type ExportRead = Static<typeof ExportRead>

/** An inbox in the place of an audience: no slug and no id begins like it. */
export const inboxName = (slug: string): string => `@${slug}`
export const isInbox = (audience: string): boolean => audience.startsWith('@')

/**
 * What follows was read at one moment: of a log of `size` entries, beside which `waiting` was committed; rows of feeds and
 * look-ups, of the entries below `upto`, and perhaps of some behind it.
 */
export const SnapshotPage = Type.Object(
  {
    page: Type.Object(
      { size: BigIntSchema, upto: Type.Optional(BigIntSchema), waiting: Type.Array(UuidSchema) },
      closed,
    ),
  },
  closed,
)
export const SnapshotRow = Type.Object(
  { of: Type.String(), state: Type.Record(Type.String(), Type.Unknown()), event: Type.Optional(UuidSchema) },
  closed,
)
/** How many rows there were; the last line. */
export const SnapshotEnd = Type.Object({ end: Type.Integer() }, closed)
