import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

/** Smaller counts are withheld, but for 0. */
export const SUPPRESSED_BELOW = 5
/** Of a report, bytes of its JSON. */
export const REPORT_BYTES_MAX = 1_048_576

/** They differ in what is withheld. A report is recomputed by the rule of its own format; one that is made has the last. */
export const REPORT_FORMATS = ['aldis-report/1', 'aldis-report/2'] as const
export type ReportFormat = (typeof REPORT_FORMATS)[number]

/** `null`: withheld, being smaller than `k` or telling of one that is. */
const Cell = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()])
export type Cell = Static<typeof Cell>

const Rows = Type.Array(
  Type.Object({ key: Type.String({ maxLength: 128 }), value: Cell, reporting: Type.Optional(Cell) }, closed),
  {
    maxItems: 512,
  },
)
export type Rows = Static<typeof Rows>

export const Figure = Type.Object(
  {
    /** One of `METRICS`. */
    id: Type.String({ pattern: '^[a-z]{1,32}[.][a-z]{1,32}$' }),
    value: Cell,
    /** Of a median: of how many times. */
    n: Type.Optional(Cell),
    /** How many of the platforms of `participants.active` are behind it. */
    reporting: Type.Optional(Cell),
    /** Of each dimension its rows. */
    by: Type.Optional(Type.Unsafe<Record<string, Rows>>(Type.Object({}, { additionalProperties: Rows }))),
  },
  closed,
)
export type Figure = Static<typeof Figure>

const Instant = Type.String({ pattern: '^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$' })

/** A transparency report. Each figure is made of the entries of a log below a checkpoint, by the rules of `METRICS`. */
export const Report = Type.Object(
  {
    format: Type.Enum([...REPORT_FORMATS]),
    /** From, to and not including; UTC. */
    period: Type.Object({ from: Instant, to: Instant }, closed),
    /** The checkpoint that the figures are frozen at, verbatim (C2SP tlog-checkpoint). */
    checkpoint: Type.String({ maxLength: 8_192 }),
    /** Counts from 1 to below this one are withheld. */
    k: Type.Integer({ minimum: 1, maximum: 100 }),
    figures: Type.Array(Figure, { maxItems: 64 }),
  },
  closed,
)
export type Report = Static<typeof Report>
