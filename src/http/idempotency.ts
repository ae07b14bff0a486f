import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../kernel/errors.ts'
import { type Claim, type IdempotencyKeys, isClaim, type KeptAnswer } from './idempotency-keys.ts'
import { LIMITS } from './limits.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The attempt that a request with a key is. */
    claim: Claim | undefined
  }
}

/**
 * Repeated under its key, such a request is carried out again: it is a read, whose disclosure is recorded anew, or its
 * content names it, so that the second time changes nothing. No answer of it is kept.
 */
const AGAIN: ReadonlySet<string> = new Set([
  ...['/v1/lookups', '/v1/signals/:signal/reveal', '/v1/bulk-jobs/plan'],
  ...['/v1/submissions', '/v1/feedback', '/v1/disputes', '/v1/disputes/:dispute/answer', '/v1/hits'],
  ...['/v1/feeds/:feed/acknowledgements', '/v1/signing-keys', '/v1/credentials/renewals'],
  ...['/v1/cases/:case/decisions', '/v1/bulk-jobs'],
  ...['/v1/webhooks/:endpoint/rotation', '/v1/webhooks/:endpoint/test'],
])

/** Whose key is part of what is asked, and means something else. */
const OWN: ReadonlySet<string> = new Set(['/v1/oprf/evaluations'])

type Repeat = 'kept' | 'again'

/** What becomes of a request that is repeated under its key; undefined where the header says nothing. */
export function repeatOf(route: {
  method: string
  url: string
  config: { stream?: boolean; foreign?: boolean }
}): Repeat | undefined {
  const { method, url, config } = route
  if (method !== 'POST' || !url.startsWith('/v1/') || config.stream === true || config.foreign === true)
    return undefined
  if (OWN.has(url)) return undefined
  return AGAIN.has(url) ? 'again' : 'kept'
}

/** Headers of an answer that are its own and not of the moment. */
const HEADERS = ['content-type', 'location', 'cache-control'] as const

interface Options {
  keys: IdempotencyKeys
  /** Told of an answer that could not be kept. It leaves all the same: what it says is true. */
  onFault(error: unknown, requestId: string): void
}

/** The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), behind all that judges a request. */
export function keepAnswers(app: FastifyInstance, { keys, onFault }: Options): void {
  app.decorateRequest('claim')
  app.addHook('preHandler', async (request, reply) => {
    const repeat = repeatHere(request)
    const header = request.headers['idempotency-key']
    if (repeat === undefined || header === undefined) return
    const { participant, credential } = request.peer
    const found = await keys.claim({
      ...{ participant, credential, key: keyIn(header), again: repeat === 'again' },
      request: [request.method, request.url, JSON.stringify(request.body ?? null)],
    })
    if (!isClaim(found)) return replay(reply, found)
    request.claim = found
  })
  // With a callback, so that the handler runs inside.
  app.addHook('preHandler', ({ claim }, _reply, done) => {
    if (claim === undefined || claim.again) done()
    else keys.within(claim, done)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const { claim } = request
    if (claim === undefined || claim.over) return
    const headers = HEADERS.flatMap((name) => {
      const value = reply.getHeader(name)
      return value === undefined ? [] : [[name, String(value)] as const]
    })
    const answer = { status: reply.statusCode, headers: Object.fromEntries(headers), body: textOf(payload) }
    await keys.settle(claim, answer).catch((error: unknown) => onFault(error, request.id))
  })
}

function repeatHere({ method, routeOptions: { url, config } }: FastifyRequest): Repeat | undefined {
  return url === undefined ? undefined : repeatOf({ method, url, config })
}

const BARE = /^[!#-+\--[\]-~]+$/

/** Bare, or as a string of structured fields (RFC 8941), which is what the draft asks for: both name the same key. */
function keyIn(header: string | string[]): string {
  const text = typeof header === 'string' ? (/^"(.*)"$/.exec(header)?.[1] ?? header) : ''
  if (text.length > LIMITS.idempotency_key_characters || !BARE.test(text)) throw new Refusal('idempotency-key-invalid')
  return text
}

function replay(reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply {
  reply.code(status).headers(headers).header('idempotent-replayed', 'true')
  return status === 204 ? reply.send() : reply.send(body)
}

/** Undefined for what is no text, as streams are. */
function textOf(payload: unknown): string | undefined {
  if (payload === undefined || payload === null) return ''
  return typeof payload === 'string' ? payload : undefined
}
