import { type Static, Type } from 'typebox'
import type { Uuid } from '../kernel/ids.ts'
import { UuidSchema } from '../kernel/schema.ts'

/** Everything that people of an organisation are told of; a name is never given another meaning. */
export const NOTICE_KINDS = [
  'case.handed_over',
  'case.taken_over',
  'proposal.waiting',
  'proposal.approved',
  'proposal.denied',
  'queue.at_risk',
  'question.asked',
  'dispute.opened',
  'signal.held',
  'credential.ends',
] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** What a notice is about: ids alone, so that nothing of a signal, a note or a person is in it. */
export interface NoticeOf {
  case?: Uuid
  signal?: Uuid
  dispute?: Uuid
  credential?: Uuid
}

export interface Notice {
  kind: NoticeKind
  /** The same whenever it is asked for: by it a notice is told once. */
  id: string
  of: NoticeOf
  at: Date
  due?: Date
  /** How many it stands for, where it is about several. */
  count?: number
  /** Whose it is, by pseudonym; absent: everybody's whose role it concerns. */
  for?: string
  /** Whose it is not. */
  not?: string
  /** Who did it: a pseudonym of the own organisation, or another organisation. */
  by?: string
}

/** A notice as it is posted: kinds, ids and times. */
export const NoticeMessage = Type.Object(
  {
    type: Type.Enum([...NOTICE_KINDS]),
    timestamp: Type.String(),
    data: Type.Object(
      {
        case: Type.Optional(UuidSchema),
        signal: Type.Optional(UuidSchema),
        dispute: Type.Optional(UuidSchema),
        credential: Type.Optional(UuidSchema),
        due: Type.Optional(Type.String()),
        count: Type.Optional(Type.Integer()),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
export type NoticeMessage = Static<typeof NoticeMessage>
