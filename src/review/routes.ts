import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { checkWords } from '../feedback/judge.ts'
import type { Disclosed } from '../feeds/answer.ts'
import { expectTag, sendTagged, tagOf } from '../http/conditional.ts'
import { LIMITS } from '../http/limits.ts'
import type { Peer } from '../http/peer.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'
import {
  BulkAnswer,
  BulkAsked,
  BulkItems,
  BulkJob,
  BulkJobList,
  BulkJobsQuery,
  BulkParams,
  BulkPlan,
  BulkRequest,
} from './bulk-schema.ts'
import { ReviewSetting, SampleAnswer, SampleList, SampleParams, SampleResult, SamplesQuery } from './sample-schema.ts'
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
const OF_JOB = { ...WORK, schema: { params: BulkParams, response: { 200: BulkJob } } } as const

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
  await app.register(jobRoutes, { review })

  await app.register(settingRoutes, { review })

  app.get(
    '/v1/review/samples',
    { config: { scope: 'review:work', raw: { 200: SampleList } }, schema: { querystring: SamplesQuery } },
    async ({ peer, query, routeOptions }, reply) =>
      disclose(reply, await review.samples({ ...attested(peer, query), route: routeOptions.url ?? '' })),
  )

  app.post(
    '/v1/review/samples/:sample',
    { ...WORK, schema: { params: SampleParams, body: SampleAnswer, response: { 200: SampleResult } } },
    async ({ peer, params, body: { operator, ...answer } }) =>
      review.answerSample(attested(peer, { operator }), params.sample, answer),
  )

  app.get('/v1/review/figures', { ...WORK, schema: { response: { 200: ReviewFigures } } }, async ({ peer }) =>
    review.figures(peer.participant),
  )
}

/** What an organisation has set for itself: replaced whole, and where `If-Match` is sent only what it names. */
const settingRoutes: FastifyPluginAsyncTypebox<{ review: ReviewService }> = async (app, { review }) => {
  const routing = { config: { ...WORK.config, raw: { 200: Routing } } } as const
  const setting = { config: { ...WORK.config, raw: { 200: ReviewSetting } } } as const
  const expects = (header: string | undefined) => (current: object) => expectTag(header, versionOf(current).etag)

  app.get('/v1/review/routing', routing, async (request, reply) =>
    sendTagged(request, reply, versionOf(await review.routing(request.peer.participant))),
  )

  app.put(
    '/v1/review/routing',
    { ...routing, schema: { body: Routing } },
    async ({ peer, body, headers: { 'if-match': match } }, reply) =>
      replaced(reply, await review.route(peer, body, match === undefined ? undefined : expects(match))),
  )

  app.get('/v1/review/settings', setting, async (request, reply) =>
    sendTagged(request, reply, versionOf(await review.setting(request.peer.participant))),
  )

  app.put(
    '/v1/review/settings',
    { ...setting, schema: { body: ReviewSetting } },
    async ({ peer, body, headers: { 'if-match': match } }, reply) =>
      replaced(reply, await review.set(peer, body, match === undefined ? undefined : expects(match))),
  )
}

/** In one form, so that its tag is that of what it says. */
function versionOf(value: object) {
  // Rows and bodies have other prototypes than what is made here.
  const body = canonicalJson({ ...value })
  return { type: JSON_TYPE, body, etag: tagOf(body) }
}

function replaced(reply: FastifyReply, value: object): FastifyReply {
  const { type, body, etag } = versionOf(value)
  return reply.header('etag', etag).type(type).send(body)
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

/** Cases that are decided alike, for a platform's own tools; but for a plan of a filter, what they answer tells nothing of signals. */
const jobRoutes: FastifyPluginAsyncTypebox<{ review: ReviewService }> = async (app, { review }) => {
  app.post(
    '/v1/bulk-jobs/plan',
    {
      config: { ...WORK.config, raw: { 200: BulkPlan } },
      ...{ schema: { body: BulkAsked }, bodyLimit: LIMITS.bulk_bytes },
    },
    async ({ peer, body: { operator, ...asked }, routeOptions }, reply) =>
      disclose(reply, await review.planBulk({ ...attested(peer, { operator }), route: routeOptions.url ?? '' }, asked)),
  )

  app.post(
    '/v1/bulk-jobs',
    { ...WORK, schema: { body: BulkRequest, response: { 200: BulkJob } }, bodyLimit: LIMITS.bulk_bytes },
    async ({ peer, body: { operator, ...request } }) => review.beginBulk(attested(peer, { operator }), request),
  )

  app.get(
    '/v1/bulk-jobs',
    { ...WORK, schema: { querystring: BulkJobsQuery, response: { 200: BulkJobList } } },
    async ({ peer, query }) => review.bulkJobs(peer.participant, query),
  )

  app.get('/v1/bulk-jobs/:job', OF_JOB, async ({ peer, params }) => review.bulkJob(peer.participant, params.job))

  app.get(
    '/v1/bulk-jobs/:job/items',
    { ...WORK, schema: { params: BulkParams, response: { 200: BulkItems } } },
    async ({ peer, params }) => review.bulkItems(peer.participant, params.job),
  )

  app.post(
    '/v1/bulk-jobs/:job/answer',
    { ...WORK, schema: { params: BulkParams, body: BulkAnswer, response: { 200: BulkJob } } },
    async ({ peer, params, body: { operator, lead = false, ...answer } }) =>
      review.answerBulk(attested(peer, { operator, lead }), params.job, answer),
  )

  app.post(
    '/v1/bulk-jobs/:job/cancel',
    { ...WORK, schema: { params: BulkParams, body: Operated, response: { 200: BulkJob } } },
    async ({ peer, params, body }) => review.cancelBulk(attested(peer, body), params.job),
  )

  app.post(
    '/v1/bulk-jobs/:job/undo',
    { ...WORK, schema: { params: BulkParams, body: Operated, response: { 200: BulkJob } } },
    async ({ peer, params, body }) => review.undoBulk(attested(peer, body), params.job),
  )
}

function disclose(reply: FastifyReply, { body, read }: Disclosed): FastifyReply {
  if (read !== '') reply.header('provenance-read', read)
  return reply.header('cache-control', 'no-store').type(JSON_TYPE).send(body)
}
