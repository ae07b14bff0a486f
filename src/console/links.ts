import type { Uuid } from '../kernel/ids.ts'

/** An address of the console itself: nothing that a browser would run or leave for. */
export type Href = `/${string}`

/** Every address of the console; no page writes one of its own. */
export const links = {
  home: (): Href => '/',
  signIn: (returnTo?: Href): Href =>
    returnTo === undefined ? '/sign-in' : `/sign-in?to=${encodeURIComponent(returnTo)}`,
  /** Proves anew who it is, then comes back. */
  stepUp: (returnTo: Href): Href => `/step-up?to=${encodeURIComponent(returnTo)}`,
  /** Through the identity provider `issuer`, a name of the settings. */
  begin: (issuer: string, returnTo?: Href): Href =>
    returnTo === undefined ? `/sign-in/${issuer}` : `/sign-in/${issuer}?to=${encodeURIComponent(returnTo)}`,
  callback: (issuer: string): Href => `/sign-in/${issuer}/callback`,
  signOut: (): Href => '/sign-out',
  signedOut: (): Href => '/signed-out',

  requests: (): Href => '/requests',
  request: (id: Uuid): Href => `/requests/${id}`,
  approve: (id: Uuid): Href => `/requests/${id}/approve`,
  deny: (id: Uuid): Href => `/requests/${id}/deny`,
  carryOut: (id: Uuid): Href => `/requests/${id}/execute`,

  people: (): Href => '/people',
  addPerson: (): Href => '/people/add',
  person: (id: Uuid): Href => `/people/${id}`,
  grantRole: (id: Uuid): Href => `/people/${id}/grant`,
  endRole: (id: Uuid): Href => `/people/${id}/end-role`,
  giveLogin: (id: Uuid): Href => `/people/${id}/login`,
  endLogin: (id: Uuid): Href => `/people/${id}/end-login`,
  leave: (id: Uuid): Href => `/people/${id}/leave`,
  endSessions: (id: Uuid): Href => `/people/${id}/end-sessions`,

  settings: (): Href => '/settings',
  look: (): Href => '/settings/look',
  endSession: (): Href => '/settings/end-session',
  sessionState: (): Href => '/session',
  stay: (): Href => '/session/stay',

  help: (): Href => '/help',

  log: (): Href => '/log',
  logEntry: (index: bigint | number): Href => `/log/entries/${index}`,
  findEntry: (): Href => '/log/entries',

  /** A view of one's own signals; `cursor` is where a page begins. */
  submissions: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/submissions${queryOf(query)}`,
  findSubmissions: (): Href => '/submissions/find',
  submission: (signal: Uuid): Href => `/submissions/${signal}`,
  /** What an organisation wrote of a signal: a read of its own. */
  submissionWords: (signal: Uuid, place: bigint): Href => `/submissions/${signal}/words/${place}`,
  disputeWords: (signal: Uuid, dispute: Uuid): Href => `/submissions/${signal}/disputes/${dispute}/words`,
  answerDispute: (signal: Uuid, dispute: Uuid): Href => `/submissions/${signal}/disputes/${dispute}/answer`,
  releaseSubmission: (signal: Uuid): Href => `/submissions/${signal}/release`,

  /** A view of the queue; `cursor` is where a page begins. */
  queue: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/queue${queryOf(query)}`,
  /** Looks for a view that is written as text. */
  findQueue: (): Href => '/queue/find',
  claimNext: (): Href => '/queue/next',
  /** How many came since the page was made. */
  queueNews: (since: Date): Href => `/queue/news?since=${since.getTime()}`,

  /** Cases that are decided alike. */
  bulk: (): Href => '/bulk',
  decideBulk: (): Href => '/bulk/decide',
  undoBulk: (): Href => '/bulk/undo',
  bulkTable: (): Href => '/bulk/results',

  reviewCase: (id: Uuid): Href => `/cases/${id}`,
  claimCase: (id: Uuid): Href => `/cases/${id}/claim`,
  renewCase: (id: Uuid): Href => `/cases/${id}/renew`,
  /** The same, by a page that is in use: nothing that prolongs the session. */
  keepCase: (id: Uuid): Href => `/cases/${id}/keep`,
  leaveCase: (id: Uuid): Href => `/cases/${id}/leave`,
  holdCase: (id: Uuid): Href => `/cases/${id}/hold`,
  resumeCase: (id: Uuid): Href => `/cases/${id}/resume`,
  handOverCase: (id: Uuid): Href => `/cases/${id}/hand-over`,
  decideCase: (id: Uuid): Href => `/cases/${id}/decisions`,
  undoDecision: (id: Uuid, decision: Uuid): Href => `/cases/${id}/decisions/${decision}/undo`,
  answerProposal: (id: Uuid, decision: Uuid): Href => `/cases/${id}/decisions/${decision}/second`,
  /** The words of a signal: a read of its own. */
  caseTexts: (id: Uuid): Href => `/cases/${id}/texts`,
  /** What is related to a signal: a read of its own. */
  caseRelated: (id: Uuid, after?: Uuid): Href => `/cases/${id}/related${queryOf({ after })}`,
  /** The proof of an entry of the log, as a file. */
  caseReceipt: (id: Uuid, event: Uuid): Href => `/cases/${id}/receipts/${event}`,

  tactics: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/tactics${queryOf(query)}`,
  tactic: (source: string, signal: Uuid): Href => `/tactics/${source}/${signal}`,
  /** The words of a revision: a read of its own. */
  tacticWords: (source: string, signal: Uuid, revision: number): Href =>
    `/tactics/${source}/${signal}/words/${revision}`,
  /** How a revision differs from the one before: a read of each. */
  tacticDiff: (source: string, signal: Uuid, revision: number): Href =>
    `/tactics/${source}/${signal}/changes/${revision}`,

  search: (): Href => '/search',
  /** An id or a view, as text. */
  findAnything: (): Href => '/search/go',

  leads: (): Href => '/leads',
  secondReviews: (): Href => '/second-reviews',
} as const

const queryOf = (query: Readonly<Record<string, string | undefined>>): string => {
  const told = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return told.length === 0 ? '' : `?${new URLSearchParams(told).toString()}`
}
