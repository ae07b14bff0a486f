import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

/** What a program may want to know of a node before it asks anything of it. */
export const Meta = Type.Object({
  name: Type.Literal('aldis'),
  version: Type.String(),
  /** Versions of the API that are served. */
  api: Type.Array(Type.String()),
  programme: Type.String(),
  node_origin: Type.String(),
  /** Origin of the log that is written now. */
  log: Type.String(),
  /** Newest version of each policy. */
  policies: Type.Array(Type.Object({ kind: Type.String(), version: Type.Integer() }, closed)),
  openapi: Type.String(),
  /** Operations that will end, by their ids in the API's description, and when (RFC 8594). */
  deprecated: Type.Array(
    Type.Object({ operation: Type.String(), sunset: Type.String(), instead: Type.String() }, closed),
  ),
})
export type Meta = Static<typeof Meta>
