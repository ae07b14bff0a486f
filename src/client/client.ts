import type { Static } from 'typebox'
import type {
  ActResult,
  DisputeAnswer,
  DisputeAnswered,
  DisputeList,
  DisputesQuery,
  Opinions,
  Released,
  SignedAct,
} from '../feedback/schema.ts'
import type { SentFigures, SentList, SentQuery } from '../feedback/sent-schema.ts'
import type {
  AcknowledgementResult,
  EventsPage,
  FeedEventBody,
  FeedList,
  Lookup,
  LookupResult,
  NetworkResult,
  OpeningResult,
  Purpose,
  RevealAsked,
  RevealResult,
  SnapshotInfo,
  SubmissionProof,
} from '../feeds/schema.ts'
import type { Meta } from '../http/schema.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { Evaluation, EvaluationResult, OprfKeyList } from '../matching/schema.ts'
import type {
  AudienceInfo,
  AudienceList,
  HashKey,
  HashProfileList,
  NamedAudience,
  RenewalResult,
  Scope,
  SigningKeyNonce,
  SigningKeyRegistration,
  SigningKeyResult,
  SourceList,
  WhoAmI,
} from '../participants/schema.ts'
import type { HitReport, HitResult } from '../review/schema.ts'
import type {
  GivenValue,
  OwnSignalResult,
  Submission,
  SubmissionResult,
  UploadLine,
  ValueResult,
} from '../signals/schema.ts'
import { narrowed } from './access.ts'
import { type CaseClient, casesOver } from './cases.ts'
import { type ConformanceClient, conformanceOver } from './conformance.ts'
import { evaluatorOver } from './evaluator.ts'
import { type StreamQuery, streamEvents } from './event-stream.ts'
import { readIn } from './headers.ts'
import { linesOf, writeLines } from './lines.ts'
import { type LogLooks, looksOver } from './log-looks.ts'
import { type OversightClient, oversightOver } from './oversight.ts'
import { readsOver } from './reads.ts'
import { type Recorded, recordedOver } from './recorded.ts'
import { type SealedDelta, sealedPage, sealedSegment } from './sealed-feed.ts'
import { type Segment, type SegmentRun, segmentAt, segmentRun } from './segment-run.ts'
import { ANSWER_MAX, createTransport, keyed, refusalIn, type TlsIdentity, type Transport } from './transport.ts'
import { type UploadClient, uploadsOver } from './uploads.ts'
import { type UsageClient, usageOver } from './usage.ts'
import { type WebhookClient, webhooksOver } from './webhooks.ts'

export interface ClientOptions extends TlsIdentity {
  /** `https://host:port` of the partner listener. */
  origin: string
  maxSockets?: number
  /** The number of the log that is followed, the end of its origin; 1 unless it was rotated. */
  log?: number
  /** Whatever is asked is asked under access tokens of these scopes, fewer than the credential has. */
  scopes?: readonly Scope[]
}

/** One event with the submission that proves it, where a source signed it. */
export interface Received {
  event: FeedEventBody
  proof: SubmissionProof | undefined
}

export type SourceInfo = SourceList['participants'][number]

