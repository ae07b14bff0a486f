import { Type } from 'typebox'
import { TOKEN_PATH } from '../access/schema.ts'
import * as feedback from '../feedback/schema.ts'
import * as feeds from '../feeds/schema.ts'
import { CATALOGUE, type ErrorCode } from '../kernel/errors.ts'
import * as kernel from '../kernel/schema.ts'
import * as participants from '../participants/schema.ts'
import * as provenance from '../provenance/schema.ts'
import * as review from '../review/schema.ts'
import * as signals from '../signals/schema.ts'
import { LIMITS } from './limits.ts'
import type { AnswerHeader, Content, RequestHeader } from './operation.ts'
import { PROBLEM_TYPE } from './problem.ts'

export type Json = Readonly<Record<string, unknown>>

const Code = Type.Unsafe<ErrorCode>({ type: 'string', enum: Object.keys(CATALOGUE) })

/** RFC 9457, and what of it is ours. */
export const Problem = Type.Object({
  type: Type.String({ format: 'uri-reference', pattern: '^/problems/[a-z]+(-[a-z]+)*$' }),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  code: Code,
  detail: Type.Optional(Type.String({ description: 'What to do next; never a value of the request.' })),
  errors: Type.Optional(
    Type.Array(
      Type.Object({
        pointer: Type.String({ description: 'RFC 6901.' }),
        code: Code,
        detail: Type.Optional(Type.String()),
      }),
    ),
  ),
  limit: Type.Optional(Type.Integer({ description: 'The limit that was passed.' })),
  request_id: Type.String(),
})

/** Shapes that stand by name: wherever a route has one of them, there is a reference. */
const NAMED: Readonly<Record<string, object>> = {
  Problem,
  Code,
  Uuid: kernel.UuidSchema,
  Decimal: kernel.BigIntSchema,
  Slug: kernel.SlugSchema,
  Instant: kernel.InstantSchema,
  SigningJwk: participants.SigningJwk,
  NodeKeys: participants.NodeKeys,
  AudienceInfo: participants.AudienceInfo,
  Jws: signals.Jws,
  SubmittedItem: signals.SubmittedItem,
  Submission: signals.Submission,
  ItemResult: signals.ItemResult,
  SubmissionResult: signals.SubmissionResult,
  UploadLine: signals.UploadLine,
  ...Object.fromEntries(Object.entries(signals.SIGNAL_SHAPES).map(([type, shape]) => [`SignalItem.${type}`, shape])),
  SignalItem: signals.SignalItem,
  WithdrawalItem: signals.WithdrawalItem,
  FeedEvent: feeds.FeedEventSchema,
  SubmissionProof: feeds.SubmissionProof,
  EventsPage: feeds.EventsPage,
  SealedEvent: feeds.SealedEventSchema,
  SealedPage: feeds.SealedPage,
  Lookup: feeds.Lookup,
  LookupResult: feeds.LookupResult,
  ProofPath: provenance.ProofPath,
  SignedAct: feedback.SignedAct,
  FeedbackItem: feedback.FeedbackItem,
  DisputeItem: feedback.DisputeItem,
  OutcomeCounts: feedback.OutcomeCounts,
  CaseInfo: review.CaseInfo,
}

const names = new Map(Object.entries(NAMED).map(([name, schema]) => [JSON.stringify(schema), name]))

const REQUEST_HEADERS: Readonly<Record<RequestHeader, { description: string; schema: object; required: boolean }>> = {
  'Upload-Id': {
    description: 'Chosen by the client, the same for every part of one upload.',
    schema: kernel.UuidSchema,
    required: true,
  },
  'Idempotency-Key': {
    description: 'Chosen by the client: the same key with the same body changes nothing for 10 minutes.',
    schema: kernel.UuidSchema,
    required: true,
  },
  'Last-Event-ID': {
    description: 'The id of the last message that was seen; it goes before the cursor of the URL.',
    schema: { type: 'string', maxLength: 128 },
    required: false,
  },
  'If-Match': {
    description: 'The tag of what is to be replaced, as `ETag` named it; `*` for whatever it is.',
    schema: { type: 'string', maxLength: 512 },
    required: false,
  },
  'Upload-Line': {
    description: 'The number of the first line that follows; 1 if absent.',
    schema: { type: 'string', pattern: '^[1-9][0-9]{0,14}$', default: '1' },
    required: false,
  },
}

