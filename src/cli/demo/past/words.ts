import type { OutcomeCounts, ReviewVerdict } from '../../../feedback/schema.ts'
import type { SignalType } from '../../../signals/schema.ts'
import type { Verdict } from './act.ts'
import type { Random } from './random.ts'

/** Reasons that dispute nothing; those that do have stories of their own. */
const REASON: Readonly<Record<ReviewVerdict, readonly string[]>> = {
  confirmed_action_taken: ['own_policy', 'own_policy', 'law'],
  confirmed_no_presence: ['no_account', 'already_gone', 'not_reachable'],
  seen_here: ['investigating'],
  not_violating: ['policy_differs', 'shared_host'],
  disagree_category: ['category', 'severity'],
  outdated: ['inactive', 'identifier_reassigned'],
  needs_information: ['context', 'basis', 'time_range'],
}

const NOTES: Readonly<Partial<Record<ReviewVerdict, readonly string[]>>> = {
  confirmed_action_taken: ['accounts closed, and linked ones looked at', 'removed within the hour; appeal is open'],
  not_violating: ['a shared host that many others use', 'within our rules for this kind of page'],
  outdated: ['gone for weeks when it reached us'],
  needs_information: ['which surface was it seen on?', 'over which days was it seen?'],
  disagree_category: ['the wording points to money, not to meeting'],
}

export function verdictOf(random: Random, verdict: ReviewVerdict, type: SignalType): Verdict {
  const notes = NOTES[verdict]
  return {
    ...{ verdict, reason: random.pick(REASON[verdict]) },
    ...(notes === undefined || random.chance(0.5) ? {} : { note_shared: random.pick(notes) }),
    ...(verdict === 'disagree_category'
      ? { category_suggested: random.pick(['grooming', 'sextortion_financial']) }
      : {}),
    ...(verdict === 'confirmed_action_taken' ? { counts: countsOf(random, type) } : {}),
  }
}

/** What is not said was not reported. */
export function countsOf(random: Random, type: SignalType): OutcomeCounts {
  if (type === 'url' || type === 'domain') return { urls_blocked: random.from(1, 9) }
  if (type === 'media_hash') return { content_removed: random.from(1, 6), reports_filed: 1 }
  const accounts_actioned = random.from(1, 5)
  return random.chance(0.4) ? { accounts_actioned, reports_filed: random.from(0, 2) } : { accounts_actioned }
}
