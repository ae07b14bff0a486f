import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { LIMITS } from './limits.ts'
import { createTokenBuckets, type Rate } from './token-bucket.ts'

const REQUESTS: Rate = {
  perSecond: LIMITS.requests_per_credential_per_second,
  burst: LIMITS.requests_per_credential_burst,
}
/** What is refused or not found: few in honest use, many while somebody tries doors. */
const REFUSALS: Rate = {
  perSecond: LIMITS.refusals_per_credential_per_minute / 60,
  burst: LIMITS.refusals_per_credential_per_minute,
}

/** Requests, and 403 and 404 answers, of one credential; beyond: `rate-limited` with `Retry-After`. */
export function limitRequests(app: FastifyInstance, clock: Clock, requests: Rate = REQUESTS): void {
  const mayAsk = createTokenBuckets(clock, requests)
  const mayFail = createTokenBuckets(clock, REFUSALS)
  const failing = new Map<string, number>()
  app.addHook('onRequest', async ({ peer }) => {
    const until = failing.get(peer.credential) ?? 0
    if (until > clock().getTime()) throw new Refusal('rate-limited', { retryAfter: 1 })
    failing.delete(peer.credential)
    if (!mayAsk(peer.credential)) throw new Refusal('rate-limited', { retryAfter: 1 })
  })
  app.addHook('onResponse', async (request, { statusCode }) => {
    // Who was not let in has no credential that could be held up.
    const peer = request.peer as FastifyRequest['peer'] | undefined
    if (peer === undefined || (statusCode !== 403 && statusCode !== 404)) return
    if (!mayFail(peer.credential)) failing.set(peer.credential, clock().getTime() + 1_000)
  })
}
