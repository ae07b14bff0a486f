import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { checkWords } from '../feedback/judge.ts'
import type { Disclosed } from '../feeds/answer.ts'
import { LIMITS } from '../http/limits.ts'
import type { Peer } from '../http/peer.ts'
import {
  CaseInfo,
  CaseList,
  CaseParams,
  CasesQuery,
  ClaimRequest,
  DecisionParams,
  DecisionRequest,
  DecisionResult,
  HandOverRequest,
  HitReport,
  HitResult,
  HoldRequest,
  LeaseResult,
  MoveResult,
  NextResult,
  Operated,
  ResumeRequest,
  ReviewFigures,
  Routing,
  SecondRequest,
  TokenRequest,
} from './schema.ts'
import type { Reviewer, ReviewService } from './service.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const WORK = { config: { scope: 'review:work' } } as const

/** Who works, as the platform's own tool attests it; a pseudonym that looks raw is refused. */
function attested(
  { participant, slug }: Peer,
  { operator, lead = false }: { operator: string; lead?: boolean },
): Reviewer {
  checkWords({ operator })
  return { participant, slug, who: operator, authority: 'attested', lead }
}

/** For a platform's own tools: what they found, and the cases that come of it. */
export const reviewRoutes: FastifyPluginAsyncTypebox<{ review: ReviewService }> = async (app, { review }) => {
  app.post(
    '/v1/hits',
    {
      config: { scope: 'feedback:write' },
      schema: { body: HitReport, response: { 200: HitResult } },
      bodyLimit: LIMITS.hits_bytes,
    },
    async ({ peer, body }) => review.reportHits(peer, body),
  )

  app.get(
    '/v1/cases',
    { config: { scope: 'review:work', raw: { 200: CaseList } }, schema: { querystring: CasesQuery } },
    async ({ peer, query, routeOptions }, reply) =>
      disclose(reply, await review.list({ ...peer, route: routeOptions.url ?? '' }, query)),
  )

  app.get(
    '/v1/cases/:case',
    { config: { scope: 'review:work', raw: { 200: CaseInfo } }, schema: { params: CaseParams } },
    async ({ peer, params, routeOptions }, reply) =>
      disclose(reply, await review.one({ ...peer, route: routeOptions.url ?? '' }, params.case)),
  )

  await app.register(leaseRoutes, { review })
  await app.register(decisionRoutes, { review })

  app.get('/v1/review/routing', { ...WORK, schema: { response: { 200: Routing } } }, async ({ peer }) =>
    review.routing(peer.participant),
  )

  app.put(
    '/v1/review/routing',
    { ...WORK, schema: { body: Routing, response: { 200: Routing } } },
    async ({ peer, body }) => review.route(peer, body),
  )

  app.get('/v1/review/figures', { ...WORK, schema: { response: { 200: ReviewFigures } } }, async ({ peer }) =>
    review.figures(peer.participant),
  )
}

const leaseRoutes: FastifyPluginAsyncTypebox<{ review: ReviewService }> = async (app, { review }) => {
  app.post(
    '/v1/cases/next',
    { ...WORK, schema: { body: Operated, response: { 200: NextResult } } },
    async ({ peer, body }) => ({ claimed: (await review.next(attested(peer, body))) ?? null }),
  )

  app.post(
    '/v1/cases/:case/lease',
    { ...WORK, schema: { params: CaseParams, body: ClaimRequest, response: { 200: LeaseResult } } },
    async ({ peer, params, body }) => review.claim(attested(peer, body), params.case),
  )

  app.post(
    '/v1/cases/:case/lease/renewal',
    { ...WORK, schema: { params: CaseParams, body: TokenRequest, response: { 200: LeaseResult } } },
    async ({ peer, params, body }) => review.renew(attested(peer, body), params.case, body.token),
  )

  app.post(
    '/v1/cases/:case/lease/end',
    { ...WORK, schema: { params: CaseParams, body: TokenRequest } },
    async ({ peer, params, body }, reply) => {
      await review.leave(attested(peer, body), params.case, body.token)
      return reply.code(204).send()
    },
  )

  app.post(
    '/v1/cases/:case/hold',
    { ...WORK, schema: { params: CaseParams, body: HoldRequest, response: { 200: MoveResult } } },
    async ({ peer, params, body }) => review.hold(attested(peer, body), params.case, body),
  )

  app.post(
    '/v1/cases/:case/resume',
    { ...WORK, schema: { params: CaseParams, body: ResumeRequest, response: { 200: MoveResult } } },
    async ({ peer, params, body }) => review.resume(attested(peer, body), params.case, body.version),
  )

  app.post(
    '/v1/cases/:case/hand-over',
    { ...WORK, schema: { params: CaseParams, body: HandOverRequest, response: { 200: MoveResult } } },
    async ({ peer, params, body }) => review.handOver(attested(peer, body), params.case, body),
  )
}

const decisionRoutes: FastifyPluginAsyncTypebox<{ review: ReviewService }> = async (app, { review }) => {
  app.post(
    '/v1/cases/:case/decisions',
    { ...WORK, schema: { params: CaseParams, body: DecisionRequest, response: { 200: DecisionResult } } },
    async ({ peer, params, body }) => review.decide(attested(peer, body), params.case, body),
  )

  app.post(
    '/v1/cases/:case/decisions/:decision/second',
    { ...WORK, schema: { params: DecisionParams, body: SecondRequest, response: { 200: DecisionResult } } },
    async ({ peer, params, body }) => review.second(attested(peer, body), params, body),
  )

  app.post(
    '/v1/cases/:case/decisions/:decision/undo',
    { ...WORK, schema: { params: DecisionParams, body: Operated, response: { 200: MoveResult } } },
    async ({ peer, params, body }) => review.undo(attested(peer, body), params),
  )
}

function disclose(reply: FastifyReply, { body, read }: Disclosed): FastifyReply {
  if (read !== '') reply.header('provenance-read', read)
  return reply.header('cache-control', 'no-store').type(JSON_TYPE).send(body)
}
