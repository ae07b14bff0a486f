import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { LIMITS } from '../http/limits.ts'
import {
  Acknowledgement,
  AcknowledgementResult,
  EventsPage,
  EventsQuery,
  FeedList,
  FeedParams,
  Lookup,
  LookupResult,
  SegmentParams,
} from './schema.ts'
import type { Disclosed, FeedService } from './service.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

/** What a participant receives and asks. Bodies were serialised once, so they leave as bytes past the serialiser. */
export const feedRoutes: FastifyPluginAsyncTypebox<{ feeds: FeedService }> = async (app, { feeds }) => {
  app.get(
    '/v1/feeds',
    { config: { scope: 'feed:read' }, schema: { response: { 200: FeedList } } },
    async ({ peer, routeOptions }) => feeds.feeds({ ...peer, route: routeOptions.url ?? '' }),
  )

  app.get(
    '/v1/feeds/:feed/events',
    {
      config: { scope: 'feed:read', bulk: true, raw: { 200: EventsPage } },
      schema: { params: FeedParams, querystring: EventsQuery },
    },
    async ({ peer, params, query, routeOptions, signal }, reply) =>
      disclose(reply, await feeds.events({ ...peer, route: routeOptions.url ?? '' }, params.feed, query, signal)),
  )

  app.get(
    '/v1/feeds/:feed/segments/:first_seq',
    { config: { scope: 'feed:read', bulk: true }, schema: { params: SegmentParams } },
    async ({ peer, params, routeOptions }, reply) => {
      const by = { ...peer, route: routeOptions.url ?? '' }
      const answer = await feeds.segment(by, params.feed, BigInt(params.first_seq))
      reply.header('content-encoding', 'br').type('application/x-ndjson').header('content-length', answer.size)
      reply.header('provenance-read', answer.read).header('feed-cursor', answer.cursor)
      return reply.header('cache-control', 'no-store').send(answer.body)
    },
  )

  app.post(
    '/v1/feeds/:feed/acknowledgements',
    {
      config: { scope: 'feed:read' },
      schema: { params: FeedParams, body: Acknowledgement, response: { 200: AcknowledgementResult } },
    },
    async ({ peer, params, body, routeOptions }) =>
      feeds.acknowledge({ ...peer, route: routeOptions.url ?? '' }, params.feed, body),
  )

  app.post(
    '/v1/lookups',
    {
      config: { scope: 'lookup:evaluate', raw: { 200: LookupResult } },
      schema: { body: Lookup },
      bodyLimit: LIMITS.lookup_bytes,
    },
    async ({ peer, body, routeOptions }, reply) =>
      disclose(reply, await feeds.lookUp({ ...peer, route: routeOptions.url ?? '' }, body)),
  )
}

function disclose(reply: FastifyReply, { body, read }: Disclosed): FastifyReply {
  if (read !== '') reply.header('provenance-read', read)
  return reply.header('cache-control', 'no-store').type(JSON_TYPE).send(body)
}
