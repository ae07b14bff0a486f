import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { MatrixQuery, MatrixResult, SightQuery, SightResult } from './schema.ts'
import type { GovernanceService } from './service.ts'

/** What the whole programme does, counted: all of it for auditors, and one's own part for everybody else. */
export const governanceRoutes: FastifyPluginAsyncTypebox<{ governance: GovernanceService }> = async (
  app,
  { governance },
) => {
  const config = { scope: 'provenance:read', bulk: true } as const
  app.get(
    '/v1/log/matrix',
    { config, schema: { querystring: MatrixQuery, response: { 200: MatrixResult } } },
    async ({ peer, query }) => {
      const { participant, slug, scopes } = peer
      const sees = scopes.includes('provenance:audit') ? 'all' : 'own'
      return governance.matrix({ participant, slug, sees }, query)
    },
  )
  app.get(
    '/v1/log/sight',
    {
      config: { scope: 'provenance:audit', bulk: true },
      schema: { querystring: SightQuery, response: { 200: SightResult } },
    },
    async ({ peer: { participant, slug }, query }) => governance.sight({ participant, slug, sees: 'all' }, query),
  )
}
