import type { ColumnType } from 'kysely'
import type { Uuid } from '../kernel/ids.ts'

/** Settled when the row is made. */
type Settled<T> = ColumnType<T, T, never>
/** Made by the database of other columns. */
type Derived<T> = ColumnType<T, never, never>

// ---- reference: small, the programme's own

export interface ProgrammeTable {
  programme_id: Settled<Uuid>
  slug: Settled<string>
  trust_domain: Settled<string>
  node_origin: Settled<string>
  created_at: Settled<Date>
}

export interface ParticipantTable {
  participant_id: Settled<Uuid>
  slug: Settled<string>
  name: string
  kind: number
  status: number
  admitted_at: Settled<Date>
  /** While it is on probation. */
  probation_until: Date | null
  last_event: Uuid
}

export interface CredentialTable {
  credential_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  label: Settled<string>
  /** SHA-256 of the SubjectPublicKeyInfo, the pin. */
  spki: Settled<Buffer>
  scopes: string[]
  status: number
  not_before: Date
  not_after: Date
  last_event: Uuid
}

export interface SigningKeyTable {
  participant_id: Settled<Uuid>
  /** RFC 7638 thumbprint. */
  kid: Settled<string>
  jwk: Settled<string>
  alg: Settled<string>
  status: number
  not_before: Date
  not_after: Date
  last_event: Uuid
}

export interface AgreementTable {
  participant_id: Settled<Uuid>
  version: Settled<string>
  digest: Settled<Buffer>
  signatory: Settled<string>
  accepted_at: Settled<Date>
  last_event: Settled<Uuid>
}

export interface ParticipantGroupTable {
  group_id: Settled<Uuid>
  slug: Settled<string>
  name: string
  ended_at: Date | null
  last_event: Uuid
}

export interface GroupMemberTable {
  group_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  joined_at: Settled<Date>
  left_at: Date | null
  last_event: Uuid
}

export interface AudienceTable {
  audience_id: Settled<Uuid>
  kind: Settled<number>
  mode: Settled<number>
  group_id: Settled<Uuid | null>
  /** Who made a named audience; null for the programme's and the groups'. */
  owner: Settled<Uuid | null>
  label: string
  last_event: Uuid
}

export interface AudienceMemberTable {
  audience_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  /** First feed sequence the member may see. */
  from_seq: Settled<bigint>
  /** Last feed sequence; null while a member. */
  until_seq: bigint | null
}

export interface FeedTable {
  feed_id: Settled<Uuid>
  log_id: Settled<number>
  kind: Settled<number>
  audience_id: Settled<Uuid | null>
  participant_id: Settled<Uuid | null>
}

export interface HashProfileTable {
  kid: Settled<string>
  suite: Settled<string>
  status: number
  not_before: Settled<Date>
  not_after: Date
  last_event: Uuid
  /** Of an OPRF epoch: an element, and JSON of the parts that its key is split into. */
  public_key: Settled<Buffer | null>
  shares: Settled<string | null>
  /** The event that published it. */
  published: Settled<Uuid | null>
}

export interface EvaluationQuotaTable {
  participant_id: Settled<Uuid>
  purpose: Settled<string>
  per_day: number
  last_event: Uuid
}

export interface PolicyTable {
  kind: Settled<string>
  version: Settled<number>
  digest: Settled<Buffer>
  body: Settled<string>
  published_at: Settled<Date>
  last_event: Settled<Uuid>
}

export interface HoldSwitchTable {
  region: Settled<string>
  legal_basis: Settled<string>
  surface: Settled<string>
  held: boolean
  last_event: Uuid
}

/** A feed of an audience that gives nothing out, or did. */
export interface FeedPauseTable {
  feed_id: Settled<Uuid>
  paused: boolean
  reason: string
  at: Date
  last_event: Uuid
}

export interface AuthorityEpochTable {
  one: Settled<number>
  epoch: bigint
}

// ---- participant_id: what one organisation does commits in one shard

export interface SubmissionTable {
  participant_id: Settled<Uuid>
  /** Also the id of its log event. */
  submission_id: Settled<Uuid>
  jti: Settled<string>
  typ: Settled<number>
  od: Settled<Buffer>
  jws: Settled<string>
  n: Settled<number>
  /** Leaf hashes of all items, refused ones included, 32 bytes each. */
  leaves: Settled<Buffer>
  response: Settled<string>
  received_at: Settled<Date>
  replays: number
}

export interface SignalTable {
  participant_id: Settled<Uuid>
  signal_id: Settled<Uuid>
  /** 32 zero bytes once the signal is erased. */
  signal_key: Buffer
  type: Settled<number>
  profile: Settled<string>
  /** The stable number of the taxonomy. */
  category: number
  audience_id: Uuid
  revision: number
  state: number
  expires_at: Date
  /** Leaf hash of the newest revision, which the next one names as `prev`. */
  leaf: Buffer
  last_event: Uuid
  /** Of an erased signal: the event that changed it last before. */
  ended_by: Uuid | null
  /** The event of the value that its source sealed beside it, while there is one. */
  value_event: Uuid | null
}

export interface SignalRevisionTable {
  participant_id: Settled<Uuid>
  signal_id: Settled<Uuid>
  revision: Settled<number>
  submission_id: Settled<Uuid>
  item_index: Settled<number>
  /** Null once the item is erased. */
  salt: Buffer | null
  /** The source's text; of an erased item the stub of it that the log needs. */
  item: string
}

