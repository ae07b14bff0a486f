import { type Static, Type } from 'typebox'
import { BigIntSchema, UuidSchema } from '../kernel/schema.ts'

const closed = { additionalProperties: false } as const

export const TileParams = Type.Object({ '*': Type.String({ minLength: 1, maxLength: 80 }) }, closed)
export const InclusionQuery = Type.Object({ index: BigIntSchema, size: BigIntSchema }, closed)
export const ConsistencyQuery = Type.Object({ from: BigIntSchema, to: BigIntSchema }, closed)
/** Nodes of 32 bytes, base64, in the order of RFC 6962. */
export const ProofPath = Type.Object({ path: Type.Array(Type.String()) }, closed)
export type ProofPath = Static<typeof ProofPath>
export const ReceiptParams = Type.Object({ event_id: UuidSchema }, closed)
/** `read`: the place in a row of the read journal, whose id then stands in the path (`Provenance-Read: <id>.<place> ..`). */
export const ReceiptQuery = Type.Object(
  { read: Type.Optional(Type.String({ pattern: '^(0|[1-9][0-9]{0,2})$' })) },
  closed,
)
