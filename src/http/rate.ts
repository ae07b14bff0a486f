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

/** What every credential may still ask; whoever tells of it reads the very buckets that refuse. */
export interface RequestCounts {
  requests: Counted
  refusals: Counted
}

interface Counted {
  /** Whether one more passes now. */
  take(credential: string): boolean
  left(credential: string): number
  /** At once; and how many more each second. */
  burst: number
  perSecond: number
}

export const createRequestCounts = (clock: Clock, requests: Rate = REQUESTS): RequestCounts => ({
  requests: countedBy(clock, requests),
  refusals: countedBy(clock, REFUSALS),
})

function countedBy(clock: Clock, rate: Rate): Counted {
  const take = createTokenBuckets(clock, rate)
  return { take, left: take.left, ...rate }
}

/**
 * Requests, and 403 and 404 answers, of one credential; beyond: `rate-limited` with `Retry-After`. Each answer says how many
 * requests are left, and in how many seconds the whole burst is there again (draft-ietf-httpapi-ratelimit-headers).
 */
export function limitRequests(app: FastifyInstance, clock: Clock, { requests, refusals }: RequestCounts): void {
  const { burst, perSecond } = requests
  const failing = new Map<string, number>()
  const policy = `"requests";q=${burst};w=${Math.ceil(burst / perSecond)}`
  app.addHook('onSend', async (request, reply) => {
    // Who was not let in has no credential that could be counted.
    const peer = request.peer as FastifyRequest['peer'] | undefined
    if (peer === undefined) return
    const left = requests.left(peer.credential)
    const full = Math.ceil((burst - left) / perSecond)
    reply.header('ratelimit-policy', policy).header('ratelimit', `"requests";r=${left};t=${full}`)
  })
  app.addHook('onRequest', async ({ peer }) => {
    const until = failing.get(peer.credential) ?? 0
    if (until > clock().getTime()) throw new Refusal('rate-limited', { retryAfter: 1 })
    failing.delete(peer.credential)
    if (!requests.take(peer.credential)) throw new Refusal('rate-limited', { retryAfter: 1 })
  })
  app.addHook('onResponse', async (request, { statusCode }) => {
    // Who was not let in has no credential that could be held up.
    const peer = request.peer as FastifyRequest['peer'] | undefined
    if (peer === undefined || (statusCode !== 403 && statusCode !== 404)) return
    if (!refusals.take(peer.credential)) failing.set(peer.credential, clock().getTime() + 1_000)
  })
}
