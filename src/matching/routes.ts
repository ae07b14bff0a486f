import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Refusal } from '../kernel/errors.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import { Evaluation, EvaluationResult, OprfKeyList } from './schema.ts'
import type { EvaluationService } from './service.ts'

export const evaluationRoutes: FastifyPluginAsyncTypebox<{ evaluations: EvaluationService }> = async (
  app,
  { evaluations },
) => {
  app.get('/v1/oprf/keys', { config: { scope: 'public' }, schema: { response: { 200: OprfKeyList } } }, async () =>
    evaluations.keys(),
  )

  app.post(
    '/v1/oprf/evaluations',
    { config: { scope: 'lookup:evaluate' }, schema: { body: Evaluation, response: { 200: EvaluationResult } } },
    async ({ peer, headers, body }, reply) => {
      reply.header('cache-control', 'no-store')
      return evaluations.evaluate(peer.participant, keyOf(headers['idempotency-key']), body)
    },
  )
}

function keyOf(header: string | string[] | undefined): Uuid {
  if (typeof header === 'string' && isUuid(header)) return header
  throw new Refusal('invalid-header', { detail: 'Idempotency-Key is a UUID of your choice' })
}
