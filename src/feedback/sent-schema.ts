import { type Static, Type } from 'typebox'
import type { Uuid } from '../kernel/ids.ts'
import { UuidSchema } from '../kernel/schema.ts'
import { SIGNAL_STATE, SIGNAL_TYPE, type SignalItem, type SignalType, type WithdrawalItem } from '../signals/schema.ts'
import { CategorySlug, OUTCOME, type Outcome, Tally } from './schema.ts'

const closed = { additionalProperties: false } as const

/** Signals of one page. */
export const SENT_MAX = 100
/** A page looks at so many signals at most; where fewer of them are asked for it is shorter, and says where to go on. */
export const SENT_LOOKED_AT = 10_000
/** Days that the figures go back. */
export const SENT_DAYS = 30

export type SignalState = keyof typeof SIGNAL_STATE
const StateName = Type.Enum(Object.keys(SIGNAL_STATE) as SignalState[])
const TypeName = Type.Enum(Object.keys(SIGNAL_TYPE) as SignalType[])

/** An outcome that somebody said, an open dispute, or that nobody said anything. */
export const SAID = [...(Object.keys(OUTCOME) as Outcome[]), 'disputed', 'nothing'] as const

export const SentQuery = Type.Object(
  {
    state: Type.Optional(StateName),
    type: Type.Optional(TypeName),
    category: Type.Optional(CategorySlug),
    said: Type.Optional(Type.Enum([...SAID])),
    /** Of the page before. */
    cursor: Type.Optional(UuidSchema),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: SENT_MAX })),
  },
  closed,
)
export type SentQuery = Static<typeof SentQuery>

/** How many members of the audience there are, who are known to have what was said last, and who acknowledged it. */
const ReachInfo = Type.Object(
  { members: Type.Integer(), reached: Type.Integer(), acknowledged: Type.Integer() },
  closed,
)
export type ReachInfo = Static<typeof ReachInfo>

/** One's own signal, and what became of it. */
export const SentSignal = Type.Object(
  {
    signal: UuidSchema,
    type: TypeName,
    category: Type.String(),
    state: StateName,
    revision: Type.Integer(),
    audience: UuidSchema,
    sent_at: Type.String(),
    expires_at: Type.String(),
    standing: Type.Enum(['seed', 'confirmed', 'negative', 'disputed']),
    outcomes: Tally,
    answered: Type.Integer(),
    open_disputes: Type.Integer(),
    /** Absent where nobody can tell: in sealed audiences, and once a signal is erased. */
    reach: Type.Optional(ReachInfo),
  },
  closed,
)
export type SentSignal = Static<typeof SentSignal>

export const SentList = Type.Object(
  { signals: Type.Array(SentSignal), next: Type.Union([UuidSchema, Type.Null()]) },
  closed,
)
export type SentList = Static<typeof SentList>

/** What became of the signals of the last days; each figure is a part of `sent`. */
export const SentFigures = Type.Object(
  {
    days: Type.Integer(),
    /** At most 10,000 are looked at, the newest; then `more` is true: there may be others. */
    sent: Type.Integer(),
    more: Type.Boolean(),
    /** Participants that the audiences of these signals have now, but for the source. */
    recipients: Type.Integer(),
    answered: Type.Integer(),
    confirmed: Type.Integer(),
    not_violating: Type.Integer(),
    disputed: Type.Integer(),
    withdrawn: Type.Integer(),
  },
  closed,
)
export type SentFigures = Static<typeof SentFigures>

// ---- within the node

export interface SentRevision {
  revision: number
  /** The submission, which is also the event of the log. */
  event: Uuid
  at: Date
  /** By the source's key; otherwise a person of it decided in the console. */
  signed: boolean
  /** What the source said in it, or how it ended the signal; undefined once it is erased. */
  item: SignalItem | WithdrawalItem | undefined
}

/** What one organisation says last. */
export interface SaidOf {
  giver: string
  outcome: Outcome
  /** It reviewed a hit of its own. */
  independent: boolean
  seen_again: number
  at: Date
  /** Of the log entry that told it: under this its words are revealed. */
  place: bigint
}

export interface DisputeOf {
  dispute: Uuid
  opener: string
  signal: Uuid
  revision: number
  ground: string
  opened_at: Date
  due_at: Date
  overdue: boolean
  result?: string
  answered_at?: Date
}

/** One's own signal with all that became of it. */
export interface SentDetail extends SentSignal {
  audience_label: string
  /** Two persons of the programme hold it, and only two of them let it go. */
  held_by_programme: boolean
  /** When it changed last. */
  changed_at: Date
  revisions: SentRevision[]
  said: SaidOf[]
  disputes: DisputeOf[]
  /** What was answered to questions, the newest first. */
  answers: { asker: string; at: Date; note: string }[]
}

export interface Objection {
  signal: Uuid
  type: SignalType
  giver: string
  outcome: Outcome
  at: Date
}

/** What waits for the source. */
export interface Attention {
  questions: Objection[]
  disagreements: Objection[]
  disputes: DisputeOf[]
  ending: { signal: Uuid; type: SignalType; expires_at: Date }[]
  /** Signals that are held for all recipients. */
  held: { signal: Uuid; type: SignalType; at: Date }[]
}
