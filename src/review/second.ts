import { SEVERITY } from './priority.ts'

/** Whether a second person of the organisation has to approve: a confirmation at critical, or another's category changed. */
export const needsSecond = (severity: number, verdict: string): boolean =>
  verdict === 'disagree_category' ||
  (severity === SEVERITY.critical && (verdict === 'confirmed_action_taken' || verdict === 'confirmed_no_presence'))

/** After these the case waits, since they are no end: it is looked into, or its source has to answer. */
export const isOpenEnded = (verdict: string): boolean => verdict === 'seen_here' || verdict === 'needs_information'