/** Everything a participant asks of a node. Methods throw `AldisError` with the node's code. */
export interface Client extends LogLooks {
  whoami(): Promise<WhoAmI>
  /** Versions of node, API and policies, and which operations will end. */
  meta(): Promise<Meta>
  audiences(): Promise<AudienceList>
  /** Makes an audience of ourselves and the named participants, under an id of our choice: safe to repeat. */
  openAudience(audience: Uuid, named: NamedAudience): Promise<AudienceInfo>
  /** What a new signing key has to sign, within five minutes. */
  signingKeyNonce(): Promise<SigningKeyNonce>
  /** Leaves the key pending until two administrators confirm it; the same key again answers its state. */
  registerSigningKey(registration: SigningKeyRegistration): Promise<SigningKeyResult>
  participants(): Promise<SourceList>
  hashProfiles(): Promise<HashProfileList>
  /** The key of an `hmac-sha256` epoch, base64url; a logged read. */
  hashKey(kid: string): Promise<HashKey & Recorded>
  /** The public keys of OPRF epochs, as the node says: `pinnedOprfKey` holds them against the log. */
  oprfKeys(): Promise<OprfKeyList>
  /** Blinded elements evaluated under the key of an epoch; `key`, a UUID, names the request if it is repeated. */
  evaluate(asked: Evaluation, key: string): Promise<EvaluationResult>
  /** With `dryRun` nothing is stored, and the answer says what would become of it. */
  submit(submission: Submission, options?: { dryRun?: boolean }): Promise<SubmissionResult>
  /** Sends a prepared NDJSON stream from `upload.line` on; yields the node's result lines as they come. */
  upload(upload: { id: Uuid; line: bigint }, lines: AsyncIterable<string | Buffer>): AsyncGenerator<UploadLine>
  nextLine(upload: Uuid): Promise<bigint>
  /** Uploads that the node works off while nobody is connected. */
  readonly uploads: UploadClient
  own(signal: Uuid): Promise<Static<typeof OwnSignalResult>>
  /** Lets the audience of one's own link reveal it; null takes it back. The same again changes nothing. */
  sealValue(signal: Uuid, given: GivenValue): Promise<ValueResult>
  /**
   * The raw link behind a signal of another, if its source sealed it: an entry of the log, and never repeated by itself. What the
   * node says: `checkRevealed` holds it against what the source signed.
   */
  reveal(signal: Uuid, asked: RevealAsked): Promise<RevealResult & Recorded>
  feeds(): Promise<FeedList>
  events(
    feed: Uuid,
    query: { cursor?: string; limit?: number; wait?: number },
    signal?: AbortSignal,
  ): Promise<EventsPage & Recorded>
  /** Pages of what follows a cursor, and of what comes, without end: see `streamEvents`. Each is as `events` gives it. */
  stream(feed: Uuid, query?: StreamQuery): AsyncGenerator<EventsPage & Recorded>
  /** The events of one sealed segment, and the cursor that stands after them. */
  segment(feed: Uuid, first_seq: bigint): Promise<Segment>
  /** Up to `count` sealed segments (at most 16) in one answer, each of which counts as read; an older node gives one. */
  segments(feed: Uuid, first_seq: bigint, count: number): Promise<SegmentRun>
  lookUp(lookup: Lookup): Promise<LookupResult & Recorded>
  /** A page of the signals that relations tie to one; `after`: the `next` of the page before. A logged read. */
  network(signal: Uuid, query?: { after?: Uuid }): Promise<NetworkResult & Recorded>
  /** Events of a sealed feed from a cursor on, with what the node signed of them. */
  sealedPage(
    feed: Uuid,
    query: { cursor?: string; limit?: number; wait?: number },
    signal?: AbortSignal,
  ): Promise<SealedDelta>
  /** One sealed segment of a sealed feed; undefined where none begins. */
  sealedSegment(feed: Uuid, first_seq: bigint): Promise<SealedDelta | undefined>
  /** The newest snapshot of a sealed audience. */
  bucketSnapshot(audience: Uuid): Promise<SnapshotInfo>
  /** The sealed entries whose tags begin with a prefix. */
  bucket(of: SnapshotInfo, prefix: string, purpose: Purpose): Promise<{ body: Buffer } & Recorded>
  /** The signals of an id in a sealed audience: a logged disclosure. */
  open(audience: Uuid, signal: Uuid, purpose: Purpose): Promise<OpeningResult & Recorded>
  acknowledge(feed: Uuid, upto: string, stage: string): Promise<Static<typeof AcknowledgementResult>>
  /** One signed word on another's signal; see `signAct`. */
  giveFeedback(act: SignedAct): Promise<ActResult>
  openDispute(act: SignedAct): Promise<ActResult>
  disputes(query: DisputesQuery): Promise<DisputeList>
  answerDispute(dispute: Uuid, answer: DisputeAnswer): Promise<DisputeAnswered>
  opinions(source: string, signal: Uuid): Promise<Opinions>
  /** A page of one's own signals, the newest first; `cursor`: the `next` of the page before. */
  sent(query?: SentQuery): Promise<SentList>
  /** What became of one's own signals of the last 30 days. */
  sentFigures(): Promise<SentFigures>
  /** Lets an own held signal go. */
  release(signal: Uuid): Promise<Released>
  reportHits(report: HitReport): Promise<HitResult>
  /** The cases of one's own organisation, worked on in the name of its people. */
  readonly cases: CaseClient
  readonly webhooks: WebhookClient
  readonly conformance: ConformanceClient
  readonly usage: UsageClient
  readonly oversight: OversightClient
  checkpoint(): Promise<string>
  logKey(): Promise<string>
  consistency(from: bigint, to: bigint): Promise<{ path: string[] }>
  /** The tlog-proof of an event, waiting for its checkpoint up to `waitMs`; undefined if it is not published by then. */
  receipt(event: string, query?: { read?: string }, waitMs?: number): Promise<string | undefined>
  /** For a source: the tlog-proof that a batch of reads gave out a signal of it; undefined where no read from `from` on did. */
  itemReceipt(event: Uuid, of: { item: Uuid; revision?: number; from?: number }): Promise<string | undefined>
  /** Lines of our chain after a link, as the node tells them: `history` verifies. An auditor may name another party. */
  chain(query: { after: bigint; limit?: number; party?: string }): AsyncGenerator<string>
  /** For an auditor: the records of entries from `from` up to and without `to`, line by line; a logged read. */
  records(range: { from: bigint; to: bigint }): AsyncGenerator<string>
  /** For an auditor: the state that the entries must fold to, line by line; a logged read. */
  snapshot(): AsyncGenerator<string>
  /** A tile or bundle by its path (C2SP tlog-tiles). */
  tile(path: string): Promise<Uint8Array>
  renew(csr: string): Promise<RenewalResult>
  readonly transport: Transport
  /** The number of the log that is followed. */
  readonly log: number
  close(): void
}

