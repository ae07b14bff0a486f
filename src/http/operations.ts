import { FeedEventSchema, SEGMENTS_TYPE, SealedEventSchema, SubmissionProof } from '../feeds/schema.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { ChainLine, ExportEntry, ExportRead, SnapshotEnd, SnapshotPage, SnapshotRow } from '../provenance/schema.ts'
import { Jws, SubmittedItem, UploadLine } from '../signals/schema.ts'
import type { Answer, AnswerHeader, Content, Operation } from './operation.ts'

const READ: readonly AnswerHeader[] = ['Provenance-Read']
const TAG: readonly AnswerHeader[] = ['ETag']
const UNCHANGED: Answer = { description: 'It is as `If-None-Match` has it', headers: TAG }
const WHOLE: readonly ErrorCode[] = [
  ...(['replayed', 'signature-invalid', 'signature-header', 'signing-key-unknown', 'wrong-issuer'] as const),
  ...(['wrong-audience', 'submission-stale', 'item-limit', 'json-strict'] as const),
]
const ITEM: readonly ErrorCode[] = [
  ...([
    'invalid-json',
    'json-strict',
    'json-limit',
    'validation-failed',
    'raw-identifier',
    'taxonomy-unknown',
  ] as const),
  ...([
    'audience-unknown',
    'audience-sealed',
    'tlp-refused',
    'collection-held',
    'retention-exceeded',
    'hash-profile-unknown',
  ] as const),
  ...(['pattern-text', 'pattern-syntax', 'pattern-size', 'pattern-literals', 'pattern-samples'] as const),
  ...(['pattern-cost', 'pattern-broad', 'suppressed-value'] as const),
  ...(['hash-profile-retired', 'revision-conflict', 'signal-ended', 'signal-held', 'not-found'] as const),
]
/** Of what is signed of another's signal. */
const ACT: readonly ErrorCode[] = [
  ...WHOLE,
  ...(['reason-unknown', 'raw-identifier', 'policy-refused', 'revision-conflict', 'log-behind'] as const),
]
/** Of what only the holder of a lease may do. */
const MOVE: readonly ErrorCode[] = ['raw-identifier', 'lease-held', 'lease-lapsed', 'case-moved', 'log-behind']
/** Of what governance alone reads. */
const LOOK = 'Recorded first, as `audit.read`. Codes, counts and clocks: no person, and nothing that somebody wrote.'
const text = (description: string): Content => ({ type: 'text/plain', description })

