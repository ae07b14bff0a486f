import type { RawLine } from '../../../client/derive.ts'
import type { DisputeResult, Outcome, OutcomeCounts, ReviewVerdict } from '../../../feedback/schema.ts'
import type { Routing } from '../../../review/schema.ts'
import type { SignalItem, SignalType } from '../../../signals/schema.ts'
import type { AudienceName, Operator, Party } from './cast.ts'

/** How the plan calls a signal, before it has an id. */
export type SignalName = `s${number}`

/** A line as it stands at its source. Of a relation, the signals are named as the plan names them. */
export interface PlannedLine {
  signal: SignalName
  line: Omit<RawLine, 'relation' | 'expires_at'>
  relation?: { relation: 'same_account' | 'same_operator' | 'advertises' | 'pays' | 'redirects_to'; of: SignalPair }
  /** Days that it lives; by its type where absent. */
  days?: number
}
export type SignalPair = readonly [from: SignalName, to: SignalName]

/** What a revision says anew. */
export type Change = Partial<Pick<SignalItem, 'severity' | 'confidence' | 'note' | 'handling' | 'basis'>> & {
  value?: RawLine['pattern'] | RawLine['tactic']
}

export interface Verdict {
  verdict: ReviewVerdict
  reason: string
  counts?: OutcomeCounts
  note_shared?: string
  category_suggested?: string
}

interface By {
  by: Party
}
interface On extends By {
  signal: SignalName
}
interface Working extends On {
  operator: Operator
}

/** One thing that somebody does, by a name that says which request it is. */
export type Act =
  | ({ kind: 'share'; audience: AudienceName; lines: readonly PlannedLine[] } & By)
  | ({ kind: 'revise'; change: Change } & On)
  | ({ kind: 'withdraw'; reason: 'mistaken' | 'outdated' | 'appeal_upheld' | 'duplicate' | 'legal' } & On)
  | ({ kind: 'sync' } & By)
  | ({ kind: 'ask'; lines: readonly RawLine[] } & By)
  | ({ kind: 'hits'; hits: readonly { signal: SignalName; count: number }[] } & By)
  | ({ kind: 'route'; rules: Routing } & By)
  /** Claimed and decided; by a second person where one is needed. `undone` first where somebody erred. */
  | ({ kind: 'review'; said: Verdict; second?: Operator; undone?: Verdict } & Working)
  | ({ kind: 'correct'; said: Verdict; second?: Operator } & Working)
  | ({ kind: 'propose'; said: Verdict } & Working)
  | ({ kind: 'claim' } & Working)
  | ({ kind: 'park'; reason: string } & Working)
  | ({ kind: 'hand_over'; to: Operator } & Working)
  | ({ kind: 'say'; outcome: Outcome; reason?: string; note?: string; counts?: OutcomeCounts } & On)
  | ({ kind: 'dispute'; ground: string; note?: string } & On)
  /** Of the one dispute of the signal that is open. */
  | ({ kind: 'answer'; result: DisputeResult; note?: string } & On)
  | ({ kind: 'release' } & On)
  /** Every platform enrols its next key, while the present one still runs. */
  | { kind: 'renew_keys' }
  /** Two persons publish the next key epoch, and everybody makes tokens under it. */
  | { kind: 'next_epoch' }

/** An act and when, in seconds since the first day began. */
export type Timed = Act & { at: number }

export interface Day {
  day: number
  acts: readonly Timed[]
}

/** A signal as far as the plan knows it. */
export interface Planned {
  name: SignalName
  source: Party
  audience: AudienceName
  /** Who receives it. */
  recipients: readonly Party[]
  day: number
  type: SignalType
  severity: SignalItem['severity']
  /** The last day on which it is live. */
  lives: number
}