export function createClient(options: ClientOptions): Client {
  const own = createTransport(
    options.origin,
    options,
    options.maxSockets === undefined ? {} : { maxSockets: options.maxSockets },
  )
  const transport = options.scopes === undefined ? own : narrowed(own, options.scopes)
  const number = options.log ?? 1
  const log = `/provenance/${number}`
  const { get, send } = askingOver(transport)
  const recorded = recordedOver(transport)
  const post = <T>(path: string, body: unknown) => send<T>('POST', path, body)
  const text = async (path: string): Promise<string> =>
    (await transport.call({ method: 'GET', path, idempotent: true })).body.toString()

  return {
    transport,
    log: number,
    close: () => transport.close(),
    ...{ whoami: () => get('/v1/whoami'), meta: () => get('/v1/meta') },
    audiences: () => get('/v1/audiences'),
    openAudience: (audience, named) => send('PUT', `/v1/audiences/${audience}`, named),
    signingKeyNonce: () => get('/v1/signing-keys/nonce'),
    registerSigningKey: (registration) => post('/v1/signing-keys', registration),
    participants: () => get('/v1/participants'),
    hashProfiles: () => get('/v1/hash-profiles'),
    oprfKeys: () => get('/v1/oprf/keys'),
    evaluate: evaluatorOver(transport),
    submit: (submission, { dryRun = false } = {}) =>
      post(`/v1/submissions${dryRun ? '?dry_run=true' : ''}`, submission),
    upload: (upload, lines) => uploadLines(transport, upload, lines),
    nextLine: async (upload) => BigInt((await get<{ next_line: string }>(`/v1/uploads/${upload}`)).next_line),
    uploads: uploadsOver(transport, get),
    own: (signal) => get(`/v1/signals/${signal}`),
    sealValue: (signal, given) => send('PUT', `/v1/signals/${signal}/value`, given),
    feeds: () => get('/v1/feeds'),
    ...readsOver({ transport, recorded, queryOf }),
    stream: (feed, query) => streamEvents(transport, feed, query),
    segment: (feed, first_seq) => segmentAt(transport, `/v1/feeds/${feed}/segments/${first_seq}`),
    segments: (feed, first_seq, count) =>
      segmentRun(transport, `/v1/feeds/${feed}/segments/${first_seq}${queryOf({ count })}`),
    sealedPage: (feed, query, signal) => sealedPage(transport, `/v1/feeds/${feed}/events${queryOf(query)}`, signal),
    sealedSegment: (feed, first_seq) => sealedSegment(transport, `/v1/feeds/${feed}/segments/${first_seq}`),
    bucketSnapshot: (audience) => get(`/v1/lookup/${audience}`),
    acknowledge: (feed, upto, stage) => post(`/v1/feeds/${feed}/acknowledgements`, { upto, stage }),
    giveFeedback: (act) => post('/v1/feedback', act),
    openDispute: (act) => post('/v1/disputes', act),
    disputes: (query) => get(`/v1/disputes${queryOf(query)}`),
    answerDispute: (dispute, answer) => post(`/v1/disputes/${dispute}/answer`, answer),
    opinions: (source, signal) => get(`/v1/signals/${signal}/opinions${queryOf({ source })}`),
    sent: (query = {}) => get(`/v1/signals${queryOf(query)}`),
    sentFigures: () => get('/v1/signals/figures'),
    release: (signal) => send('POST', `/v1/signals/${signal}/release`, undefined, keyed()),
    reportHits: (report) => post('/v1/hits', report),
    ...{ cases: casesOver({ get, send, recorded, queryOf }), webhooks: webhooksOver({ get, send }) },
    ...{ conformance: conformanceOver({ get, send }), usage: usageOver({ get, queryOf }) },
    oversight: oversightOver({ get, text, queryOf }),
    checkpoint: () => text(`${log}/checkpoint`),
    logKey: async () => (await text(`${log}/vkey`)).trim(),
    consistency: (from, to) => get(`${log}/proof/consistency${queryOf({ from: String(from), to: String(to) })}`),
    receipt: (event, query = {}, waitMs = 15_000) =>
      receiptOf(transport, `${log}/receipts/${event}${queryOf(query)}`, waitMs),
    itemReceipt: (event, of) => receiptOf(transport, `${log}/receipts/${event}${queryOf(of)}`, 0),
    chain: ({ after, ...query }) => textLines(transport, `${log}/chain${queryOf({ after: String(after), ...query })}`),
    ...looksOver(get, queryOf),
    records: ({ from, to }) => textLines(transport, `${log}/export${queryOf({ from: String(from), to: String(to) })}`),
    snapshot: () => textLines(transport, `${log}/snapshot`),
    tile: async (path) => (await transport.call({ method: 'GET', path: `${log}/${path}`, idempotent: true })).body,
    renew: (csr) => post('/v1/credentials/renewals', { csr }),
  }
}

