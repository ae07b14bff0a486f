import type { FastifyReply, FastifyRequest } from 'fastify'
import { CATALOGUE, type ErrorCode, Refusal } from '../kernel/errors.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** Fastify's own refusals and the ones of ours that they are. */
const FRAMEWORK: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-header',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-json',
  FST_ERR_BAD_URL: 'not-found',
  FST_ERR_MAX_PARAM_LENGTH: 'not-found',
}

/** The refusal that an error is; `internal` for whatever was not meant to leave. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { code = '' } = (error ?? {}) as { code?: string }
  const known = FRAMEWORK[code]
  return known === undefined ? new Refusal('internal', { cause: error }) : new Refusal(known)
}

/** The body of RFC 9457. `type` ends in the code; members beyond the RFC's are `code`, `errors`, `request_id` and facts. */
export function problemOf(refusal: Refusal, requestId: string): Record<string, unknown> {
  const { code, status, detail, errors, extra } = refusal
  return {
    type: `/problems/${code}`,
    title: CATALOGUE[code][1],
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(errors.length === 0 ? {} : { errors }),
    ...extra,
    request_id: requestId,
  }
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter))
  reply.header('cache-control', 'no-store').type(PROBLEM_TYPE)
  return reply.code(refusal.status).send(JSON.stringify(problemOf(refusal, request.id)))
}
