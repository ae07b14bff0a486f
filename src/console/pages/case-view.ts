import type { Opinions } from '../../feedback/schema.ts'
import type { NetworkResult, RevealResult } from '../../feeds/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { CriticalSecond } from '../../participants/schema.ts'
import type { Undoable } from '../../review/read.ts'
import type { CaseInfo, CaseTexts, LeaseResult } from '../../review/schema.ts'
import type { Viewer } from '../viewer.ts'
import type { Nudge } from '../wellbeing.ts'

export interface Colleague {
  pseudonym: string
  name: string
}

export interface CaseView {
  viewer: Viewer
  one: CaseInfo
  now: Date
  /** The viewer's own lease, also one that lapsed while nobody came between. */
  grip: (LeaseResult & { live: boolean }) | undefined
  /** What was typed before it was refused. */
  typed: Readonly<Record<string, string>>
  refusal: Refusal | undefined
  opinions: Opinions | undefined
  /** To whom the case may be handed. */
  colleagues: readonly Colleague[]
  categories: readonly string[]
  undoable: readonly Undoable[]
  /** Why the viewer should rest. */
  nudge: Nudge | undefined
  /** What the programme asks of confirmations at critical. */
  criticalSecond: CriticalSecond
  /** Whom the signal may reach, by name. */
  audience: string | undefined
  /** Once they were asked for. */
  texts?: CaseTexts
  related?: NetworkResult
  /** Whether the source sealed the link behind the signal; and the link, once it was asked for. */
  revealable: boolean
  value?: RevealResult
  /** The id of what is decided next: a second press with the same one changes nothing. */
  decision: Uuid
}

/** What is refused because the case went on without the viewer. */
const STALE: ReadonlySet<string> = new Set(['case-moved', 'lease-held', 'lease-lapsed'])

export const isStale = (refusal: Refusal | undefined): boolean => refusal !== undefined && STALE.has(refusal.code)

/** Whether somebody else works on it, or it was handed to somebody else. */
export const isTaken = ({ one, viewer }: Pick<CaseView, 'one' | 'viewer'>): boolean => {
  const holder = one.lease?.holder ?? one.assigned_to
  return holder !== undefined && holder !== viewer.pseudonym
}