/** Bodies of JSON, asked for and sent, with the name of the read that an answer was. */
function askingOver(transport: Transport) {
  const get = async <T>(path: string): Promise<T & { read: string }> => {
    const answer = await transport.call({ method: 'GET', path, idempotent: true })
    return { ...(JSON.parse(answer.body.toString()) as T), read: readIn(answer.headers) }
  }
  const send = async <T>(
    method: 'POST' | 'PUT',
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T & { read: string }> => {
    const text = body === undefined ? {} : { body: JSON.stringify(body) }
    // What was done already no longer matches: repeated, it would be refused as if somebody else had come between.
    const idempotent = headers['if-match'] === undefined
    const answer = await transport.call({ method, path, ...text, headers, idempotent })
    const told = answer.status === 204 ? {} : (JSON.parse(answer.body.toString()) as T)
    return { ...(told as T), read: readIn(answer.headers) }
  }
  return { get, send }
}

/** Events of a page with the submissions that prove them. */
export function* receivedOf(page: EventsPage): Generator<Received> {
  const proofs = new Map(page.submissions.map((proof) => [proof.event, proof]))
  for (const event of page.events)
    yield { event, proof: event.item === undefined ? undefined : proofs.get(event.event) }
}

async function* textLines(transport: Transport, path: string): AsyncGenerator<string> {
  const message = await transport.stream(path)
  try {
    for await (const line of linesOf(message, ANSWER_MAX)) {
      if (line !== '') yield line
    }
  } finally {
    message.destroy()
  }
}

async function* uploadLines(
  transport: Transport,
  upload: { id: Uuid; line: bigint },
  lines: AsyncIterable<string | Buffer>,
): AsyncGenerator<UploadLine> {
  const message = await transport.open({
    method: 'POST',
    path: '/v1/submissions/stream',
    type: 'application/x-ndjson',
    headers: { 'upload-id': upload.id, 'upload-line': String(upload.line) },
    write: (out) => writeLines(out, lines),
  })
  if (message.statusCode !== 200) throw await refusalIn(message)
  try {
    for await (const line of linesOf(message, ANSWER_MAX)) {
      if (line !== '') yield JSON.parse(line) as UploadLine
    }
  } finally {
    // Whoever stops listening also stops sending; an answer that is complete has let go of its connection already.
    message.destroy()
  }
}

async function receiptOf(transport: Transport, path: string, waitMs: number): Promise<string | undefined> {
  const deadline = Date.now() + waitMs
  for (;;) {
    const answer = await transport.call({ method: 'GET', path, idempotent: true, headers: { accept: 'text/plain' } })
    if (answer.status === 200) return answer.body.toString()
    if (Date.now() >= deadline) return undefined
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

function queryOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value))
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}
