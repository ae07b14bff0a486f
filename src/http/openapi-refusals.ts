import { CATALOGUE, type ErrorCode } from '../kernel/errors.ts'
import { repeatOf } from './idempotency.ts'
import { headersOf, type Json, problemContent } from './openapi-parts.ts'
import type { AnswerHeader, ListenerName, Operation, Route } from './operation.ts'

/** The refusals under one status that a route may answer with. */
export interface Refusals {
  listener: ListenerName
  status: number
  codes: readonly ErrorCode[]
}

const ANY: readonly ErrorCode[] = [
  ...(['invalid-header', 'request-timeout', 'uri-too-long', 'unsupported-media-type'] as const),
  ...(['headers-too-large', 'internal', 'busy'] as const),
]
const ADMISSION: readonly ErrorCode[] = [
  ...(['credential-not-enrolled', 'participant-suspended', 'rate-limited', 'authority-stale'] as const),
  ...(['access-token-invalid', 'access-token-foreign', 'access-token-expired', 'access-token-unbound'] as const),
  'access-token-widened',
]
const BODY: readonly ErrorCode[] = ['invalid-json', 'json-strict', 'json-limit', 'too-large', 'validation-failed']

/** On every answer to a participant, once there is a checkpoint. */
export const checkpoint = (listener: ListenerName): AnswerHeader[] =>
  listener === 'partner' ? ['Provenance-Checkpoint'] : []

/** What every request of its listener may be refused with, what its parts may, and what its description adds. */
export function refusalsOf(route: Route, operation: Operation): Refusals[] {
  const { listener } = route
  const codes = codesOf(route, operation).sort()
  return [...Map.groupBy(codes, (code): number => CATALOGUE[code][0])]
    .map(([status, own]) => ({ listener, status, codes: own }))
    .sort((a, b) => a.status - b.status)
}

/** Stands once in the components, whichever routes refer to it. */
export const responseName = ({ listener, status, codes }: Refusals): string => [listener, status, ...codes].join('.')

export const referenceTo = (refusals: Refusals): Json => ({ $ref: `#/components/responses/${responseName(refusals)}` })

export function responseOf({ listener, status, codes }: Refusals): Json {
  const headers: AnswerHeader[] = status === 429 || status === 503 ? ['Retry-After'] : []
  return {
    description: codes.map((code) => `\`${code}\`: ${CATALOGUE[code][1]}.`).join(' '),
    headers: headersOf([...headers, ...checkpoint(listener)]),
    content: problemContent(),
    'x-codes': codes,
  }
}

/** Of a request that came under a key. */
const KEYED: readonly ErrorCode[] = [
  ...(['idempotency-key-invalid', 'idempotency-in-flight', 'idempotency-key-reused', 'quota-exceeded'] as const),
  ...(['read-only', 'outcome-unknown'] as const),
]

function codesOf(route: Route, { codes = [], commits }: Operation): ErrorCode[] {
  const { listener, config, schema } = route
  const repeat = repeatOf(route)
  const all: ErrorCode[] = [...ANY, ...codes]
  if (listener === 'partner') all.push(...ADMISSION)
  if (config.scope !== 'public') all.push('scope-missing')
  if (schema.params !== undefined) all.push('not-found')
  if (schema.querystring !== undefined) all.push('invalid-query')
  if (schema.body !== undefined) all.push(...BODY)
  if (repeat !== undefined) all.push(...KEYED)
  if (repeat === 'kept') all.push('idempotency-answer-lost')
  if (commits === true) all.push('read-only', 'outcome-unknown')
  return [...new Set(all)]
}