/** A raw link beside its signal, under a data key of its own. */
export interface SealedValueTable {
  participant_id: Settled<Uuid>
  signal_id: Settled<Uuid>
  /** For whom it was given: a signal that moves to another audience loses it. */
  audience_id: Uuid
  revision: number
  kek_id: string
  wrapped_dek: Buffer
  nonce: Buffer
  ciphertext: Buffer
  tag: Buffer
  sealed_at: Date
  last_event: Uuid
}

export interface RevealUseTable {
  participant_id: Settled<Uuid>
  day: Settled<string>
  /** A person, or the participant itself for its programs. */
  who: Settled<Uuid>
  /** Values revealed on that day. */
  used: number
}

/** A request under a key that its sender chose. */
export interface IdempotencyKeyTable {
  participant_id: Settled<Uuid>
  credential_id: Settled<Uuid>
  /** SHA-256 of the key, and of method, URL and body. */
  key_digest: Settled<Buffer>
  request_digest: Buffer
  /** The attempt that may change something under it, and until when nobody else may. */
  claim: Uuid
  claimed_until: Date
  /** Committed with the first change of that attempt. */
  changed: boolean
  done: boolean
  /** Sealed; null until there is one, and where none is kept. */
  answer: Buffer | null
  replays: number
  expires_at: Date
}

export interface IdempotencyUseTable {
  participant_id: Settled<Uuid>
  day: Settled<string>
  /** Keys that were new on that day. */
  used: number
}

export interface EvaluationUseTable {
  participant_id: Settled<Uuid>
  day: Settled<string>
  purpose: Settled<string>
  /** Elements debited on that day. */
  used: number
}

/** One batch that was debited; kept until its event is written and its repetition is no longer free. */
export interface EvaluationBatchTable {
  participant_id: Settled<Uuid>
  batch_key: Settled<Uuid>
  /** SHA-256 of what was asked for. */
  digest: Settled<Buffer>
  kid: Settled<string>
  purpose: Settled<string>
  n: Settled<number>
  at: Settled<Date>
  event_id: Uuid | null
}

export interface UploadTable {
  participant_id: Settled<Uuid>
  upload_id: Settled<Uuid>
  /** The first line that is not yet durable, from 1. */
  next_line: bigint
  updated_at: Date
}

/** An upload that is worked off after its sender has gone. */
export interface UploadJobTable {
  participant_id: Settled<Uuid>
  upload_id: Settled<Uuid>
  /** `UPLOAD_STATE`. */
  state: number
  /** Whoever receives it or works it off now. */
  attempt: Uuid
  credential_id: Uuid
  /** What the credential, or its token, may do: a JSON list. */
  scopes: string
  bytes: bigint
  lines: bigint
  accepted: bigint
  refused: bigint
  tries: number
  /** Code of the catalogue, of a job that failed. */
  fault: string | null
  received_at: Date
  ended_at: Date | null
}

/** A piece of what was sent (1), or of the results (2). */
export interface UploadPartTable {
  participant_id: Settled<Uuid>
  upload_id: Settled<Uuid>
  kind: Settled<number>
  part: Settled<number>
  content: Settled<Buffer>
}

export interface FeedAckTable {
  participant_id: Settled<Uuid>
  feed_id: Settled<Uuid>
  stage: Settled<number>
  seq: bigint
  last_event: Uuid
}

export interface ProvRecordTable {
  participant_id: Settled<Uuid>
  event_id: Settled<Uuid>
  log_id: Settled<number>
  kind: Settled<string>
  at: Settled<Date>
  payload: Settled<string>
  c: Settled<Buffer>
  /** AES-256-GCM of [[audience, disclosure | null]..]; erasure alone rewrites it. */
  body: Buffer
  epoch: number
}

export interface ProvOutboxTable {
  event_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  log_id: Settled<number>
  at: Settled<Date>
  c: Settled<Buffer>
  /** Slugs of the chain parties, joined by a space, sorted. */
  parties: Settled<string>
  after: Settled<Uuid | null>
}

export interface ReadJournalTable {
  participant_id: Settled<Uuid>
  day: Settled<string>
  journal_id: Settled<Uuid>
  at: Settled<Date>
  n: Settled<number>
  /** Commitments of the inner records, 32 bytes each. */
  c: Settled<Buffer>
  body: Buffer
  epoch: number
  /** The flushed batch and the place of the row's first read in it. */
  batch_no: bigint | null
  batch_at: number | null
}

export interface ReadPendingTable {
  participant_id: Settled<Uuid>
  journal_id: Settled<Uuid>
  day: Settled<string>
  parts: Settled<Buffer | null>
}

export interface ReadHeadTable {
  participant_id: Settled<Uuid>
  batch_no: bigint
  /** The last batch that an entry names as over, and the last whose reads are gone. */
  expired_no: bigint
  gone_no: bigint
  /** When the last of those was made that are gone. */
  gone_until: Date | null
}

export interface ReadBatchTable {
  participant_id: Settled<Uuid>
  batch_no: Settled<bigint>
  event_id: Settled<Uuid>
  n: Settled<number>
  root: Settled<Buffer>
  /** The event that names it as over. */
  expired_by: Uuid | null
}

export interface ErasureTable {
  /** The source whose signals were erased. */
  participant_id: Settled<Uuid>
  event_id: Settled<Uuid>
  request_id: Settled<Uuid>
  at: Settled<Date>
  basis: Settled<string>
  /** Holders that the log named. */
  notified: Settled<number>
}

