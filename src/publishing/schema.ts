import { type Static, Type } from 'typebox'
import { BigIntSchema, InstantSchema, UuidSchema } from '../kernel/schema.ts'

const closed = { additionalProperties: false } as const

/** SHA-256 of a report's RFC 8785 form. */
export const ReportDigest = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** Milliseconds that a report waits for entries below its checkpoint to be carried to where it is made of. */
export const FACTS_WAIT_MS = 60_000

const PublishedReport = Type.Object(
  {
    digest: ReportDigest,
    from: InstantSchema,
    /** Without it. */
    to: InstantSchema,
    /** Entries that its figures are made of. */
    log_size: BigIntSchema,
    published_at: Type.String(),
    /** The entry of the log that names it. */
    event: UuidSchema,
  },
  closed,
)

/** The newest first. */
export const ReportList = Type.Object({ reports: Type.Array(PublishedReport) }, closed)
export type ReportList = Static<typeof ReportList>
