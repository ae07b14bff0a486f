import type { CriticalSecond } from '../participants/schema.ts'
import { SEVERITY } from './priority.ts'

/** `marked`: one person decides alone, and whoever is told of it is told that too. */
export type Persons = 'one' | 'marked' | 'two'

/** How many persons of the organisation a decision takes: a confirmation at critical and another's category changed take two. */
export function personsFor(
  { severity, verdict, escalate }: { severity: number; verdict: string; escalate: boolean },
  criticalSecond: CriticalSecond,
): Persons {
  if (escalate || verdict === 'disagree_category') return 'two'
  if (!isCritical(severity, verdict)) return 'one'
  return criticalSecond === 'required' ? 'two' : 'marked'
}

/** Whether another person of the organisation has to approve it. */
export const needsSecond = (severity: number, verdict: string, criticalSecond: CriticalSecond): boolean =>
  personsFor({ severity, verdict, escalate: false }, criticalSecond) === 'two'

/** A confirmation of what weighs most: among many that are decided alike, nobody looked at it alone. */
export const isCritical = (severity: number, verdict: string): boolean =>
  severity === SEVERITY.critical && (verdict === 'confirmed_action_taken' || verdict === 'confirmed_no_presence')

/** After these the case waits, since they are no end: it is looked into, or its source has to answer. */
export const isOpenEnded = (verdict: string): boolean => verdict === 'seen_here' || verdict === 'needs_information'

/** Who acts, and on whose word that is known: a platform's own tool attests its people, the console has signed them in. */
export interface Named {
  who: string
  authority: 'attested' | 'reviewed_here'
}

/**
 * Whether two names are two persons. Names of one authority are told apart by it. A name of a platform's tool says nothing of
 * who signed in here, unless it is that of a person of the programme: otherwise nobody can tell, and two names may be one person.
 */
export function compare(a: Named, b: Named, isPerson: (who: string) => boolean): 'two' | 'same' | 'unknown' {
  if (fold(a.who) === fold(b.who)) return 'same'
  if (a.authority === b.authority) return 'two'
  const attested = a.authority === 'attested' ? a : b
  return isPerson(attested.who) ? 'two' : 'unknown'
}

/** `Ann` and `ann` are not two persons. */
const fold = (who: string): string => who.toLowerCase()