export interface ErasureNoticeTable {
  /** The holder that is asked to remove what it obtained. */
  participant_id: Settled<Uuid>
  event_id: Settled<Uuid>
}

/** Hits that a platform's own matcher reported of another's signal. */
export interface HitTable {
  participant_id: Settled<Uuid>
  origin: Settled<Uuid>
  signal_id: Settled<Uuid>
  /** Zeros: nobody asks for it. A release before wrote the match key, which stays until its signal is erased. */
  signal_key: Buffer
  /** Since the beginning; never less than before. */
  count: number
  last_at: Date
  own_ref: string | null
  /** The count when action was taken last; null while none was. */
  acted_count: number | null
  last_event: Uuid
}

export interface ReviewCaseTable {
  participant_id: Settled<Uuid>
  case_id: Settled<Uuid>
  origin: Settled<Uuid>
  signal_id: Settled<Uuid>
  /** Zeros once the signal is erased. */
  signal_key: Buffer
  revision: number
  type: Settled<number>
  category: number
  severity: number
  confidence: number
  state: number
  /** Grows with every move; a lease moves nothing. */
  version: number
  own_hits: number
  confirmations: number
  disputed: boolean
  rank: number
  due_at: Date
  /** Since when the source owes an answer: the time to the due date stands still. */
  paused_at: Date | null
  opened_at: Date
  held_until: Date | null
  hold_reason: string | null
  assigned_to: string | null
  /** The hand-over to whoever it is assigned to; null in rows of earlier releases. */
  handed_event: Uuid | null
  last_event: Uuid
}

export interface CaseTriggerTable {
  participant_id: Settled<Uuid>
  case_id: Settled<Uuid>
  kind: Settled<string>
  ref: Settled<string>
  at: Settled<Date>
  last_event: Settled<Uuid>
}

export interface ReviewLeaseTable {
  participant_id: Settled<Uuid>
  case_id: Settled<Uuid>
  holder: string
  token: Uuid
  expires_at: Date
}

export interface RoutingRuleTable {
  participant_id: Settled<Uuid>
  keyword_patterns: boolean
  critical: boolean
  not_reviewed: boolean
  new_sources: boolean
  categories: string[]
  last_event: Uuid
}

export interface DecisionTable {
  participant_id: Settled<Uuid>
  case_id: Settled<Uuid>
  seq: Settled<number>
  decision_id: Settled<Uuid>
  verdict: Settled<number>
  reason: Settled<string>
  /** Of the signal, as whoever decided saw it; null in rows of earlier releases. */
  revision: Settled<number | null>
  note_team: Settled<string | null>
  note_shared: Settled<string | null>
  category_suggested: Settled<string | null>
  accounts_actioned: Settled<number | null>
  content_removed: Settled<number | null>
  urls_blocked: Settled<number | null>
  reports_filed: Settled<number | null>
  investigations_opened: Settled<number | null>
  authority: Settled<number>
  decided_by: Settled<string>
  decided_at: Settled<Date>
  /** By when the case was to be decided, as it stood then; null in rows of earlier releases. */
  due_at: Settled<Date | null>
  needs_second: Settled<boolean>
  supersedes: Settled<number | null>
  /** Of a case that was closed: undone or refused, what was decided before stands. */
  corrects: Settled<boolean>
  approved_by: string | null
  /** The end of the grace; null while a second person has to approve. */
  release_at: Date | null
  released_at: Date | null
  /** Undone, denied, taken back or expired before it was released. */
  ended_at: Date | null
  /** Who denied it, and why in one word. */
  refused_by: string | null
  refusal: string | null
  /** One of those that were decided alike. */
  job_id: Settled<Uuid | null>
  /** Of a critical signal, by one person, where the programme lets that pass. */
  single_reviewed: Settled<boolean>
  last_event: Uuid
}

/** Cases that are decided alike; what is to be decided is settled when it is asked for. */
export interface BulkJobTable {
  participant_id: Settled<Uuid>
  job_id: Settled<Uuid>
  verdict: Settled<number>
  reason: Settled<string>
  note_team: Settled<string | null>
  note_shared: Settled<string | null>
  n: Settled<number>
  /** Of the exact list and decision. */
  digest: Settled<Buffer>
  state: number
  authority: Settled<number>
  proposed_by: Settled<string>
  proposed_at: Settled<Date>
  needs_second: Settled<boolean>
  approved_by: string | null
  approved_digest: Buffer | null
  /** Of a proposal. */
  expires_at: Date | null
  /** Why it was not carried out, in one word. */
  refusal: string | null
  ended_at: Date | null
  /** The end of the grace of all of it. */
  release_at: Date | null
  last_event: Uuid
}

export interface BulkItemTable {
  participant_id: Settled<Uuid>
  job_id: Settled<Uuid>
  place: Settled<number>
  case_id: Settled<Uuid>
  /** As it was seen. */
  version: Settled<number>
  decision_id: Settled<Uuid>
  /** Null until it was looked at. */
  result: number | null
  done_at: Date | null
  /** Null unless the whole was undone. */
  undone: boolean | null
}

/** How an organisation reviews. */
export interface ReviewSettingTable {
  participant_id: Settled<Uuid>
  /** Of the week, a bit each from Sunday on; 0 where time always counts. */
  days: number
  /** Minutes of the day (UTC). */
  opens: number
  closes: number
  sample_percent: number
  last_event: Uuid
}

