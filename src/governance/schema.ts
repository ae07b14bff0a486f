import { type Static, Type } from 'typebox'
import { SlugSchema, UuidSchema } from '../kernel/schema.ts'
import { TLP } from '../signals/schema.ts'

const closed = { additionalProperties: false } as const
const Day = Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' })

/** Batches of reads that a page of who read a signal opens: each is opened whole. */
export const BATCHES_LOOKED_MAX = 50

/** Days of one matrix. */
export const MATRIX_DAYS = 400

/** `to` is without its day; without either, the last 90 days. */
export const MatrixQuery = Type.Object(
  {
    from: Type.Optional(Day),
    to: Type.Optional(Day),
    category: Type.Optional(Type.String({ pattern: '^[a-z0-9_]{1,64}$' })),
    /** The label of an audience. */
    group: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  },
  closed,
)
export type MatrixQuery = Static<typeof MatrixQuery>

const Count = Type.Integer({ minimum: 0 })
const CellSchema = Type.Object(
  {
    source: SlugSchema,
    recipient: SlugSchema,
    shared: Count,
    confirmed: Count,
    not_violating: Count,
    answered: Count,
    disputed: Count,
    /** Hours within which half of the first answers came; null without one, or beyond 720 h. */
    median_hours: Type.Union([Type.Number(), Type.Null()]),
    /** Shared in the period of the same length before. */
    before: Count,
    /** Whether an audience of today holds both. */
    allowed: Type.Boolean(),
    expected: Type.Union([
      Type.Literal('as-allowed'),
      Type.Literal('unexpected-zero'),
      Type.Literal('unexpected-flow'),
      Type.Literal('none'),
    ]),
  },
  closed,
)
export const MatrixResult = Type.Object(
  {
    from: Day,
    to: Day,
    /** Entries of the log that are counted in. */
    upto: Type.String(),
    participants: Type.Array(SlugSchema),
    cells: Type.Array(CellSchema),
  },
  closed,
)
export type MatrixResult = Static<typeof MatrixResult>
export type MatrixCell = Static<typeof CellSchema>

/** Of a signal that there is, by source and id; or of one that there is not: where its source would share it, and how. */
export const SightQuery = Type.Object(
  {
    source: SlugSchema,
    signal: Type.Optional(UuidSchema),
    audience: Type.Optional(UuidSchema),
    tlp: Type.Optional(Type.Enum([...TLP])),
    type: Type.Optional(Type.String({ pattern: '^[a-z_]{1,32}$' })),
  },
  closed,
)
export type SightQuery = Static<typeof SightQuery>

export const SightResult = Type.Object(
  {
    source: SlugSchema,
    signal: Type.Union([UuidSchema, Type.Null()]),
    audience: UuidSchema,
    /** The label of the audience. */
    shared_with: Type.String(),
    tlp: Type.Enum([...TLP]),
    /** `live`, `held`, `withdrawn`, `expired`, `erased`; `none` of a signal that there is not. */
    state: Type.String(),
    /** Why its source could not share it so; null where it could, or has. */
    refused: Type.Union([Type.String(), Type.Null()]),
    participants: Type.Array(
      Type.Object(
        {
          participant: SlugSchema,
          sees: Type.Boolean(),
          /** The number of the rule that decided, from 1, its name, and what it asks; null where every rule held. */
          rule: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
          name: Type.Union([Type.String(), Type.Null()]),
          asks: Type.Union([Type.String(), Type.Null()]),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type SightResult = Static<typeof SightResult>