/** By method and route, as the plugins register them. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'POST /enroll': {
    id: 'enroll',
    summary: 'Exchanges a one-time code for a certificate; pins the TLS key and records the signing key',
    codes: ['enrolment-refused', 'certificate-request-refused', 'issuer-ended', 'signature-invalid', 'policy-refused'],
    answers: { 201: { description: 'Enrolled: the certificate, and what the node signs with' } },
    commits: true,
  },
  'GET /v1/meta': {
    id: 'getMeta',
    summary: 'Tells versions of node, API and policies, and which operations will end',
    answers: { 200: { description: 'What the node says of itself', headers: TAG }, 304: UNCHANGED },
  },
  'GET /v1/openapi.json': {
    id: 'getDescription',
    summary: 'Gives this document',
    answers: {
      200: {
        description: 'OpenAPI 3.1',
        headers: TAG,
        content: { type: 'application/json', description: 'The document' },
      },
      304: UNCHANGED,
    },
  },
  'GET /problems/:code': {
    id: 'getProblem',
    summary: 'Tells what a problem document means whose `type` this is',
  },
  'PUT /v1/conformance-runs/:run': {
    id: 'reportConformance',
    summary:
      'Records how the own programs did when they went through the exchange step by step, as `aldis conformance` has it',
    description: 'Under an id that the client chose: a run is reported once, and repeated it has the same answer.',
    codes: ['state-conflict'],
    answers: { 200: { description: 'It was reported before' }, 201: { description: 'Recorded' } },
    commits: true,
  },
  'GET /v1/conformance-runs/latest': {
    id: 'getConformance',
    summary: 'Gives the newest run that was reported',
    codes: ['not-found'],
  },
  'GET /v1/requests': {
    id: 'listRequests',
    summary:
      "Lists requests of the organisation's own credentials as they were answered, the newest first, for seven days",
    description:
      'Route patterns, codes and times; no URL, query or value. Written down within seconds of the answer and never at its cost: what found no room is counted in `dropped`. To read it is no read of signals, and has no entry in the log.',
    codes: ['invalid-cursor'],
  },
  'GET /v1/limits': {
    id: 'listLimits',
    summary: 'Tells how much is used now of the limits of each own credential and of the organisation',
    description: 'Under the names of `docs/limits.md`, by the counters that refuse.',
  },
  'GET /v1/webhooks': {
    id: 'listWebhooks',
    summary:
      'Lists where the organisation is posted to, where it may be, and the key that `v1a` signatures are verified by',
  },
  'PUT /v1/webhooks/:endpoint': {
    id: 'addWebhook',
    summary:
      'Has a host of the organisation told by Standard Webhooks that feeds grew: their places, and nothing of what stands there',
    description:
      'Repeated with the same content by the same credential it changes nothing, and has the same answer until the secret is replaced.',
    codes: ['webhook-refused', 'webhook-limit', 'state-conflict'],
    answers: { 200: { description: 'It was there' }, 201: { description: 'Added, with its first secret' } },
    commits: true,
  },
  'POST /v1/webhooks/:endpoint/rotation': {
    id: 'rotateWebhookSecret',
    summary: 'Replaces the secret by the next one; for a day messages are signed by both',
    codes: ['state-conflict'],
    answers: { 200: { description: 'The secret of that number, also if it was in force before' } },
    commits: true,
  },
  'POST /v1/webhooks/:endpoint/test': {
    id: 'testWebhook',
    summary: 'Posts a message that says nothing, once for each id of a test',
    answers: { 202: { description: 'It will be posted at once; the list of deliveries says what became of it' } },
    commits: true,
  },
  'POST /v1/webhooks/:endpoint/end': {
    id: 'endWebhook',
    summary: 'Posts nothing there any more',
    answers: { 204: { description: 'Ended' } },
    commits: true,
  },
  'GET /v1/webhooks/:endpoint/deliveries': {
    id: 'listDeliveries',
    summary: 'Lists the last 50 messages of an endpoint, and what became of each',
  },
  'POST /v1/webhooks/:endpoint/deliveries/:message/redelivery': {
    id: 'redeliver',
    summary: 'Posts a message again, under the same id',
    answers: { 202: { description: 'It will be posted at once' } },
    commits: true,
  },
  'GET /v1/whoami': {
    id: 'whoAmI',
    summary: 'Tells a credential whose it is, what it may do and until when',
  },
  'GET /v1/node': {
    id: 'getNodeKeys',
    summary: 'Gives the public keys of the node: of the log and of countersignatures',
  },
  'POST /v1/credentials/renewals': {
    id: 'renewCertificate',
    summary: 'Gives a new certificate for the key of this connection; the date of its pin does not move',
    codes: ['certificate-request-refused', 'issuer-ended'],
    answers: { 201: { description: 'Another certificate for the same key' } },
  },
  'GET /v1/participants': {
    id: 'listParticipants',
    summary: 'Lists everybody who ever signed, with their public keys',
  },
  'GET /v1/audiences': {
    id: 'listAudiences',
    summary: 'Lists the audiences that the participant is in, with their members',
  },
  'PUT /v1/audiences/:audience': {
    id: 'openAudience',
    summary: 'Makes an audience of named participants; nobody is added or taken out later',
    description: 'Repeated with the same content it changes nothing.',
    codes: ['policy-refused', 'state-conflict', 'audience-mode-fixed'],
    answers: { 200: { description: 'The very same was there' }, 201: { description: 'Made' } },
    commits: true,
  },
  'GET /v1/signing-keys/nonce': {
    id: 'getSigningKeyNonce',
    summary: 'Gives the nonce that a new signing key has to sign within five minutes',
  },
  'POST /v1/signing-keys': {
    id: 'registerSigningKey',
    summary: 'Proposes a new signing key; two administrators have to confirm it',
    codes: ['signature-invalid', 'policy-refused'],
    answers: { 202: { description: 'The state of the key, also if it was known before' } },
    commits: true,
  },
  'GET /v1/hash-profiles': {
    id: 'listHashProfiles',
    summary: 'Lists the key epochs of hashed identifiers, retired ones included',
  },
  'GET /v1/hash-profiles/:kid/key': {
    id: 'getHashKey',
    summary: 'Gives the key of an hmac-sha256 epoch; the disclosure is recorded first',
    codes: ['hash-profile-retired', 'log-behind'],
    answers: { 200: { description: 'The key, not to be kept by any cache', headers: READ } },
    commits: true,
  },
  'GET /v1/oprf/keys': {
    id: 'listOprfKeys',
    summary: 'Lists the public keys of OPRF epochs, each with the event of the log that published it',
  },
  'POST /v1/oprf/evaluations': {
    id: 'evaluate',
    summary: 'Evaluates blinded elements under the key of an epoch, with one proof (RFC 9497); each is debited first',
    description: 'The same Idempotency-Key with the same body is not debited again within 10 minutes.',
    headers: ['Idempotency-Key'],
    codes: [
      ...(['invalid-header', 'element-invalid', 'hash-profile-unknown', 'hash-profile-retired'] as const),
      ...(['state-conflict', 'quota-exceeded', 'evaluation-failed', 'log-behind'] as const),
    ],
    commits: true,
  },
  'POST /v1/submissions': {
    id: 'submit',
    summary: 'Takes 1 to 1,000 items under one signature; each is judged for itself',
    description:
      'Repeated byte for byte it changes nothing and has the same answer. Withdrawals are submissions of their own type. With `dry_run=true` it says what would become of it, and stores nothing.',
    codes: [...WHOLE, 'log-behind'],
    itemCodes: ITEM,
    answers: {
      200: { description: 'Every item was refused, or nothing but a dry run was asked for: nothing was stored' },
      201: { description: 'What was accepted is stored and recorded', headers: ['Location'] },
    },
    commits: true,
  },
  'POST /v1/submissions/stream': {
    id: 'submitStream',
    summary: 'Takes submissions line by line without end, and answers each as it is committed',
    description:
      'A line with the JWS, then as many item lines as it signed, and again. Of each answer line `status` and `code` say what became of it; what concerns the whole stream is on the last line.',
    codes: ['invalid-header', 'stream-limit'],
    itemCodes: [
      ...new Set<ErrorCode>([...WHOLE, ...ITEM, 'too-large', 'request-timeout', 'busy', 'read-only']),
      'outcome-unknown',
      'log-behind',
      'internal',
    ],
    headers: ['Upload-Id', 'Upload-Line'],
    body: {
      type: 'application/x-ndjson',
      lines: [
        ['jws', Jws],
        [null, SubmittedItem],
      ],
      description:
        '`{"jws":..}`, then `count` lines `{"salt":..,"item":".."}`, and again. An empty line is passed over.',
    },
    answers: {
      200: {
        description: 'One line for each item and each submission, in the order of the lines sent',
        content: { type: 'application/x-ndjson', lines: [[null, UploadLine]], description: 'Results' },
      },
    },
  },
  'PUT /v1/uploads/:upload_id': {
    id: 'putUpload',
    summary:
      'Takes a whole upload, to be worked off after its sender has gone; the same one again answers what became of it',
    codes: [
      ...(['too-large', 'request-timeout', 'rate-limited', 'stream-limit', 'state-conflict'] as const),
      ...(['unsupported-media-type', 'read-only'] as const),
    ],
    body: {
      type: 'application/x-ndjson',
      lines: [
        ['jws', Jws],
        [null, SubmittedItem],
      ],
      description: 'As a stream of submissions, from its first line to its last.',
    },
    answers: { 202: { description: 'All of it is durable; it is worked off next' } },
  },
  'GET /v1/uploads': {
    id: 'listUploads',
    summary: 'Lists the uploads that are or were worked off after their sender had gone, the newest first',
  },
  'GET /v1/uploads/:upload_id': {
    id: 'getUploadPlace',
    summary:
      'Tells the first line of an upload that is not settled, 1 for one that is unknown; and how far its job is, if it is one',
  },
  'GET /v1/uploads/:upload_id/results': {
    id: 'getUploadResults',
    summary: 'Gives what a stream would have answered, once an upload was worked off; for seven days',
    codes: ['not-found', 'state-conflict'],
    answers: {
      200: {
        description: 'One line for each item and each submission, in the order of the lines sent',
        content: { type: 'application/x-ndjson', lines: [[null, UploadLine]], description: 'Results' },
      },
    },
  },
  'GET /v1/signals/:signal': {
    id: 'getOwnSignal',
    summary: "Gives the newest revision of one's own signal; another's is not found",
  },
  'PUT /v1/signals/:signal/value': {
    id: 'sealValue',
    summary:
      "Keeps the raw link behind one's own url or domain, sealed, for its audience to reveal; null takes it back",
    description:
      'The link must hash to the signal under the scope that the signal says. It goes with the signal: with its withdrawal, expiry or erasure, with a revision into another audience, and when its source leaves. The same again changes nothing.',
    codes: [
      ...(['value-mismatch', 'raw-identifier', 'revision-conflict', 'signal-ended', 'signal-held'] as const),
      ...(['json-limit', 'log-behind'] as const),
    ],
    answers: { 200: { description: 'What is kept now; never the value' } },
    commits: true,
  },
  'POST /v1/signals/:signal/reveal': {
    id: 'revealValue',
    summary:
      'Gives the raw link that a source sealed beside a live signal that may be seen; recorded first, and told to it',
    description:
      'An entry of the log (`value.revealed`) and a read, each time that it is asked; at most 200 a day (UTC). `source`: where several sources have a signal of the id.',
    codes: ['value-absent', 'quota-exceeded', 'feed-paused', 'log-behind'],
    answers: { 200: { description: 'The link as its source gave it, as text', headers: READ } },
    commits: true,
  },
  'GET /v1/feeds': {
    id: 'listFeeds',
    summary: 'Lists the feeds that the participant may read, with the cursor before the first event of each',
  },
  'GET /v1/feeds/:feed/events': {
    id: 'listEvents',
    summary: 'Gives a page of events in dense order, and waits for the first new one if asked to',
    codes: ['invalid-cursor', 'cursor-expired', 'page-limit', 'log-behind', 'feed-paused'],
    answers: {
      200: {
        description: 'A page; an empty one discloses nothing and is not recorded. Of a sealed feed, a signed one',
        headers: ['Provenance-Read', 'Feed-Signature'],
      },
    },
    commits: true,
  },
  'GET /v1/feeds/:feed/stream': {
    id: 'streamEvents',
    summary: 'Gives what follows a cursor, and then what comes, as server-sent events',
    description:
      'Each page is a message `events` whose data are what `listEvents` would give, and whose id is the cursor behind it; a message `read` before it has what `Provenance-Read` and `Feed-Signature` would. A comment comes every 15 seconds of silence. After an hour, or at a `problem`, the stream ends: come again with `Last-Event-ID`.',
    codes: ['invalid-cursor', 'cursor-expired', 'log-behind', 'stream-limit', 'feed-paused'],
    headers: ['Last-Event-ID'],
    answers: {
      200: {
        description: 'A stream of events without end',
        content: { type: 'text/event-stream', description: 'Messages `read`, `events` and `problem`' },
      },
    },
    commits: true,
  },
  'GET /v1/feeds/:feed/segments/:first_seq': {
    id: 'getSegment',
    summary:
      'Gives a sealed segment of a feed as stored bytes, always compressed with brotli, or several behind their heads',
    description:
      'With `count`, up to so many segments that follow each other, each recorded as a read of its own; the headers that one alone would have stand in the head of each. What is asked for counts as given out. An answer that was begun ends short of its length where the feed is paused or a segment was erased meanwhile: ask again.',
    codes: ['log-behind', 'feed-paused'],
    answers: {
      200: {
        description: 'One segment has `Content-Encoding: br`, whatever was asked for',
        headers: ['Provenance-Read', 'Feed-Cursor', 'Feed-Signature'],
        content: [
          {
            type: 'application/x-ndjson',
            lines: [
              ['submission', SubmissionProof],
              [null, FeedEventSchema],
              [null, SealedEventSchema],
            ],
            description: '`{"submission":..}` before the first event of a submission, and the events in their order',
          },
          {
            type: SEGMENTS_TYPE,
            description:
              'With `count`: before each segment a line of JSON with `first_seq`, `size` (bytes of it), `cursor`, `read` and, of a sealed feed, `signature`; then the segment, compressed with brotli',
          },
        ],
      },
    },
    commits: true,
  },
  'POST /v1/feeds/:feed/acknowledgements': {
    id: 'acknowledge',
    summary: 'Records that the participant has dealt with every end up to a sequence',
    description: 'A lower sequence than an earlier one changes nothing.',
    commits: true,
  },
  'POST /v1/lookups': {
    id: 'lookUp',
    summary: 'Finds the live signals behind up to 1,000 match keys; what may not be seen is not there',
    codes: ['page-limit', 'log-behind'],
    answers: { 200: { description: 'Matches, and the submissions that prove them; recorded first', headers: READ } },
    commits: true,
  },
  'GET /v1/signals/:signal/network': {
    id: 'getNetwork',
    summary:
      'Gives the signals that relations tie to a signal, 50 a page; only of relations and signals that may be seen',
    description:
      'A signal with more than 500 relations is named as a `hub`, without members. `after`: the `next` of the page before.',
    codes: ['log-behind'],
    answers: { 200: { description: 'Members, and who states what of them; recorded first', headers: READ } },
    commits: true,
  },
  'GET /v1/lookup/:audience': {
    id: 'getBucketSnapshot',
    summary: 'Tells by which prefixes the newest snapshot of a sealed audience is asked',
    description: 'With `bits` 0 there is one bucket, which holds everything.',
    codes: ['mirror-only'],
  },
  'GET /v1/lookup/:audience/:snapshot/:prefix': {
    id: 'getBucket',
    summary: 'Gives the sealed entries whose tags begin with a prefix, padded to one length for all prefixes',
    codes: ['log-behind'],
    answers: {
      200: {
        description: 'Entries of 72 bytes; recorded first, as a number of entries',
        headers: ['Provenance-Read', 'ETag'],
        content: { type: 'application/octet-stream', description: 'Sealed entries, in the order of their tags' },
      },
      304: { description: 'As it was: recorded all the same', headers: ['Provenance-Read', 'ETag'] },
    },
    commits: true,
  },
  'GET /v1/audiences/:audience/signals/:signal': {
    id: 'openSignal',
    summary: 'Gives the live signals of an id in a sealed audience: the disclosure, which its source is told of',
    codes: ['log-behind'],
    answers: {
      200: { description: 'Their events, and the submissions that prove them; recorded first', headers: READ },
    },
    commits: true,
  },
  'POST /v1/feedback': {
    id: 'giveFeedback',
    summary: 'Takes one signed word on what became of a signal; its source hears it, all recipients are told how many',
    description: 'Repeated byte for byte it changes nothing and has the same answer. One item (`aldis-feedback+jws`).',
    codes: ACT,
    answers: { 201: { description: 'Recorded, and countersigned' } },
    commits: true,
  },
  'POST /v1/disputes': {
    id: 'openDispute',
    summary: 'Takes one signed dispute of a signal, which its source has to answer within three days',
    description: 'Repeated byte for byte it changes nothing and has the same answer. One item (`aldis-dispute+jws`).',
    codes: [...ACT, 'state-conflict'],
    answers: { 201: { description: 'Recorded, and countersigned' } },
    commits: true,
  },
  'GET /v1/disputes': {
    id: 'listDisputes',
    summary: 'Lists the disputes that the participant opened, or those of its own signals',
  },
  'POST /v1/disputes/:dispute/answer': {
    id: 'answerDispute',
    summary: "Answers a dispute of one's own signal; a serious ground that it confirms holds the signal at once",
    description: 'The same answer again changes nothing.',
    codes: ['raw-identifier', 'state-conflict', 'log-behind'],
    commits: true,
  },
  'GET /v1/signals': {
    id: 'listOwnSignals',
    summary: "Lists one's own signals, the newest first, with what recipients say of each and who is known to have it",
    codes: ['taxonomy-unknown'],
  },
  'GET /v1/signals/figures': {
    id: 'getOwnFigures',
    summary: "Tells what became of one's own signals of the last 30 days, each figure as a part of those sent",
  },
  'GET /v1/signals/:signal/opinions': {
    id: 'getOpinions',
    summary: 'Tells what recipients say of a signal, as counts; for its source and for whoever it is shared with',
  },
  'POST /v1/signals/:signal/release': {
    id: 'releaseSignal',
    summary: "Lets one's own held signal go, once every dispute of it is answered",
    description: 'What two persons of the programme hold is let go by two of them alone.',
    codes: ['state-conflict', 'signal-held', 'log-behind'],
    commits: true,
  },
  'POST /v1/hits': {
    id: 'reportHits',
    summary: "Takes what a platform's own matcher found, as counts since the beginning; nobody else sees them",
    description:
      'The first, second and tenth hit open a case, and after an action a further report does, unless somebody is to look at it already. A hit whose `own_ref` looks raw is refused alone: 422 and `raw-identifier` in its result.',
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/cases': {
    id: 'listCases',
    summary: "Gives a page of the organisation's own cases; the queue unless a state is named",
    description:
      'The queue: what is overdue by its date, then everything by rank. A page is recorded as a read of its signals.',
    codes: ['invalid-cursor', 'log-behind'],
    answers: { 200: { description: 'Recorded first; an empty page is not', headers: READ } },
    commits: true,
  },
  'POST /v1/cases/next': {
    id: 'claimNextCase',
    summary: 'Claims the next case of the queue that nobody works on',
    codes: ['raw-identifier'],
    commits: true,
  },
  'GET /v1/cases/:case': {
    id: 'getCase',
    summary: 'Gives a case with its reasons and decisions',
    codes: ['log-behind'],
    answers: { 200: { description: 'Recorded first', headers: READ } },
    commits: true,
  },
  'POST /v1/cases/:case/lease': {
    id: 'claimCase',
    summary: 'Claims a case for 15 minutes; whoever holds it claims it longer, and a lead takes it over',
    codes: ['raw-identifier', 'lease-held', 'case-moved', 'log-behind'],
    commits: true,
  },
  'POST /v1/cases/:case/lease/renewal': {
    id: 'renewLease',
    summary: 'Makes a lease last another 15 minutes',
    codes: ['raw-identifier', 'lease-held', 'lease-lapsed'],
    commits: true,
  },
  'POST /v1/cases/:case/lease/end': {
    id: 'endLease',
    summary: 'Lets a lease end within 10 seconds',
    codes: ['raw-identifier', 'lease-held', 'lease-lapsed'],
    answers: { 204: { description: 'Done' } },
    commits: true,
  },
  'POST /v1/cases/:case/hold': {
    id: 'holdCase',
    summary: 'Parks a case for some hours; it comes back by itself',
    codes: MOVE,
    commits: true,
  },
  'POST /v1/cases/:case/resume': {
    id: 'resumeCase',
    summary: 'Takes a parked case back into the queue',
    codes: ['raw-identifier', 'case-moved', 'log-behind'],
    commits: true,
  },
  'POST /v1/cases/:case/hand-over': {
    id: 'handOverCase',
    summary: 'Hands a case to somebody else of the organisation',
    codes: MOVE,
    commits: true,
  },
  'POST /v1/cases/:case/decisions': {
    id: 'decideCase',
    summary: 'Decides an open case, or corrects a closed one; nothing leaves before the grace is over',
    description:
      'The same decision under the same id again changes nothing. Where a second person is needed, it waits.',
    codes: [...MOVE, 'reason-unknown', 'state-conflict'],
    commits: true,
  },
  'POST /v1/cases/:case/decisions/:decision/second': {
    id: 'answerProposal',
    summary: 'Approves or denies the decision of somebody else, or takes back an own one',
    codes: ['raw-identifier', 'case-moved', 'self-approval', 'person-unknown', 'log-behind'],
    commits: true,
  },
  'POST /v1/cases/:case/decisions/:decision/undo': {
    id: 'undoDecision',
    summary: 'Undoes a decision within its grace',
    codes: ['raw-identifier', 'case-moved', 'grace-over', 'log-behind'],
    commits: true,
  },
  'POST /v1/bulk-jobs/plan': {
    id: 'planBulkJob',
    summary: 'Tells what would become of cases if they were decided alike now; changes nothing',
    description:
      'Either `cases`, or a `filter`: then of the first 1,000 open cases that it leaves, which is recorded as a read of their signals.',
    codes: ['raw-identifier', 'log-behind'],
    answers: {
      200: { description: 'Of a filter, recorded first; of named cases, or where none is left, not', headers: READ },
    },
    commits: true,
  },
  'POST /v1/bulk-jobs': {
    id: 'beginBulkJob',
    summary: 'Decides up to 1,000 cases alike, each by itself and as it stands then',
    description:
      'Up to 25 are decided before the answer; more wait for a lead who is another person, and go on in the background. The same id with the same list and decision again changes nothing.',
    codes: ['raw-identifier', 'reason-unknown', 'state-conflict', 'log-behind'],
    commits: true,
  },
  'GET /v1/bulk-jobs': {
    id: 'listBulkJobs',
    summary: "Lists the organisation's jobs, the newest first, 50 a page; `after`: the `next` of the page before",
    codes: ['invalid-cursor'],
  },
  'GET /v1/bulk-jobs/:job': {
    id: 'getBulkJob',
    summary: 'Tells how far a job is, and how many cases ended how',
  },
  'GET /v1/bulk-jobs/:job/items': {
    id: 'getBulkJobItems',
    summary: 'Tells of each case of a job what became of it, or why it was left as it was',
  },
  'POST /v1/bulk-jobs/:job/answer': {
    id: 'answerBulkJob',
    summary: 'Approves or denies a proposed job as a lead, or takes back an own one',
    description: 'To approve, `n` and `digest` name what was looked at; a list that changed is refused.',
    codes: ['raw-identifier', 'self-approval', 'person-unknown', 'approval-refused', 'state-conflict', 'log-behind'],
    commits: true,
  },
  'POST /v1/bulk-jobs/:job/cancel': {
    id: 'cancelBulkJob',
    summary: 'Leaves what a job has not decided yet as it is',
    codes: ['raw-identifier', 'state-conflict', 'log-behind'],
    commits: true,
  },
  'POST /v1/bulk-jobs/:job/undo': {
    id: 'undoBulkJob',
    summary: 'Undoes a whole job, as long as nothing of it has left',
    codes: ['raw-identifier', 'state-conflict', 'grace-over', 'log-behind'],
    commits: true,
  },
  'GET /v1/review/routing': {
    id: 'getRouting',
    summary: 'Tells by which rules received signals become cases',
    answers: { 200: { description: 'The rules', headers: TAG }, 304: UNCHANGED },
  },
  'PUT /v1/review/routing': {
    id: 'setRouting',
    summary: 'Sets by which rules received signals become cases, from now on',
    description: 'The whole is replaced; with `If-Match` only where it still is what that names.',
    codes: ['taxonomy-unknown', 'precondition-failed', 'log-behind'],
    headers: ['If-Match'],
    answers: { 200: { description: 'In force', headers: TAG } },
    commits: true,
  },
  'GET /v1/review/settings': {
    id: 'getReviewSettings',
    summary: 'Tells when the organisation reviews, and how much of it a second time',
    answers: { 200: { description: 'The settings', headers: TAG }, 304: UNCHANGED },
  },
  'PUT /v1/review/settings': {
    id: 'setReviewSettings',
    summary: 'Sets when the organisation reviews: due dates of cases that are opened from now on count that time alone',
    description: 'The whole is replaced; with `If-Match` only where it still is what that names.',
    codes: ['precondition-failed', 'log-behind'],
    headers: ['If-Match'],
    answers: { 200: { description: 'In force', headers: TAG } },
    commits: true,
  },
  'GET /v1/review/samples': {
    id: 'listReviewSamples',
    summary: 'Lists closed cases that somebody may decide a second time, without what was decided',
    codes: ['raw-identifier', 'log-behind'],
    answers: { 200: { description: 'Recorded first; an empty list is not', headers: READ } },
    commits: true,
  },
  'POST /v1/review/samples/:sample': {
    id: 'answerReviewSample',
    summary: 'Takes the second verdict, which alters nothing, and tells the first',
    codes: ['raw-identifier', 'reason-unknown', 'self-approval', 'person-unknown', 'state-conflict', 'log-behind'],
    commits: true,
  },
  'GET /v1/review/figures': {
    id: 'getReviewFigures',
    summary: "Counts the organisation's own cases and decisions, and what was seen again after action",
  },
  'GET /v1/log/entries': {
    id: 'listLogEntries',
    summary: 'Finds entries of the log by actor, kind, signal, recipient, party and time, the newest first',
    description:
      'A credential that may audit finds all of them, which is recorded first as `audit.read`; any other those that concern its participant. A page looks at 10,000 entries at most; `next` says where to go on.',
    codes: ['filter-field', 'filter-value', 'filter-conflict', 'filter-range', 'page-limit', 'log-behind'],
    commits: true,
  },
  'GET /v1/log/matrix': {
    id: 'getShareMatrix',
    summary: 'Counts who shared with whom, what was said of it and how soon, by source and recipient',
    description:
      "For a credential that may audit, of everybody, which is recorded first as `audit.read`; for any other, its participant's own row and column. Nothing small is left out here: whoever passes it on does that.",
    codes: ['filter-value', 'filter-range', 'log-behind'],
    commits: true,
  },
  'GET /v1/log/sight': {
    id: 'explainSight',
    summary: 'Tells who may see a signal, and by which rule the others may not',
    description:
      'Of a signal that there is, by source and id, which is recorded first as `audit.read`; or of one that its source would share with an audience (`audience`, `tlp`, `type`). The rules are those that decide what participants are given.',
    codes: ['not-found', 'filter-value', 'log-behind'],
    commits: true,
  },
  'GET /v1/reports': {
    id: 'listReports',
    summary: 'Lists the transparency reports that two organisations published, the newest first',
    answers: { 200: { description: 'Reports by digest', headers: TAG }, 304: UNCHANGED },
  },
  'GET /v1/reports/:digest': {
    id: 'getReport',
    summary: 'Gives a published report; the log names it by the SHA-256 of its RFC 8785 form',
    codes: ['not-found'],
    answers: { 200: { description: 'In that form, so that its digest is its tag', headers: TAG }, 304: UNCHANGED },
  },
  'GET /v1/onboardings': {
    id: 'listOnboardings',
    summary:
      'Lists what organisations have shown before they are admitted, the newest first; documents by their digests',
    description: LOOK,
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/onboardings/:onboarding': {
    id: 'getOnboarding',
    summary: 'Tells what one organisation has shown, and what is missing',
    description: LOOK,
    codes: ['not-found', 'log-behind'],
    commits: true,
  },
  'GET /v1/approvals': {
    id: 'listApprovals',
    summary: 'Lists requests that wait for persons or for their time, with the digest of what is approved',
    description: `${LOOK} A page may have fewer than \`limit\` and still a \`next\`.`,
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/anomalies': {
    id: 'listAnomalies',
    summary: 'Lists what rules found unusual, each with the threshold and what is usual, the newest first',
    description: LOOK,
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/anomalies/rules': {
    id: 'listAnomalyRules',
    summary: 'Gives the rules that cases are found by',
    answers: { 200: { description: 'The rules', headers: TAG }, 304: UNCHANGED },
  },
  'GET /v1/retention': {
    id: 'getRetention',
    summary: 'Tells what is kept for how long, what the next purge takes, and what legal holds keep',
    description: LOOK,
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/subject-requests': {
    id: 'listSubjectRequests',
    summary: 'Lists what persons asked by right: kinds and clocks, never who; the last one that was entered first',
    description: LOOK,
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/erasures': {
    id: 'listErasures',
    summary: 'Lists what was erased, and who of those that had obtained it has acknowledged, the newest first',
    description: LOOK,
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/government-requests': {
    id: 'listGovernmentRequests',
    summary: 'Lists what authorities asked for and what came of it, without data and without their references',
    description: LOOK,
    codes: ['log-behind'],
    commits: true,
  },
  'GET /v1/policies': {
    id: 'listPolicies',
    summary:
      'Lists every version of agreement, retention, review and taxonomy that two persons published, the newest first',
    answers: { 200: { description: 'Versions with their digests', headers: TAG }, 304: UNCHANGED },
  },
  'GET /v1/policies/:kind/:version': {
    id: 'getPolicy',
    summary: 'Gives a version of a policy, exactly the bytes that the log names by their SHA-256',
    codes: ['not-found'],
    answers: { 200: { description: 'Those bytes, so that its digest is its tag', headers: TAG }, 304: UNCHANGED },
  },
  'GET /provenance/1/checkpoint': {
    id: 'getCheckpoint',
    summary: 'Gives the newest published checkpoint of the log, with the cosignatures of its witnesses',
    codes: ['log-behind'],
    answers: {
      200: {
        description: 'A signed note',
        headers: ['Provenance-Witnessed'],
        content: text('C2SP tlog-checkpoint, tlog-cosignature'),
      },
    },
  },
  'GET /provenance/1/policy': {
    id: 'getWitnessPolicy',
    summary: 'Gives the policy that checkpoints are published under; pin one elsewhere',
    codes: ['not-found'],
    answers: {
      200: { description: 'A policy', headers: TAG, content: text('C2SP tlog-policy') },
      304: UNCHANGED,
    },
  },
  'GET /provenance/1/witnesses': {
    id: 'listWitnesses',
    summary: 'Tells of each witness of the policy what it cosigned last, and since when it is missing',
  },
  'GET /provenance/1/vkey': {
    id: 'getLogKey',
    summary: 'Gives the key that checkpoints are verified with; pin it elsewhere',
    answers: { 200: { description: 'A verifier key', content: text('C2SP signed-note, and a newline') } },
  },
  'GET /provenance/1/tile/*': {
    id: 'getTile',
    summary: 'Gives a tile or an entry bundle of the published tree; it never changes',
    description: 'The path has slashes in it, which stand as they are: `0/x001/234.p/56`, `entries/000`.',
    answers: {
      200: {
        description: 'A tile of hashes, or a bundle of entries',
        headers: TAG,
        content: { type: 'application/octet-stream', description: 'C2SP tlog-tiles' },
      },
      304: UNCHANGED,
    },
  },
  'GET /provenance/1/proof/inclusion': {
    id: 'getInclusionProof',
    summary: 'Gives the path from an entry to the root of a published size',
    codes: ['not-found'],
  },
  'GET /provenance/1/proof/consistency': {
    id: 'getConsistencyProof',
    summary: 'Gives the path that shows one published size to be the beginning of another',
    codes: ['not-found'],
  },
  'GET /provenance/1/receipts/:event_id': {
    id: 'getReceipt',
    summary: 'Gives the receipt of an event to its parties, its recipients and auditors',
    description:
      'With `read`, of one of its own reads: the id and the place that `Provenance-Read` named. With `item`, that a batch of reads gave out one signal of the asker, and nothing else: of the first read from `from` on, of the named `revision` or any. What an auditor is given as one alone is recorded first, as `audit.read`.',
    codes: ['busy', 'log-behind'],
    answers: {
      200: { description: 'The receipt', content: text('C2SP tlog-proof@v1') },
      202: { description: 'The checkpoint that covers it is still to come', headers: ['Retry-After'] },
      204: { description: 'No read of this batch, from `from` on, gave the item out' },
    },
    commits: true,
  },
  'GET /provenance/1/records/:event_id': {
    id: 'getRecord',
    summary: 'Gives the record of an event, cut to whoever asks: parties, recipients and auditors',
    description: 'What an auditor is given as one alone is recorded first, as `audit.read`.',
    codes: ['log-behind'],
    answers: {
      200: { description: 'The record and its index in the log' },
      202: { description: 'The checkpoint that covers it is still to come', headers: ['Retry-After'] },
    },
    commits: true,
  },
  'GET /provenance/1/chain': {
    id: 'getChain',
    summary: 'Gives the records that concern the asker, link by link: its gapless chain, as far as it is published',
    description:
      'Links follow `after`; an auditor may name another `party`, which is recorded first, as `audit.read`; of its own it sees what every party does. An answer without lines is the end of the chain.',
    codes: ['page-limit', 'not-found', 'log-behind'],
    answers: {
      200: {
        description: 'One line for each link, in their order',
        content: { type: 'application/x-ndjson', lines: [[null, ChainLine]], description: 'Links' },
      },
    },
  },
  'GET /provenance/1/export': {
    id: 'exportRecords',
    summary: 'Gives auditors the records of a run of entries, with everything that the entries are made of',
    description: 'Behind a batch of reads there is a line for each read. The answer ends where the published log does.',
    codes: ['page-limit', 'not-found', 'log-behind'],
    answers: {
      200: {
        description: 'Recorded first, as `audit.read`',
        content: {
          type: 'application/x-ndjson',
          lines: [
            [null, ExportEntry],
            [null, ExportRead],
          ],
          description: 'Records',
        },
      },
    },
    commits: true,
  },
  'GET /provenance/1/snapshot': {
    id: 'getSnapshot',
    summary: 'Gives auditors the state that the entries of the log must fold to; no value and no match key',
    description: 'Of the present log alone: a log that ended has none of its own.',
    codes: ['log-behind', 'state-conflict'],
    answers: {
      200: {
        description: 'Recorded first, as `audit.read`',
        content: {
          type: 'application/x-ndjson',
          lines: [
            [null, SnapshotPage],
            [null, SnapshotRow],
            [null, SnapshotEnd],
          ],
          description: 'Pages of rows, each of one moment, and their number at the end',
        },
      },
    },
    commits: true,
  },
}