/** A decision that is made a second time, by somebody who does not see the first. */
export interface ReviewSampleTable {
  participant_id: Settled<Uuid>
  sample_id: Settled<Uuid>
  case_id: Settled<Uuid>
  seq: Settled<number>
  verdict: Settled<number>
  reason: Settled<string>
  decided_by: Settled<string>
  approved_by: Settled<string | null>
  authority: Settled<number>
  opened_at: Settled<Date>
  second_verdict: number | null
  second_reason: string | null
  second_by: string | null
  second_authority: number | null
  second_at: Date | null
  last_event: Uuid
}

/** A case that somebody worked on, and a lead took over. */
export interface CaseTakenTable {
  participant_id: Settled<Uuid>
  event_id: Settled<Uuid>
  case_id: Settled<Uuid>
  taken_from: Settled<string>
  taken_by: Settled<string>
  at: Settled<Date>
}

/** What a source answered to a recipient that needed information; also the event of the log. */
export interface QuestionAnswerTable {
  participant_id: Settled<Uuid>
  answer_id: Settled<Uuid>
  asker: Settled<Uuid>
  signal_id: Settled<Uuid>
  revision: Settled<number>
  /** JSON, as the recipient is told it. */
  told: Settled<string>
  at: Settled<Date>
}

/** A filter with a name, of one person or of all of its organisation. */
export interface SavedViewTable {
  participant_id: Settled<Uuid>
  view_id: Settled<Uuid>
  owner: Settled<Uuid>
  shared: Settled<boolean>
  screen: Settled<string>
  name: Settled<string>
  filter: Settled<string>
  made_at: Settled<Date>
}

/** Where an organisation is told what waits for it; its secret is derived from the node's key and stands in no row. */
export interface WebhookEndpointTable {
  participant_id: Settled<Uuid>
  endpoint_id: Settled<Uuid>
  url: Settled<string>
  kinds: Settled<string[]>
  made_by: Settled<Uuid>
  made_at: Settled<Date>
  ended_at: Date | null
  last_event: Uuid
  /** Ids of the feeds that it is told of. */
  feeds: Settled<string[]>
  /** Counted from 1: each rotation is another secret. */
  secret_no: number
  rotated_at: Date | null
}

/** The last sequence that an endpoint was told of. */
export interface WebhookPlaceTable {
  participant_id: Settled<Uuid>
  endpoint_id: Settled<Uuid>
  feed_id: Settled<Uuid>
  seq: bigint
}

/** An assertion that was taken, until it would be refused for its age. */
export interface ClientAssertionTable {
  participant_id: Settled<Uuid>
  jti: Settled<string>
  ends_at: Settled<Date>
}

export interface ConformanceRunTable {
  participant_id: Settled<Uuid>
  run_id: Settled<Uuid>
  at: Settled<Date>
  /** JSON: by step, `pass` or `fail`. */
  steps: Settled<string>
  passed: Settled<boolean>
  last_event: Settled<Uuid>
}

/** A request as it was answered; of the route its pattern, of what came with it nothing. */
export interface RequestLogTable {
  participant_id: Settled<Uuid>
  request_id: Settled<string>
  at: Settled<Date>
  credential_id: Settled<Uuid>
  method: Settled<string>
  route: Settled<string>
  status: Settled<number>
  code: Settled<string | null>
  duration_ms: Settled<number>
  response_bytes: Settled<bigint | null>
  /** In the first row of a batch: requests since the batch before that were not written down. In others 0. */
  dropped: Settled<number>
}

export interface WebhookDeliveryTable {
  participant_id: Settled<Uuid>
  endpoint_id: Settled<Uuid>
  /** The same at each attempt, and made of what it tells: it is never told twice. */
  message_id: Settled<string>
  kind: Settled<string>
  /** Ids and kinds alone. */
  body: Settled<string>
  made_at: Settled<Date>
  attempts: number
  /** Null once it was delivered or given up. */
  next_at: Date | null
  delivered_at: Date | null
  /** Why the last attempt failed. */
  fault: string | null
}

/** What a participant signed of another's signal, verbatim. */
export interface SignedActTable {
  participant_id: Settled<Uuid>
  act_id: Settled<Uuid>
  jti: Settled<string>
  od: Settled<Buffer>
  jws: Settled<string>
  salt: Settled<Buffer>
  item: Settled<string>
  countersignature: Settled<string>
  received_at: Settled<Date>
  replays: number
}

export interface FeedbackTable {
  participant_id: Settled<Uuid>
  /** Also the event of the log. */
  feedback_id: Settled<Uuid>
  origin: Settled<Uuid>
  signal_id: Settled<Uuid>
  revision: Settled<number>
  outcome: Settled<number>
  authority: Settled<number>
  own_hits: Settled<number>
  recurrences: Settled<number>
  supersedes: Settled<Uuid | null>
  /** JSON, as the source is told it. */
  told: Settled<string>
  at: Settled<Date>
}

export interface DisputeTable {
  participant_id: Settled<Uuid>
  dispute_id: Settled<Uuid>
  origin: Settled<Uuid>
  signal_id: Settled<Uuid>
  revision: Settled<number>
  ground: Settled<string>
  note: Settled<string | null>
  authority: Settled<number>
  /** JSON, as the source is told it. */
  told: Settled<string>
  opened_at: Settled<Date>
  due_at: Settled<Date>
  last_event: Settled<Uuid>
}

