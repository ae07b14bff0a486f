import { type Static, Type } from 'typebox'
import { UuidSchema } from '../kernel/schema.ts'
import { EVALUATION_PURPOSES, KeyShare } from '../participants/schema.ts'
import { BATCH_MAX } from './oprf.ts'

const closed = { additionalProperties: false } as const

/** 32 bytes, base64url. */
const Element = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })

/** Blinded elements to be evaluated under the key of an epoch. */
export const Evaluation = Type.Object(
  {
    kid: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
    /** What the tokens are for: each purpose has a quota of its own. */
    purpose: Type.Enum([...EVALUATION_PURPOSES]),
    elements: Type.Array(Element, { minItems: 1, maxItems: BATCH_MAX }),
  },
  closed,
)
export type Evaluation = Static<typeof Evaluation>

/** What one holder of a key, or of a part of it, made of a batch: one proof for all of its elements. */
const EvaluatedShare = Type.Object(
  {
    index: Type.Integer({ minimum: 1, maximum: 2 }),
    elements: Type.Array(Element),
    proof: Type.String({ pattern: '^[A-Za-z0-9_-]{86}$' }),
  },
  closed,
)

export const EvaluationResult = Type.Object({ kid: Type.String(), shares: Type.Array(EvaluatedShare) }, closed)
export type EvaluationResult = Static<typeof EvaluationResult>

/** The public keys of OPRF epochs. `event` published the key: its receipt says the same to every member. */
export const OprfKeyList = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kid: Type.String(),
          suite: Type.String(),
          status: Type.Enum(['active', 'retired']),
          public_key: Element,
          shares: Type.Array(KeyShare, { minItems: 1, maxItems: 2 }),
          not_before: Type.String(),
          not_after: Type.String(),
          event: UuidSchema,
        },
        closed,
      ),
    ),
  },
  closed,
)
export type OprfKeyList = Static<typeof OprfKeyList>
export type OprfKey = OprfKeyList['keys'][number]
