import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { sendTagged, tagOf } from '../http/conditional.ts'
import type { PageAsked } from '../kernel/page.ts'
import {
  AnomalyList,
  AnomalyRules,
  ApprovalList,
  ErasureList,
  GovernmentRequestList,
  Onboarding,
  OnboardingList,
  OnboardingParams,
  OversightQuery,
  PolicyParams,
  PolicyVersions,
  RetentionState,
  SubjectRequestList,
} from './schema.ts'
import type { Looker, OversightReads } from './service.ts'

const JSON_TYPE = 'application/json; charset=utf-8'
const PAGE = 100

const by = ({ participant, slug }: Looker): Looker => ({ participant, slug })
const asked = ({ after, limit = PAGE }: OversightQuery): PageAsked => ({ after, limit })

/** What governance works with, to be read; what changes something is done by persons. */
export const oversightRoutes: FastifyPluginAsyncTypebox<{ oversight: OversightReads }> = async (app, { oversight }) => {
  const config = { scope: 'governance:read', bulk: true } as const
  const querystring = OversightQuery
  await app.register(policyRoutes, { oversight })

  app.get(
    '/v1/onboardings',
    { config, schema: { querystring, response: { 200: OnboardingList } } },
    async ({ peer, query }) => oversight.onboardings(by(peer), asked(query)),
  )
  app.get(
    '/v1/onboardings/:onboarding',
    { config, schema: { params: OnboardingParams, response: { 200: Onboarding } } },
    async ({ peer, params }) => oversight.onboarding(by(peer), params.onboarding),
  )
  app.get(
    '/v1/approvals',
    { config, schema: { querystring, response: { 200: ApprovalList } } },
    async ({ peer, query }) => oversight.approvals(by(peer), asked(query)),
  )
  app.get(
    '/v1/anomalies',
    { config, schema: { querystring, response: { 200: AnomalyList } } },
    async ({ peer, query }) => oversight.anomalies(by(peer), asked(query)),
  )
  // The same for every programme: nothing in them is about anybody.
  app.get('/v1/anomalies/rules', { config: { ...config, raw: { 200: AnomalyRules } } }, async (request, reply) => {
    const body = JSON.stringify(oversight.anomalyRules())
    return sendTagged(request, reply, { type: JSON_TYPE, body, etag: tagOf(body) })
  })
  app.get('/v1/retention', { config, schema: { response: { 200: RetentionState } } }, async ({ peer }) =>
    oversight.retention(by(peer)),
  )
  app.get(
    '/v1/subject-requests',
    { config, schema: { querystring, response: { 200: SubjectRequestList } } },
    async ({ peer, query }) => oversight.subjectRequests(by(peer), asked(query)),
  )
  app.get(
    '/v1/erasures',
    { config, schema: { querystring, response: { 200: ErasureList } } },
    async ({ peer, query }) => oversight.erasures(by(peer), asked(query)),
  )
  app.get(
    '/v1/government-requests',
    { config, schema: { querystring, response: { 200: GovernmentRequestList } } },
    async ({ peer, query }) => oversight.governmentRequests(by(peer), asked(query)),
  )
}

/** What the programme published, for everybody who takes part. */
const policyRoutes: FastifyPluginAsyncTypebox<{ oversight: OversightReads }> = async (app, { oversight }) => {
  const config = { scope: 'provenance:read' } as const
  app.get('/v1/policies', { config: { ...config, raw: { 200: PolicyVersions } } }, async (request, reply) => {
    const body = JSON.stringify(await oversight.policies())
    return sendTagged(request, reply, { type: JSON_TYPE, body, etag: tagOf(body) })
  })
  app.get(
    '/v1/policies/:kind/:version',
    { config: { ...config, raw: { 200: Type.Object({}) } }, schema: { params: PolicyParams } },
    async (request, reply) => {
      const { kind, version } = request.params
      const body = await oversight.policyText(kind, Number(version))
      return sendTagged(request, reply, { type: JSON_TYPE, body, etag: tagOf(body) })
    },
  )
}