/** A dispute at the source that has to answer it. */
export interface DisputeReceivedTable {
  participant_id: Settled<Uuid>
  dispute_id: Settled<Uuid>
  opener: Settled<Uuid>
  signal_id: Settled<Uuid>
  revision: Settled<number>
  ground: Settled<string>
  note: Settled<string | null>
  opened_at: Settled<Date>
  due_at: Settled<Date>
}

export interface DisputeAnswerTable {
  participant_id: Settled<Uuid>
  dispute_id: Settled<Uuid>
  opener: Settled<Uuid>
  signal_id: Settled<Uuid>
  revision: Settled<number>
  result: Settled<string>
  note: Settled<string | null>
  /** JSON, as whoever disputed is told it. */
  told: Settled<string>
  at: Settled<Date>
  last_event: Settled<Uuid>
}

/** The source's answer at whoever disputed. */
export interface DisputeResultTable {
  participant_id: Settled<Uuid>
  dispute_id: Settled<Uuid>
  result: Settled<string>
  note: Settled<string | null>
  at: Settled<Date>
}

/** What each recipient says last, beside the source's signal. */
export interface SignalOpinionTable {
  participant_id: Settled<Uuid>
  signal_id: Settled<Uuid>
  giver: Settled<Uuid>
  outcome: number
  independent: boolean
  recurrences: number
  at: Date
  /** Of the log entry that told it. */
  place: bigint
}

/** The same as counts, for every recipient. */
export interface SignalTallyTable {
  participant_id: Settled<Uuid>
  signal_id: Settled<Uuid>
  audience_id: Uuid
  /** JSON: how many say what. */
  counts: string
  open_disputes: number
  recurrences: number
}

export interface SignalHoldTable {
  participant_id: Settled<Uuid>
  held_event: Settled<Uuid>
  signal_id: Settled<Uuid>
  /** As it stood. */
  revision: Settled<number>
  dispute_id: Settled<Uuid | null>
  held_at: Settled<Date>
  released_event: Uuid | null
  released_at: Date | null
  /** By which two persons of the programme placed it. */
  request: Settled<Uuid | null>
}

// ---- signal_key: what others look up

export interface SharedSignalTable {
  signal_key: Settled<Buffer>
  signal_id: Settled<Uuid>
  origin: Settled<Uuid>
  type: Settled<number>
  profile: string
  audience_id: Uuid
  revision: number
  state: number
  expires_at: Date
  log_idx: bigint
  /** Where the event's bytes are. */
  feed_id: Uuid
  seq: bigint
}

// ---- signal_id: what is asked for by one of its ends

export interface SharedRelationTable {
  /** One of the two signals that the relation names. */
  signal_id: Settled<Uuid>
  origin: Settled<Uuid>
  /** The relation itself, a signal as well. */
  relation_id: Settled<Uuid>
  other_id: Settled<Uuid>
  /** Whether `signal_id` is the one it goes out from. */
  outward: Settled<boolean>
  kind: Settled<number>
  audience_id: Uuid
  revision: number
  state: number
  observed_at: Date
  expires_at: Date
  log_idx: bigint
}

// ---- feed_id: dense order

export interface FeedHeadTable {
  feed_id: Settled<Uuid>
  next_seq: bigint
  applied_idx: bigint
  added_us: bigint
  /** Oldest sequence still served; older cursors are refused. */
  retained_from: bigint
  sealed_seq: bigint
  /** Grows with each erasure that rewrote entries: what was read before is not sealed after it. */
  erasures: bigint
}

export interface FeedEntryTable {
  feed_id: Settled<Uuid>
  seq: Settled<bigint>
  log_idx: Settled<bigint>
  kind: Settled<number>
  origin: Settled<Uuid>
  signal_id: Settled<Uuid>
  revision: Settled<number>
  submission_id: Settled<Uuid>
  /** The event as it is sent, serialised once; an erasure alone rewrites it. */
  body: string
  /** When it came into the feed, microseconds since 1970, rising; 0 where no release noted it yet. */
  added_us: Settled<bigint>
  /** By what the id of another protocol's object finds the signal; PostgreSQL makes it of `signal_id`. */
  object_key: Derived<Buffer | null>
}

export interface FeedSubmissionTable {
  feed_id: Settled<Uuid>
  submission_id: Settled<Uuid>
  body: Settled<string>
}

export interface FeedSegmentTable {
  feed_id: Settled<Uuid>
  first_seq: Settled<bigint>
  generation: Settled<number>
  n: Settled<number>
  digest: Settled<Buffer>
  set_salt: Settled<Buffer>
  /** JSON [[slug, n, root b64u]..]: the read journal's per-source sets, made once. */
  sets: Settled<string>
  /** NDJSON, compressed with brotli (RFC 7932). */
  bytes: Settled<Buffer>
}

/** A live signal of a sealed feed; its event in the clear is for whoever opens it. */
export interface SealedSignalTable {
  feed_id: Settled<Uuid>
  signal_id: Settled<Uuid>
  origin: Settled<Uuid>
  revision: number
  seq: bigint
  submission_id: Uuid
  expires_at: Date
  entry: Buffer
  body: string
}