const ANSWER_HEADERS: Readonly<Record<AnswerHeader, { description: string; schema: object }>> = {
  'Provenance-Read': {
    description: '`<id>.<place> <commitment>`: the entry of this answer in the read journal.',
    schema: { type: 'string', pattern: '^[0-9a-f-]{36}\\.[0-9]+ [A-Za-z0-9_-]{43}$' },
  },
  'Provenance-Checkpoint': {
    description: '`<size> <root>` of the newest signed checkpoint, to be held against the one that the client keeps.',
    schema: { type: 'string', pattern: '^(0|[1-9][0-9]*) [A-Za-z0-9_-]{43}$' },
  },
  'Feed-Cursor': { description: 'Stands after the last event of the segment.', schema: { type: 'string' } },
  'Feed-Signature': {
    description: 'Of a part of a sealed feed: `<kid> <signature>` by the receipt key of the node.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{43} [A-Za-z0-9_-]{86}$' },
  },
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 0 } },
  Location: { description: 'Where the receipt will be.', schema: { type: 'string', format: 'uri-reference' } },
  'Provenance-Witnessed': {
    description: 'Only while the quorum of the policy is missing: how many witnesses cosigned, of how many.',
    schema: { type: 'string', pattern: '^[0-9]{1,2}/[0-9]{1,2}$' },
  },
  'Idempotent-Replayed': {
    description: '`true` on the kept answer of an earlier request under the same Idempotency-Key; otherwise absent.',
    schema: { const: 'true' },
  },
  ETag: { description: 'SHA-256 of the bytes.', schema: { type: 'string', pattern: '^"[0-9a-f]{64}"$' } },
}

/** The content of the strings in which items stand. */
const ITEM_TEXT: Json = {
  contentMediaType: 'application/json',
  contentSchema: { anyOf: ['SignalItem', 'WithdrawalItem', 'FeedbackItem', 'DisputeItem'].map(referenceTo) },
}

function referenceTo(name: string): Json {
  return { $ref: `#/components/schemas/${name}` }
}

/** The schema as the document has it: named shapes as references. */
export function refer(schema: unknown): unknown {
  const name = names.get(JSON.stringify(schema))
  return name === undefined ? within(schema) : referenceTo(name)
}

function within(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(refer)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema).map(([key, own]: [string, unknown]) => [key, member(key, own)]))
}

const member = (key: string, own: unknown): unknown =>
  key === 'item' && isText(own) ? { ...own, ...ITEM_TEXT } : refer(own)

const isText = (schema: unknown): schema is { type: 'string' } =>
  (schema as { type?: unknown } | null)?.type === 'string'

export const components = (): Json => ({
  schemas: Object.fromEntries(Object.entries(NAMED).map(([name, schema]) => [name, within(schema)])),
  headers: Object.fromEntries(
    Object.entries(ANSWER_HEADERS).map(([name, { description, schema }]) => [
      name,
      { description, schema: refer(schema) },
    ]),
  ),
  securitySchemes: {
    mutualTLS: {
      type: 'mutualTLS',
      description: 'TLS 1.3 with the certificate of an enrolled key. The roles are scopes of its credential.',
    },
    accessToken: {
      type: 'oauth2',
      description:
        'At will, beside the certificate that it is bound to (RFC 8705): a token with fewer scopes than the credential, for ten minutes. Without the certificate it is worth nothing.',
      flows: {
        clientCredentials: {
          tokenUrl: TOKEN_PATH,
          scopes: Object.fromEntries(participants.SCOPES.map((scope) => [scope, `Routes whose scope is ${scope}`])),
        },
      },
    },
  },
})

/** A request header as a parameter. */
export function headerParameter(name: RequestHeader): Json {
  const { description, schema, required } = REQUEST_HEADERS[name]
  return { name, in: 'header', description, required, schema: refer(schema) }
}

/** At will, where a request may be repeated under a key; what it does then the introduction says. */
export const idempotencyParameter = (): Json => ({
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Chosen by the client, a UUID at best: this request and no other, for 24 hours.',
  required: false,
  schema: { type: 'string', minLength: 1, maxLength: LIMITS.idempotency_key_characters },
})

/** Headers of an answer, as references. */
export const headersOf = (names: readonly AnswerHeader[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))

/** The path parameters, or those of the query. */
export function parametersOf(place: 'path' | 'query', schema: object | undefined): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { properties?: Json; required?: readonly string[] }
  return Object.entries(properties).map(([name, own]) => ({
    name: name === '*' ? 'path' : name,
    in: place,
    required: required.includes(name),
    schema: refer(own),
  }))
}

export const contentsOf = (contents: readonly Content[]): Json => Object.assign({}, ...contents.map(contentOf))

/** A body that is no JSON document. Of a stream of lines, `x-line` says what a line is. */
export function contentOf({ type, lines, description }: Content): Json {
  const schema = { type: 'string', description }
  if (lines === undefined) return { [type]: { schema } }
  return { [type]: { schema, 'x-line': { anyOf: lines.map(lineOf) } } }
}

const lineOf = ([name, schema]: readonly [name: string | null, schema: object]): Json => {
  const own = refer(schema)
  if (name === null) return own as Json
  return { type: 'object', properties: { [name]: own }, required: [name], additionalProperties: false }
}

export const problemContent = (): Json => ({ [PROBLEM_TYPE]: { schema: referenceTo('Problem') } })
