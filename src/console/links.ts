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

  requests: (after?: string): Href => `/requests${queryOf({ after })}`,
  request: (id: Uuid): Href => `/requests/${id}`,
  approve: (id: Uuid): Href => `/requests/${id}/approve`,
  deny: (id: Uuid): Href => `/requests/${id}/deny`,
  cancelRequest: (id: Uuid): Href => `/requests/${id}/cancel`,
  /** Asks for the act that brings back what was before. */
  undoRequest: (id: Uuid): Href => `/requests/${id}/undo`,
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

  participants: (): Href => '/participants',
  participant: (slug: string): Href => `/participants/${slug}`,
  /** What a suspension would touch, and the form that does it. */
  suspend: (slug: string): Href => `/participants/${slug}/suspend`,
  revoke: (slug: string, credential: Uuid): Href => `/participants/${slug}/credentials/${credential}/revoke`,

  groups: (): Href => '/groups',
  makeGroup: (): Href => '/groups/make',
  group: (slug: string): Href => `/groups/${slug}`,
  /** What another choice of members would do. */
  previewGroup: (slug: string): Href => `/groups/${slug}/preview`,
  changeGroup: (slug: string): Href => `/groups/${slug}/change`,
  endGroup: (slug: string): Href => `/groups/${slug}/end`,
  /** Who may see a signal, and by which rule the others may not. */
  sight: (): Href => '/sight',
  invite: (slug: string): Href => `/participants/${slug}/invite`,
  readBack: (slug: string): Href => `/participants/${slug}/read-back`,
  endProbation: (slug: string): Href => `/participants/${slug}/end-probation`,

  onboardings: (): Href => '/onboarding',
  openOnboarding: (): Href => '/onboarding/open',
  onboarding: (id: Uuid): Href => `/onboarding/${id}`,
  provideItem: (id: Uuid): Href => `/onboarding/${id}/provide`,
  judgeItem: (id: Uuid): Href => `/onboarding/${id}/judge`,
  abandonOnboarding: (id: Uuid): Href => `/onboarding/${id}/abandon`,
  /** Asks for the admission, which two persons decide. */
  askAdmission: (id: Uuid): Href => `/onboarding/${id}/admission`,

  notices: (after?: string): Href => `/notices${queryOf({ after })}`,
  seeNotices: (): Href => '/notices/seen',

  /** What programs use of their limits. */
  developer: (): Href => '/developer',
  requestLog: (query: Readonly<Record<string, string | undefined>> = {}): Href =>
    `/developer/requests${queryOf(query)}`,
  sandbox: (): Href => '/developer/sandbox',
  askSandbox: (): Href => '/developer/sandbox/asks',
  openApi: (): Href => '/docs/openapi.json',

  webhooks: (): Href => '/webhooks',
  addWebhook: (): Href => '/webhooks/add',
  endWebhook: (id: Uuid): Href => `/webhooks/${id}/end`,
  rotateWebhook: (id: Uuid): Href => `/webhooks/${id}/rotation`,
  testWebhook: (id: Uuid): Href => `/webhooks/${id}/test`,
  redeliver: (id: Uuid, message: string): Href => `/webhooks/${id}/deliveries/${message}/redelivery`,

  settings: (): Href => '/settings',
  saveKeys: (): Href => '/settings/keys',
  saveWellbeing: (): Href => '/settings/wellbeing',
  look: (): Href => '/settings/look',
  endSession: (): Href => '/settings/end-session',
  sessionState: (): Href => '/session',
  stay: (): Href => '/session/stay',

  help: (): Href => '/help',
  manual: (page = ''): Href => (page === '' ? '/docs' : `/docs/${page}`),

  log: (): Href => '/log',
  logEntry: (index: bigint | number): Href => `/log/entries/${index}`,
  findEntry: (): Href => '/log/find',
  /** A view of the log: `q` is the filter as text, `below` where a page begins. */
  explorer: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/log/entries${queryOf(query)}`,
  findEntries: (): Href => '/log/entries/find',
  /** The entries of a view as a file: a read of its own. */
  logFile: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/log/file${queryOf(query)}`,
  /** Receipts and bundles, verified in the tab. */
  validator: (): Href => '/log/validate',
  /** Who obtained one signal; the proof of one of its reads as a file. */
  readers: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/log/readers${queryOf(query)}`,
  readerProof: (query: { signal: Uuid; event: Uuid }): Href => `/log/readers/proof${queryOf(query)}`,
  shareMatrix: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/log/matrix${queryOf(query)}`,
  shareMatrixFile: (query: Readonly<Record<string, string | undefined>> = {}): Href =>
    `/log/matrix/file${queryOf(query)}`,

  /** What rules found unusual. */
  anomalies: (): Href => '/anomalies',
  lookAtAnomaly: (id: Uuid): Href => `/anomalies/${id}/look`,
  closeAnomaly: (id: Uuid): Href => `/anomalies/${id}/close`,
  /** What a hold of a source would hold, and the form that proposes it. */
  holdSource: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/anomalies/source${queryOf(query)}`,
  proposeHold: (): Href => '/anomalies/source/hold',
  proposeRelease: (): Href => '/anomalies/source/release',
  /** Feeds of audiences, with what a pause would keep from whom. */
  pauses: (): Href => '/anomalies/feeds',
  proposePause: (): Href => '/anomalies/feeds/pause',
  proposeResume: (): Href => '/anomalies/feeds/resume',

  /** Policies, what the next purge takes, and legal holds. */
  retention: (): Href => '/retention',
  purge: (): Href => '/retention/purge',
  proposeLegalHold: (): Href => '/retention/hold',
  proposeLift: (): Href => '/retention/lift',

  /** What persons ask by right. */
  subjects: (): Href => '/registers/subjects',
  receiveSubject: (): Href => '/registers/subjects/receive',
  subject: (id: Uuid): Href => `/registers/subjects/${id}`,
  extendSubject: (id: Uuid): Href => `/registers/subjects/${id}/extend`,
  matchSubject: (id: Uuid): Href => `/registers/subjects/${id}/match`,
  eraseSubject: (id: Uuid): Href => `/registers/subjects/${id}/erase`,
  closeSubject: (id: Uuid): Href => `/registers/subjects/${id}/close`,
  erasureCertificate: (event: Uuid): Href => `/registers/erasures/${event}/certificate`,
  /** What authorities ask for. */
  government: (): Href => '/registers/government',
  receiveGovernment: (): Href => '/registers/government/receive',
  closeGovernment: (): Href => '/registers/government/close',
  /** What the programme has published, for everybody. */
  changes: (): Href => '/changes',
  policy: (kind: string, version: number): Href => `/changes/${kind}/${version}`,
  /** Versions of the agreement, and who has accepted which. */
  agreements: (): Href => '/registers/agreements',

  /** Transparency reports. */
  reports: (): Href => '/reports',
  draftReport: (): Href => '/reports/draft',
  report: (digest: string): Href => `/reports/${digest}`,
  reportFile: (digest: string, form: string): Href => `/reports/${digest}/file?form=${form}`,
  publishReport: (digest: string): Href => `/reports/${digest}/publish`,

  /** A view of one's own signals; `cursor` is where a page begins. */
  submissions: (query: Readonly<Record<string, string | undefined>> = {}): Href => `/submissions${queryOf(query)}`,
  findSubmissions: (): Href => '/submissions/find',
  submission: (signal: Uuid): Href => `/submissions/${signal}`,
  /** What an organisation wrote of a signal: a read of its own. */
  submissionWords: (signal: Uuid, place: bigint): Href => `/submissions/${signal}/words/${place}`,
  disputeWords: (signal: Uuid, dispute: Uuid): Href => `/submissions/${signal}/disputes/${dispute}/words`,
  answerDispute: (signal: Uuid, dispute: Uuid): Href => `/submissions/${signal}/disputes/${dispute}/answer`,
  answerQuestion: (signal: Uuid, asker: string): Href => `/submissions/${signal}/questions/${asker}/answer`,
  releaseSubmission: (signal: Uuid): Href => `/submissions/${signal}/release`,
  /** What a withdrawal would do, and the form that does it. */
  withdrawSubmission: (signal: Uuid): Href => `/submissions/${signal}/withdraw`,

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
  /** A whole view of the queue. */
  bulkView: (): Href => '/bulk/view',
  bulkJobs: (after?: Uuid): Href => `/bulk/jobs${queryOf({ after })}`,
  bulkJob: (id: Uuid): Href => `/bulk/jobs/${id}`,
  /** How far it is, asked for by its page. */
  bulkProgress: (id: Uuid): Href => `/bulk/jobs/${id}/progress`,
  answerBulk: (id: Uuid): Href => `/bulk/jobs/${id}/answer`,
  cancelBulk: (id: Uuid): Href => `/bulk/jobs/${id}/cancel`,
  undoBulk: (id: Uuid): Href => `/bulk/jobs/${id}/undo`,
  bulkTable: (id: Uuid): Href => `/bulk/jobs/${id}/results`,

  saveView: (): Href => '/views',
  forgetView: (id: Uuid): Href => `/views/${id}/forget`,

  reviewCase: (id: Uuid): Href => `/cases/${id}`,
  claimCase: (id: Uuid): Href => `/cases/${id}/claim`,
  renewCase: (id: Uuid): Href => `/cases/${id}/renew`,
  /** The same, by a page that is in use: nothing that prolongs the session. */
  keepCase: (id: Uuid): Href => `/cases/${id}/keep`,
  leaveCase: (id: Uuid): Href => `/cases/${id}/leave`,
  /** The same, by a page that goes away. */
  pageLeftCase: (id: Uuid): Href => `/cases/${id}/left`,
  holdCase: (id: Uuid): Href => `/cases/${id}/hold`,
  resumeCase: (id: Uuid): Href => `/cases/${id}/resume`,
  handOverCase: (id: Uuid): Href => `/cases/${id}/hand-over`,
  decideCase: (id: Uuid): Href => `/cases/${id}/decisions`,
  undoDecision: (id: Uuid, decision: Uuid): Href => `/cases/${id}/decisions/${decision}/undo`,
  answerProposal: (id: Uuid, decision: Uuid): Href => `/cases/${id}/decisions/${decision}/second`,
  /** The words of a signal: a read of its own. */
  caseTexts: (id: Uuid): Href => `/cases/${id}/texts`,
  caseValue: (id: Uuid): Href => `/cases/${id}/value`,
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
  /** Closed cases that are decided a second time, blind. */
  samples: (): Href => '/samples',
  sample: (id: Uuid): Href => `/samples/${id}`,
  setReview: (): Href => '/leads/settings',
} as const

const queryOf = (query: Readonly<Record<string, string | undefined>>): string => {
  const told = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return told.length === 0 ? '' : `?${new URLSearchParams(told).toString()}`
}
