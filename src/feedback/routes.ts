import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LIMITS } from '../http/limits.ts'
import {
  ActResult,
  DisputeAnswer,
  DisputeAnswered,
  DisputeList,
  DisputeParams,
  DisputesQuery,
  OpinionParams,
  Opinions,
  OpinionsQuery,
  Released,
  SignedAct,
} from './schema.ts'
import { SentFigures, SentList, SentQuery } from './sent-schema.ts'
import type { FeedbackService } from './service.ts'

/** What participants say of the signals of others, and what their sources answer. */
export const feedbackRoutes: FastifyPluginAsyncTypebox<{ feedback: FeedbackService }> = async (app, { feedback }) => {
  const signed = { config: { scope: 'feedback:write', jsonString: LIMITS.item_bytes } } as const

  app.post(
    '/v1/feedback',
    { ...signed, schema: { body: SignedAct, response: { 201: ActResult } } },
    async ({ peer, body }, reply) => reply.code(201).send(await feedback.give(peer, body)),
  )

  app.post(
    '/v1/disputes',
    { ...signed, schema: { body: SignedAct, response: { 201: ActResult } } },
    async ({ peer, body }, reply) => reply.code(201).send(await feedback.dispute(peer, body)),
  )

  app.get(
    '/v1/disputes',
    { config: { scope: 'feedback:write' }, schema: { querystring: DisputesQuery, response: { 200: DisputeList } } },
    async ({ peer, query }) => feedback.disputes(peer.participant, query),
  )

  app.post(
    '/v1/disputes/:dispute/answer',
    {
      config: { scope: 'signals:withdraw' },
      schema: { params: DisputeParams, body: DisputeAnswer, response: { 200: DisputeAnswered } },
    },
    async ({ peer, params, body }) => feedback.answer(peer, params.dispute, body),
  )

  app.get(
    '/v1/signals',
    { config: { scope: 'signals:submit' }, schema: { querystring: SentQuery, response: { 200: SentList } } },
    async ({ peer, query }) => feedback.sent(peer.participant, query),
  )

  app.get(
    '/v1/signals/figures',
    { config: { scope: 'signals:submit' }, schema: { response: { 200: SentFigures } } },
    async ({ peer }) => feedback.sentFigures(peer.participant),
  )

  app.get(
    '/v1/signals/:signal/opinions',
    {
      config: { scope: 'feed:read' },
      schema: { params: OpinionParams, querystring: OpinionsQuery, response: { 200: Opinions } },
    },
    async ({ peer, params, query }) => feedback.opinions(peer.participant, { ...query, ...params }),
  )

  app.post(
    '/v1/signals/:signal/release',
    { config: { scope: 'signals:withdraw' }, schema: { params: OpinionParams, response: { 200: Released } } },
    async ({ peer, params }) => feedback.release(peer, params.signal),
  )
}
