import type { ReviewVerdict } from '../feedback/schema.ts'
import type { RevealAsked } from '../feeds/schema.ts'
import type { CaseInfo } from '../review/schema.ts'

/** How a verdict is chosen: its key, what it is called, and what follows from it in one sentence. */
export const VERDICT_WORDS: Readonly<Record<ReviewVerdict, { key: string; label: string; follows: string }>> = {
  confirmed_action_taken: {
    ...{ key: '1', label: 'Confirmed, action taken' },
    follows: 'You looked, it is what the source says, and you acted on it.',
  },
  confirmed_no_presence: {
    ...{ key: '2', label: 'Confirmed, no presence here' },
    follows: 'It is what the source says, and nothing of it is on your platform.',
  },
  seen_here: {
    ...{ key: '3', label: 'Seen here, investigating' },
    follows: 'The source hears that you have it; the case is parked for a day.',
  },
  not_violating: {
    ...{ key: '4', label: 'Not violating here' },
    follows: 'You disagree. Some reasons open a dispute that the source has to answer.',
  },
  disagree_category: {
    ...{ key: '5', label: 'Disagree with category or severity' },
    follows: 'It is harmful, but something else than it says. A second person approves.',
  },
  outdated: { ...{ key: '6', label: 'Outdated' }, follows: 'It was right once and is no longer.' },
  needs_information: {
    ...{ key: '7', label: 'Need more information' },
    follows: 'The source gets a question; the case is parked and its time stands still.',
  },
}

export const verdictLabel = (verdict: string): string =>
  VERDICT_WORDS[verdict as ReviewVerdict]?.label ?? plain(verdict)

/** Why somebody reveals what is sealed; the source is told. */
export const PURPOSE_WORDS: Readonly<Record<RevealAsked['purpose'], string>> = {
  enforcement: 'To act on it here',
  investigation: 'To find out what it is',
  appeal: 'To answer an appeal',
}

/** Reasons that open a dispute of the signal. */
export const DISPUTING: ReadonlySet<string> = new Set(['false_match', 'wrong_identifier', 'appeal_upheld'])

const REASON_WORDS: Readonly<Record<string, string>> = {
  own_policy: 'Against our own rules',
  law: 'Against the law',
  no_account: 'No such account here',
  already_gone: 'Already gone',
  not_reachable: 'Not reachable',
  investigating: 'Being looked into',
  policy_differs: 'Our rules differ',
  shared_host: 'Host shared by many',
  false_match: 'False match',
  wrong_identifier: 'Wrong identifier',
  appeal_upheld: 'Appeal upheld',
  category: 'Another category',
  severity: 'Another severity',
  inactive: 'No longer active',
  identifier_reassigned: 'Identifier belongs to somebody else now',
  context: 'Context is missing',
  basis: 'On what it rests',
  time_range: 'From when to when',
  other: 'Other (say it in a note)',
}

export const reasonLabel = (reason: string): string => REASON_WORDS[reason] ?? plain(reason)

export const COUNT_WORDS = {
  accounts_actioned: 'Accounts actioned',
  content_removed: 'Items removed',
  urls_blocked: 'Links blocked',
  reports_filed: 'Reports filed',
  investigations_opened: 'Investigations',
} as const

export const STATE_WORDS: Readonly<Record<CaseInfo['state'], string>> = {
  open: 'Open',
  held: 'Parked',
  awaiting_second: 'Second review',
  decided: 'Decided',
  closed: 'Closed',
  void: 'Void',
}

/** Why a case was opened, or opened again. */
const TRIGGER_WORDS: Readonly<Record<string, string>> = {
  private_hit: 'Hits of your own were reported',
  routing_rule: 'It met a rule of yours',
  dispute: 'It was disputed',
  lifecycle: 'Its source changed it',
  question: 'A recipient asked about it',
}

export const triggerLabel = (kind: string): string => TRIGGER_WORDS[kind] ?? plain(kind)

export const HOLD_WORDS = {
  awaiting_expert: 'An expert has to look',
  awaiting_investigation: 'An investigation is under way',
  awaiting_authority: 'An authority was asked',
  awaiting_source: 'The source was asked',
} as const

/** `keyword_pattern` as people read it. */
export const plain = (name: string): string => {
  const text = name.replaceAll(/[_-]/g, ' ').replaceAll(/\bcsam\b/g, 'CSAM')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  url: 'Link',
  domain: 'Domain',
  email: 'E-mail address',
  phone: 'Phone number',
  account_id: 'Account',
  ip: 'IP address',
}

export const typeLabel = (type: string): string => TYPE_WORDS[type] ?? plain(type)
