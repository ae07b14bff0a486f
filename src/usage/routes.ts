import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { LimitsInUse } from './limits.ts'
import { LimitList, RequestList, RequestQuery } from './schema.ts'
import type { RequestLog } from './service.ts'

interface UsageRoutesOptions {
  requestLog: Pick<RequestLog, 'page'>
  limitsInUse: LimitsInUse
}

/** What an organisation's own programs ask, and what they use of their limits: for each credential of it. */
export const usageRoutes: FastifyPluginAsyncTypebox<UsageRoutesOptions> = async (app, { requestLog, limitsInUse }) => {
  const config = { scope: 'public' } as const

  app.get(
    '/v1/requests',
    { config, schema: { querystring: RequestQuery, response: { 200: RequestList } } },
    async ({ peer, query }) => requestLog.page(peer.participant, query),
  )

  app.get('/v1/limits', { config, schema: { response: { 200: LimitList } } }, async ({ peer }) =>
    limitsInUse(peer.participant),
  )
}