export interface SealedSnapshotTable {
  feed_id: Settled<Uuid>
  /** The feed's sequence up to which it is made. */
  snapshot: Settled<bigint>
  /** Null: too many entries for buckets. */
  bits: Settled<number | null>
  width: Settled<number>
  made_at: Settled<Date>
}

export interface SealedBucketTable {
  feed_id: Settled<Uuid>
  snapshot: Settled<bigint>
  prefix: Settled<number>
  body: Buffer
}

// ---- log_id: the provenance log

export interface LogHeadTable {
  log_id: Settled<number>
  origin: Settled<string>
  size: bigint
  root: Buffer
  edges: Buffer
  /** Set once, when the next log is opened: this one ends there. */
  closed_size: bigint | null
}

export interface LogFenceTable {
  log_id: Settled<number>
  size: bigint
  root: Buffer
}

export interface LogEventTable {
  log_id: Settled<number>
  event_id: Settled<Uuid>
  idx: Settled<bigint>
}

export interface LogBatchTable {
  log_id: Settled<number>
  first_idx: Settled<bigint>
  n: Settled<number>
  data: Settled<Buffer>
}

export interface LogChainTable {
  log_id: Settled<number>
  party: Settled<string>
  seq: bigint
  link: Buffer
}

export interface LogChainSegTable {
  log_id: Settled<number>
  party: Settled<string>
  first_seq: Settled<bigint>
  n: Settled<number>
  data: Settled<Buffer>
}

export interface LogTileTable {
  log_id: Settled<number>
  level: Settled<number>
  n: Settled<bigint>
  data: Settled<Buffer>
}

export interface LogSignedTable {
  log_id: Settled<number>
  size: bigint
  root: Buffer
  range: Buffer
  at: Date
}

export interface LogCheckpointTable {
  log_id: Settled<number>
  size: Settled<bigint>
  at: Settled<Date>
  note: Settled<string>
}

export interface LogCosignatureTable {
  log_id: Settled<number>
  size: Settled<bigint>
  /** The witness's verifier key: name and id. */
  witness: Settled<string>
  seconds: Settled<bigint>
  /** The signature line, verbatim. */
  line: Settled<string>
}

export interface LogWitnessTable {
  log_id: Settled<number>
  witness: Settled<string>
  /** The largest that it cosigned, and when. */
  size: bigint
  seconds: bigint
  missing_since: Date | null
}

export interface LogPublishedTable {
  log_id: Settled<number>
  size: bigint
  /** When it was signed. */
  at: Date
  /** With the cosignatures. */
  note: string
  cosigned: number
  wanted: number
  /** Whether the cosignatures are those that the policy asks for. */
  quorum: boolean
}

export interface LogOutageTable {
  log_id: Settled<number>
  /** SHA-256 of the policy that was recorded last, hex. */
  policy: string | null
  policy_at: Date | null
  /** Since when the quorum was missing, and when that ended. */
  since: Date | null
  ended: Date | null
}

/** One entry as the explorer finds it; what it says stays in its record. */
export interface LogEntryTable {
  log_id: Settled<number>
  idx: Settled<bigint>
  event_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  kind: Settled<string>
  actor: Settled<string>
  at: Settled<Date>
  /** The latest time of any entry up to it. */
  logged_at: Settled<Date>
  recipients: Settled<string[]>
}

/** What an entry is found by besides: `party:`, `recipient:` and `signal:`. */
export interface LogMentionTable {
  log_id: Settled<number>
  term: Settled<string>
  idx: Settled<bigint>
}

/** What one organisation shared with another on a day, and what was said of it. */
export interface ShareDayTable {
  log_id: Settled<number>
  day: Settled<string>
  source: Settled<string>
  recipient: Settled<string>
  category: Settled<string>
  audience: Settled<Uuid>
  shared: number
  confirmed: number
  not_violating: number
  answered: number
  disputed: number
  /** Of first answers by how long they took. */
  waits: number[]
}

/** What one organisation did in an hour: entries of the log, and how many things they were about. */
export interface ActivityHourTable {
  log_id: Settled<number>
  hour: Settled<Date>
  actor: Settled<string>
  kind: Settled<string>
  entries: number
  items: bigint
}

/** What figures of reports are made of, of `n` entries from `first_idx` on; of `sealed` of them nothing could be read. */
export interface ReportFactsTable {
  log_id: Settled<number>
  first_idx: Settled<bigint>
  n: Settled<number>
  sealed: Settled<number>
  facts: Settled<string>
}

export interface ProjectorTable {
  log_id: Settled<number>
  name: Settled<string>
  next_idx: bigint
}

// ---- control: coordinator-local, not hot

/** A transparency report, under the SHA-256 of its RFC 8785 form. */
export interface ReportTable {
  digest: Settled<Buffer>
  period_from: Settled<Date>
  period_to: Settled<Date>
  log_size: Settled<bigint>
  body: Settled<string>
  made_by: Settled<Uuid>
  made_at: Settled<Date>
  published_at: Date | null
  published_event: Uuid | null
}

/** What two persons decided that nobody removes: reads of one organisation, signals of it, or both. */
export interface LegalHoldTable {
  hold_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  what: Settled<string>
  reason: Settled<string>
  placed_at: Settled<Date>
  lifted_at: Date | null
  last_event: Uuid
}

/** What a person asks by right, without who the person is. */
export interface SubjectRequestTable {
  request_id: Settled<Uuid>
  kind: Settled<string>
  received_at: Settled<Date>
  due_at: Date
  /** Why it takes longer than a month. */
  extension: string | null
  searched_at: Date | null
  outcome: string | null
  closed_at: Date | null
  opened_by: Settled<Uuid>
  last_event: Uuid
}

