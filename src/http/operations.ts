import { FeedEventSchema, SubmissionProof } from '../feeds/schema.ts'
import type { ErrorCode } from '../kernel/errors.ts'
import { ChainLine, ExportEntry, ExportRead, SnapshotEnd, SnapshotPage, SnapshotRow } from '../provenance/schema.ts'
import { Jws, SubmittedItem, UploadLine } from '../signals/schema.ts'
import type { AnswerHeader, Content, Operation } from './operation.ts'

const READ: readonly AnswerHeader[] = ['Provenance-Read']
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
  ...(['audience-unknown', 'tlp-refused', 'collection-held', 'retention-exceeded', 'hash-profile-unknown'] as const),
  ...(['hash-profile-retired', 'pattern-refused', 'revision-conflict', 'signal-ended', 'not-found'] as const),
]
const text = (description: string): Content => ({ type: 'text/plain', description })

/** By method and route, as the plugins register them. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'POST /enroll': {
    id: 'enroll',
    summary: 'Exchanges a one-time code for a certificate; pins the TLS key and records the signing key',
    codes: ['enrolment-refused', 'certificate-request-refused', 'signature-invalid', 'policy-refused'],
    answers: { 201: { description: 'Enrolled: the certificate, and what the node signs with' } },
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
    codes: ['certificate-request-refused'],
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
    codes: ['policy-refused', 'state-conflict'],
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
  'POST /v1/submissions': {
    id: 'submit',
    summary: 'Takes 1 to 1,000 items under one signature; each is judged for itself',
    description:
      'Repeated byte for byte it changes nothing and has the same answer. Withdrawals are submissions of their own type.',
    codes: [...WHOLE, 'log-behind'],
    itemCodes: ITEM,
    answers: {
      200: { description: 'Every item was refused and nothing was stored' },
      201: { description: 'What was accepted is stored and recorded', headers: ['Location'] },
    },
    commits: true,
  },
  'POST /v1/submissions/stream': {
    id: 'submitStream',
    summary: 'Takes submissions line by line without end, and answers each as it is committed',
    description:
      'A line with the JWS, then as many item lines as it signed, and again. Of each answer line `status` and `code` say what became of it; what concerns the whole stream is on the last line.',
    codes: ['invalid-header'],
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
  'GET /v1/uploads/:upload_id': {
    id: 'getUploadPlace',
    summary: 'Tells the first line of an upload that is not settled; 1 for one that is unknown',
  },
  'GET /v1/signals/:signal': {
    id: 'getOwnSignal',
    summary: "Gives the newest revision of one's own signal; another's is not found",
  },
  'GET /v1/feeds': {
    id: 'listFeeds',
    summary: 'Lists the feeds that the participant may read, with the cursor before the first event of each',
  },
  'GET /v1/feeds/:feed/events': {
    id: 'listEvents',
    summary: 'Gives a page of events in dense order, and waits for the first new one if asked to',
    codes: ['invalid-cursor', 'cursor-expired', 'page-limit', 'log-behind'],
    answers: { 200: { description: 'A page; an empty one discloses nothing and is not recorded', headers: READ } },
    commits: true,
  },
  'GET /v1/feeds/:feed/segments/:first_seq': {
    id: 'getSegment',
    summary: 'Gives a sealed run of a feed as stored bytes, always compressed with brotli',
    codes: ['log-behind'],
    answers: {
      200: {
        description: '`Content-Encoding: br`, whatever was asked for',
        headers: ['Provenance-Read', 'Feed-Cursor'],
        content: {
          type: 'application/x-ndjson',
          lines: [
            ['submission', SubmissionProof],
            [null, FeedEventSchema],
          ],
          description: '`{"submission":..}` before the first event of a submission, and the events in their order',
        },
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
  'GET /provenance/1/checkpoint': {
    id: 'getCheckpoint',
    summary: 'Gives the newest published checkpoint of the log, with the cosignatures of its witnesses',
    codes: ['not-found'],
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
    answers: { 200: { description: 'A policy', content: text('C2SP tlog-policy') } },
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
        headers: ['ETag'],
        content: { type: 'application/octet-stream', description: 'C2SP tlog-tiles' },
      },
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
      'With `read`, of one of its own reads: the id and the place that `Provenance-Read` named. With `item`, that a batch of reads gave out one signal of the asker, and nothing else: of the first read from `from` on, of the named `revision` or any.',
    codes: ['busy'],
    answers: {
      200: { description: 'The receipt', content: text('C2SP tlog-proof@v1') },
      202: { description: 'The checkpoint that covers it is still to come', headers: ['Retry-After'] },
      204: { description: 'No read of this batch, from `from` on, gave the item out' },
    },
  },
  'GET /provenance/1/records/:event_id': {
    id: 'getRecord',
    summary: 'Gives the record of an event, cut to whoever asks: parties, recipients and auditors',
    answers: {
      200: { description: 'The record and its index in the log' },
      202: { description: 'The checkpoint that covers it is still to come', headers: ['Retry-After'] },
    },
  },
  'GET /provenance/1/chain': {
    id: 'getChain',
    summary: 'Gives the records that concern the asker, link by link: its gapless chain, as far as it is published',
    description:
      'Links follow `after`; an auditor may name another `party`. An answer without lines is the end of the chain.',
    codes: ['page-limit', 'not-found'],
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
    codes: ['log-behind'],
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
