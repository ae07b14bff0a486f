import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CATALOGUE, type ErrorCode, Refusal } from '../kernel/errors.ts'
import { LIMITS } from './limits.ts'

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

/** Node's, from before there is a request; every other one is of a head that is no HTTP. */
const UNREAD: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
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
  if (isLong(request.raw)) reply.header('connection', 'close')
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter))
  reply.header('cache-control', 'no-store').type(PROBLEM_TYPE)
  return reply.code(refusal.status).send(JSON.stringify(problemOf(refusal, request.id)))
}

/** Whether so much of a body may be to come that reading it, for nothing, costs more than a new connection. */
const isLong = ({ headers, complete }: FastifyRequest['raw']): boolean =>
  !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > LIMITS.json_bytes)

/** Answers on the bare connection what could not be read as a request, and ends it. */
export function refuseUnread(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const refusal = new Refusal(UNREAD[error.code ?? ''] ?? 'invalid-header')
  const body = JSON.stringify(problemOf(refusal, requestId))
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ]
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroy(error)
}