/** Signals of one source that a request is about, and the approval that erases them. */
export interface SubjectRequestPartTable {
  request_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  signals: string[]
  approval: Uuid | null
}

/** What an authority asked for, in numbers and codes. */
export interface GovernmentRequestTable {
  request_id: Settled<Uuid>
  country: Settled<string>
  kind: Settled<string>
  asked: Settled<number>
  basis: Settled<string>
  reference: Settled<string>
  received_at: Settled<Date>
  opened_by: Settled<Uuid>
  outcome: string | null
  disclosed: number | null
  closed_at: Date | null
  last_event: Uuid
}

/** Something unusual that a rule found, once a day for each organisation, and what people made of it. */
export interface AnomalyCaseTable {
  case_id: Settled<Uuid>
  rule: Settled<string>
  /** Slug of the organisation, or `log`. */
  subject: Settled<string>
  day: Settled<string>
  /** In the unit of the rule. */
  measured: Settled<number>
  baseline: Settled<number>
  threshold: Settled<number>
  state: number
  opened_at: Settled<Date>
  moved_by: Uuid | null
  moved_at: Date | null
  reason: string | null
  note: string | null
  last_event: Uuid
}

export interface PersonTable {
  person_id: Settled<Uuid>
  organisation: Settled<string>
  name: string
  status: number
  last_event: Uuid
}

export interface RoleGrantTable {
  person_id: Settled<Uuid>
  role: Settled<string>
  granted_at: Settled<Date>
  ended_at: Date | null
  last_event: Uuid
}

export interface LoginTable {
  login_id: Settled<Uuid>
  person_id: Settled<Uuid>
  issuer: Settled<string>
  subject: Settled<string>
  given_at: Settled<Date>
  ended_at: Date | null
  last_event: Uuid
}

export interface ConsoleSessionTable {
  session_id: Settled<Uuid>
  /** SHA-256 of the cookie's value. */
  cookie: Buffer
  csrf: Settled<Buffer>
  person_id: Settled<Uuid>
  login_id: Settled<Uuid>
  claimed: string[]
  /** In effect when the cookie was last replaced. */
  roles: string[]
  acr: string | null
  stepped_up: boolean
  auth_time: Date
  agent: Settled<string>
  made_at: Settled<Date>
  seen_at: Date
  ends_at: Settled<Date>
  ended_at: Date | null
  end_reason: string | null
}

export interface ConsoleFormTable {
  session_id: Settled<Uuid>
  once: Settled<Uuid>
}

/** How a person works with the console. */
export interface ConsolePreferenceTable {
  person_id: Settled<Uuid>
  /** JSON. */
  settings: string
  notices_seen_at: Date | null
  updated_at: Date
}

/** How many severe items a person saw on a day of UTC; read by nobody else. */
export interface ConsoleExposureTable {
  person_id: Settled<Uuid>
  day: Settled<string>
  seen: number
  since_break: number
  began_at: Date
  last_at: Date
}

export interface ApprovalRequestTable {
  request_id: Settled<Uuid>
  action: Settled<string>
  /** RFC 8785. */
  payload: Settled<string>
  digest: Settled<Buffer>
  requested_by: Settled<Uuid>
  requested_org: Settled<string>
  other_org: Settled<boolean>
  needed: Settled<number>
  requested_at: Settled<Date>
  expires_at: Settled<Date>
  executed_at: Date | null
  cancelled_at: Date | null
  last_event: Uuid
}

export interface ApprovalTable {
  request_id: Settled<Uuid>
  requested_by: Settled<Uuid>
  requested_org: Settled<string>
  other_org: Settled<boolean>
  digest: Settled<Buffer>
  approver: Settled<Uuid>
  approver_org: Settled<string>
  verdict: Settled<number>
  auth_time: Settled<Date>
  at: Settled<Date>
  /** Why it was denied, in the words of whoever did. */
  note: Settled<string | null>
  last_event: Settled<Uuid>
}

export interface EnrolmentTable {
  enrolment_id: Settled<Uuid>
  participant_id: Settled<Uuid>
  label: Settled<string>
  scopes: Settled<string[]>
  /** SHA-256 of the one-time code. */
  code: Settled<Buffer>
  expires_at: Settled<Date>
  tries: number
  used_at: Date | null
  read_back: Settled<boolean>
  /** Of a key that was presented and waits for its fingerprint to be read back. */
  credential_id: Uuid | null
  spki: Buffer | null
  /** RFC 7517, canonical text. */
  signing_jwk: string | null
  last_event: Uuid
}

export interface OnboardingTable {
  onboarding_id: Settled<Uuid>
  slug: Settled<string>
  name: Settled<string>
  kind: Settled<number>
  opened_by: Settled<Uuid>
  opened_at: Settled<Date>
  outcome: number | null
  closed_at: Date | null
  last_event: Uuid
}

export interface OnboardingItemTable {
  onboarding_id: Settled<Uuid>
  item: Settled<string>
  state: number
  version: string | null
  /** SHA-256 of the document that was shown. */
  digest: Buffer
  /** The office of who signed it. */
  signatory: string | null
  provided_by: Uuid
  provided_at: Date
  judged_by: Uuid | null
  judged_at: Date | null
  last_event: Uuid
}

