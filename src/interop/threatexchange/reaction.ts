import type { Outcome } from '../../feedback/schema.ts'
import { entryOf } from '../../kernel/entry-of.ts'

interface Said {
  outcome: Outcome
  reason?: string
}

/** What each reaction says, as feedback of ours with its reason. */
export const OUTCOME_OF: Readonly<Record<string, Said>> = {
  INGESTED: { outcome: 'ingested' },
  IN_REVIEW: { outcome: 'in_review' },
  WANT_MORE_INFO: { outcome: 'needs_information', reason: 'context' },
  SAW_THIS_TOO: { outcome: 'seen_here', reason: 'investigating' },
  // Only a case ends with an action.
  HELPFUL: { outcome: 'seen_here', reason: 'investigating' },
  DISAGREE_WITH_TAGS: { outcome: 'disagree_category', reason: 'category' },
  NOT_HELPFUL: { outcome: 'not_violating', reason: 'policy_differs' },
  OUTDATED: { outcome: 'outdated', reason: 'inactive' },
}

/** What a reaction says; undefined for one that is not known. */
export const saidBy = (reaction: string): Said | undefined => entryOf(OUTCOME_OF, reaction)

/** What feedback is there; none where the client has no word for it. */
export const REACTION_OF: Readonly<Partial<Record<Outcome, string>>> = {
  ...{ ingested: 'INGESTED', in_review: 'IN_REVIEW', needs_information: 'WANT_MORE_INFO', seen_here: 'SAW_THIS_TOO' },
  ...{
    confirmed_action_taken: 'HELPFUL',
    disagree_category: 'DISAGREE_WITH_TAGS',
    not_violating: 'DISAGREE_WITH_TAGS',
  },
  outdated: 'OUTDATED',
}
