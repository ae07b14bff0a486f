import type { ErrorCode } from '../../src/kernel/errors.ts'
import { CANARY, type Call, JSON_TYPE, NEVER } from './world.ts'

const KEY = 'ab12'.repeat(16)
const lookup = (change: object = {}): object => ({
  queries: [{ type: 'email', profile: 'email/1@epoch-1', keys: [KEY] }],
  purpose: 'enforcement',
  ...change,
})
const json = (method: string, path: string, body: unknown): Call => ({
  ...{ method, path, headers: JSON_TYPE },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const lookUp = (body: unknown): Call => json('POST', '/v1/lookups', body)
const query = (keys: unknown): object => ({ type: 'email', profile: 'email/1', keys })

/** What only a running node knows. */
export interface Known {
  feed: string
  /** Cursors that stand before the first event: of the feed, and of another. */
  cursor: string
  otherCursor: string
  jwk: object
}

export type RequestCase = readonly [what: string, call: (at: Known) => Call, code: ErrorCode, pointer?: string]

const BODIES: readonly RequestCase[] = [
  ['no JSON', () => lookUp(`{"purpose":"${CANARY}"`), 'invalid-json'],
  ['nothing', () => lookUp(''), 'invalid-json'],
  ['two documents', () => lookUp('{}{}'), 'invalid-json'],
  ['a duplicate key', () => lookUp('{"purpose":"appeal","purpose":"appeal"}'), 'json-strict', '/purpose'],
  [
    'an address as a key, twice',
    () => lookUp(`{"${CANARY}@x.example":1,"${CANARY}@x.example":1}`),
    'json-strict',
    '/?',
  ],
  ['a lone surrogate', () => lookUp('{"purpose":"\\udfff"}'), 'json-strict', '/purpose'],
  ['bytes that are no UTF-8', () => ({ ...lookUp(''), body: Buffer.from('7b22ff223a317d', 'hex') }), 'json-strict'],
  ['a byte order mark', () => lookUp(`\ufeff${JSON.stringify(lookup())}`), 'invalid-json'],
  ['an unknown member', () => lookUp(lookup({ plover: CANARY })), 'validation-failed', '/plover'],
  ['a prototype', () => lookUp('{"__proto__":{"purpose":"appeal"}}'), 'validation-failed'],
  ['an unknown purpose', () => lookUp(lookup({ purpose: CANARY })), 'validation-failed', '/purpose'],
  [
    'a raw key',
    () => lookUp(lookup({ queries: [query(['fig@mail.example'])] })),
    'validation-failed',
    '/queries/0/keys/0',
  ],
  ['a short key', () => lookUp(lookup({ queries: [query(['ab12'])] })), 'validation-failed', '/queries/0/keys/0'],
  ['no keys', () => lookUp(lookup({ queries: [query([])] })), 'validation-failed', '/queries/0/keys'],
  ['1,001 keys', () => lookUp(lookup({ queries: [query(Array(1_001).fill(KEY))] })), 'json-limit', '/queries/0/keys'],
  [
    '1,001 keys in two',
    () => lookUp(lookup({ queries: [query(Array(501).fill(KEY)), query(Array(500).fill(KEY))] })),
    'page-limit',
  ],
  ['65 queries', () => lookUp(lookup({ queries: Array(65).fill(query([KEY])) })), 'validation-failed', '/queries'],
  ['nine levels', () => lookUp(`{"queries":${'['.repeat(8)}${']'.repeat(8)}}`), 'json-limit'],
  ['more than 128 KiB', () => lookUp(`"${'p'.repeat(131_072)}"`), 'too-large'],
  ['more than 64 KiB', () => json('PUT', `/v1/audiences/${NEVER}`, `"${'p'.repeat(65_536)}"`), 'too-large'],
  ['more than 16 KiB', () => json('POST', '/v1/credentials/renewals', { csr: 'p'.repeat(16_384) }), 'too-large'],
  [
    'a string of 4,097',
    () => json('POST', '/v1/credentials/renewals', { csr: 'p'.repeat(4_097) }),
    'json-limit',
    '/csr',
  ],
  [
    'no certificate request',
    () => json('POST', '/v1/credentials/renewals', { csr: CANARY }),
    'certificate-request-refused',
  ],
  ['an unknown stage', (at) => ack(at.feed, { upto: '0', stage: CANARY }), 'validation-failed', '/stage'],
  ['a number for a sequence', (at) => ack(at.feed, { upto: 0, stage: 'mirror_removed' }), 'validation-failed', '/upto'],
  ['a sequence to come', (at) => ack(at.feed, { upto: '999', stage: 'mirror_removed' }), 'validation-failed', '/upto'],
  ['a feed of nobody', () => ack(NEVER, { upto: '0', stage: 'mirror_removed' }), 'not-found'],
  ['a member that is none', () => audience({ members: [CANARY] }), 'validation-failed', '/members/0'],
  ['a member twice', () => audience({ members: ['apple', 'apple'] }), 'validation-failed', '/members'],
  ['a label with a line break', () => audience({ label: 'a\nb' }), 'validation-failed', '/label'],
  [
    'an unproven signing key',
    ({ jwk }) => json('POST', '/v1/signing-keys', { jwk, nonce: 'A'.repeat(54), proof: 'A'.repeat(86) }),
    'signature-invalid',
  ],
]

const ack = (feed: string, body: object): Call => json('POST', `/v1/feeds/${feed}/acknowledgements`, body)
const audience = (change: object): Call =>
  json('PUT', `/v1/audiences/${NEVER}`, { label: 'fruits', mode: 'full', members: ['apple'], ...change })

const get = (path: string, headers: Call['headers'] = {}): Call => ({ path, headers })
const events = ({ feed }: Known, asked: string): Call => get(`/v1/feeds/${feed}/events?${asked}`)

const PLACES: readonly RequestCase[] = [
  ['a cursor of our own making', (at) => events(at, `cursor=${CANARY}`), 'invalid-cursor'],
  ['a cursor with one character changed', (at) => events(at, `cursor=${flipped(at.cursor)}`), 'invalid-cursor'],
  ['a cursor of another feed', (at) => events(at, `cursor=${at.otherCursor}`), 'invalid-cursor'],
  ['a cursor with padding', (at) => events(at, `cursor=${at.cursor}=`), 'invalid-cursor'],
  ['an empty cursor', (at) => events(at, 'cursor='), 'invalid-query', '/cursor'],
  ['a cursor of 129 characters', (at) => events(at, `cursor=${'A'.repeat(129)}`), 'invalid-query', '/cursor'],
  ['a cursor twice', (at) => events(at, `cursor=${at.cursor}&cursor=${at.cursor}`), 'invalid-query', '/cursor'],
  ['1,001 events', (at) => events(at, 'limit=1001'), 'page-limit'],
  ['no events', (at) => events(at, 'limit=0'), 'invalid-query', '/limit'],
  ['a word for a number', (at) => events(at, `limit=${CANARY}`), 'invalid-query', '/limit'],
  ['a wait of 31 seconds', (at) => events(at, 'wait=31'), 'invalid-query', '/wait'],
  ['an unknown parameter', (at) => events(at, `plover=${CANARY}`), 'invalid-query', '/plover'],
  ['a parameter that is an address', (at) => events(at, `${CANARY}@x.example=1`), 'invalid-query', '/?'],
  ['a prototype', (at) => events(at, '__proto__[limit]=1'), 'invalid-query'],
  ['a feed that is no id', () => get(`/v1/feeds/${CANARY}/events`), 'not-found'],
  ['a feed of nobody', () => get(`/v1/feeds/${NEVER}/events`), 'not-found'],
  ['a feed in capitals', ({ feed }) => get(`/v1/feeds/${feed.toUpperCase()}/events`), 'not-found'],
  ['a segment that is not sealed', ({ feed }) => get(`/v1/feeds/${feed}/segments/1`), 'not-found'],
  ['a segment before the first', ({ feed }) => get(`/v1/feeds/${feed}/segments/-1`), 'not-found'],
  ['a signal of nobody', () => get(`/v1/signals/${NEVER}`), 'not-found'],
  ['the key of no epoch', () => get(`/v1/hash-profiles/${CANARY}/key`), 'not-found'],
  ['a receipt of nothing', () => get(`/provenance/1/receipts/${NEVER}`), 'not-found'],
  ['a receipt of no read', () => get(`/provenance/1/receipts/${NEVER}?read=0`), 'not-found'],
  ['a receipt of read -1', () => get(`/provenance/1/receipts/${NEVER}?read=-1`), 'invalid-query', '/read'],
  ['a receipt of an item of nobody', () => get(`/provenance/1/receipts/${NEVER}?item=${NEVER}`), 'not-found'],
  [
    'a receipt of a read and an item',
    () => get(`/provenance/1/receipts/${NEVER}?item=${NEVER}&read=0`),
    'invalid-query',
  ],
  ['a receipt of a revision alone', () => get(`/provenance/1/receipts/${NEVER}?revision=1`), 'invalid-query'],
  ['a record of nothing', () => get(`/provenance/1/records/${NEVER}`), 'not-found'],
  ["another's chain", () => get('/provenance/1/chain?party=plum'), 'not-found'],
  ['1,001 links', () => get('/provenance/1/chain?limit=1001'), 'page-limit'],
  ['links after -1', () => get('/provenance/1/chain?after=-1'), 'invalid-query', '/after'],
  ['a file beside the tiles', () => get('/provenance/1/tile/../../../etc/passwd'), 'not-found'],
  ['an encoded file beside the tiles', () => get('/provenance/1/tile/%2e%2e%2f%2e%2e%2fkeys'), 'not-found'],
  ['a tile beyond the log', () => get('/provenance/1/tile/0/x999/999'), 'not-found'],
  ['a proof beyond the log', () => get('/provenance/1/proof/inclusion?index=1&size=999999'), 'not-found'],
  ['a proof at no index', () => get('/provenance/1/proof/inclusion?index=5&size=5'), 'not-found'],
  ['a proof in an empty tree', () => get('/provenance/1/proof/inclusion?index=0&size=0'), 'not-found'],
  [
    'a proof of nineteen digits',
    () => get(`/provenance/1/proof/inclusion?index=0&size=${'9'.repeat(19)}`),
    'invalid-query',
    '/size',
  ],
  ['a proof backwards', () => get('/provenance/1/proof/consistency?from=5&to=3'), 'invalid-query'],
  ['a proof without an end', () => get('/provenance/1/proof/consistency?from=1'), 'invalid-query', '/to'],
  ['another log', () => get('/provenance/2/checkpoint'), 'not-found'],
  ['a path that is not there', () => get(`/v1/${CANARY}`), 'not-found'],
  ['a path with a slash more', () => get('/v1/feeds/'), 'not-found'],
  ['a path in capitals', () => get('/V1/feeds'), 'not-found'],
]

/** The same text but for its last character. */
const flipped = (text: string): string => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A')

const HEADS: readonly RequestCase[] = [
  ['text', () => ({ ...lookUp(lookup()), headers: { 'content-type': 'text/plain' } }), 'unsupported-media-type'],
  [
    'a form',
    () => ({ ...lookUp(lookup()), headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    'unsupported-media-type',
  ],
  ['no type', () => ({ ...lookUp(lookup()), headers: {} }), 'unsupported-media-type'],
  [
    'a type that is like JSON',
    () => ({ ...lookUp(lookup()), headers: { 'content-type': 'application/json5' } }),
    'unsupported-media-type',
  ],
  [
    'lines where there is one document',
    () => ({ ...lookUp(lookup()), headers: { 'content-type': 'application/x-ndjson' } }),
    'unsupported-media-type',
  ],
  ['one document where there are lines', () => json('POST', '/v1/submissions/stream', {}), 'unsupported-media-type'],
  [
    'an encoding',
    () => ({ ...lookUp(lookup()), headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }),
    'unsupported-media-type',
  ],
  [
    'an encoding that is none',
    () => ({ ...lookUp(lookup()), headers: { ...JSON_TYPE, 'content-encoding': 'identity' } }),
    'unsupported-media-type',
  ],
  ['a URL of more than 2 KiB', () => get(`/v1/feeds?${'p'.repeat(2_048)}`), 'uri-too-long'],
  ['a certificate', () => get('/v1/whoami', { 'client-cert': `:${CANARY}:` }), 'invalid-header'],
  ['an empty certificate', () => get('/v1/whoami', { 'Client-Cert': '' }), 'invalid-header'],
  ['a chain', () => get('/v1/whoami', { 'client-cert-chain': `:${CANARY}:` }), 'invalid-header'],
  [
    '101 headers',
    () => get('/v1/whoami', Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, CANARY]))),
    'headers-too-large',
  ],
  ['16 KiB of headers', () => get('/v1/whoami', { 'x-plover': CANARY.repeat(1_000) }), 'headers-too-large'],
  ['no upload', () => stream({}), 'invalid-header'],
  ['an upload that is no id', () => stream({ 'upload-id': CANARY }), 'invalid-header'],
  ['a line that is none', () => stream({ 'upload-id': NEVER, 'upload-line': '0' }), 'invalid-header'],
]

function stream(headers: Record<string, string>): Call {
  const type = { 'content-type': 'application/x-ndjson' }
  return { method: 'POST', path: '/v1/submissions/stream', headers: { ...type, ...headers }, body: '{}\n' }
}

export const CASES: readonly RequestCase[] = [...BODIES, ...PLACES, ...HEADS]