export interface EpochKeyTable {
  /** The generation of a month's key that sealed what was erased since. */
  epoch: Settled<number>
  stale_at: Settled<Date>
  /** When nothing was sealed under it any more, and when it was destroyed. */
  rewrapped_at: Date | null
  destroyed_at: Date | null
}

export interface HandshakeRefusalTable {
  minute: Settled<Date>
  address: Settled<string>
  reason: Settled<string>
  count: number
}

/** From which networks a key was used on a day; of a network its keyed hash alone. */
export interface NetworkDayTable {
  participant_id: Settled<Uuid>
  credential_id: Settled<Uuid>
  day: Settled<string>
  network: Settled<Buffer>
}

/** Look-ups of an organisation on a day, and those that found something. */
export interface LookupDayTable {
  participant_id: Settled<Uuid>
  day: Settled<string>
  lookups: bigint
  with_hits: bigint
}

export interface Database {
  programme: ProgrammeTable
  participant: ParticipantTable
  credential: CredentialTable
  signing_key: SigningKeyTable
  agreement: AgreementTable
  participant_group: ParticipantGroupTable
  group_member: GroupMemberTable
  audience: AudienceTable
  audience_member: AudienceMemberTable
  feed: FeedTable
  hash_profile: HashProfileTable
  evaluation_quota: EvaluationQuotaTable
  policy: PolicyTable
  hold_switch: HoldSwitchTable
  feed_pause: FeedPauseTable
  authority_epoch: AuthorityEpochTable
  submission: SubmissionTable
  signal: SignalTable
  signal_revision: SignalRevisionTable
  upload: UploadTable
  upload_job: UploadJobTable
  upload_part: UploadPartTable
  sealed_value: SealedValueTable
  reveal_use: RevealUseTable
  idempotency_key: IdempotencyKeyTable
  idempotency_use: IdempotencyUseTable
  evaluation_use: EvaluationUseTable
  evaluation_batch: EvaluationBatchTable
  feed_ack: FeedAckTable
  prov_record: ProvRecordTable
  prov_outbox: ProvOutboxTable
  read_journal: ReadJournalTable
  read_pending: ReadPendingTable
  read_head: ReadHeadTable
  read_batch: ReadBatchTable
  erasure: ErasureTable
  erasure_notice: ErasureNoticeTable
  hit: HitTable
  review_case: ReviewCaseTable
  case_trigger: CaseTriggerTable
  review_lease: ReviewLeaseTable
  routing_rule: RoutingRuleTable
  decision: DecisionTable
  bulk_job: BulkJobTable
  bulk_item: BulkItemTable
  review_setting: ReviewSettingTable
  review_sample: ReviewSampleTable
  case_taken: CaseTakenTable
  question_answer: QuestionAnswerTable
  saved_view: SavedViewTable
  webhook_endpoint: WebhookEndpointTable
  webhook_delivery: WebhookDeliveryTable
  webhook_place: WebhookPlaceTable
  client_assertion: ClientAssertionTable
  conformance_run: ConformanceRunTable
  request_log: RequestLogTable
  signed_act: SignedActTable
  feedback: FeedbackTable
  dispute: DisputeTable
  dispute_received: DisputeReceivedTable
  dispute_answer: DisputeAnswerTable
  dispute_result: DisputeResultTable
  signal_opinion: SignalOpinionTable
  signal_tally: SignalTallyTable
  signal_hold: SignalHoldTable
  shared_signal: SharedSignalTable
  shared_relation: SharedRelationTable
  feed_head: FeedHeadTable
  feed_entry: FeedEntryTable
  feed_submission: FeedSubmissionTable
  feed_segment: FeedSegmentTable
  sealed_signal: SealedSignalTable
  sealed_snapshot: SealedSnapshotTable
  sealed_bucket: SealedBucketTable
  log_head: LogHeadTable
  log_fence: LogFenceTable
  log_event: LogEventTable
  log_batch: LogBatchTable
  log_chain: LogChainTable
  log_chain_seg: LogChainSegTable
  log_tile: LogTileTable
  log_signed: LogSignedTable
  log_checkpoint: LogCheckpointTable
  log_cosignature: LogCosignatureTable
  log_witness: LogWitnessTable
  log_published: LogPublishedTable
  log_outage: LogOutageTable
  log_entry: LogEntryTable
  log_mention: LogMentionTable
  share_day: ShareDayTable
  activity_hour: ActivityHourTable
  report_facts: ReportFactsTable
  projector: ProjectorTable
  person: PersonTable
  role_grant: RoleGrantTable
  login: LoginTable
  console_session: ConsoleSessionTable
  console_form: ConsoleFormTable
  console_preference: ConsolePreferenceTable
  console_exposure: ConsoleExposureTable
  approval_request: ApprovalRequestTable
  approval: ApprovalTable
  enrolment: EnrolmentTable
  onboarding: OnboardingTable
  onboarding_item: OnboardingItemTable
  epoch_key: EpochKeyTable
  handshake_refusal: HandshakeRefusalTable
  network_day: NetworkDayTable
  lookup_day: LookupDayTable
  report: ReportTable
  anomaly_case: AnomalyCaseTable
  legal_hold: LegalHoldTable
  subject_request: SubjectRequestTable
  subject_request_part: SubjectRequestPartTable
  government_request: GovernmentRequestTable
}

export type TableName = keyof Database
