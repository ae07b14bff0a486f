import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { sendTagged } from '../http/conditional.ts'
import { LIMITS } from '../http/limits.ts'
import { problemOf, refusalOf } from '../http/problem.ts'
import type { EventStreams } from './event-stream.ts'
import {
  Acknowledgement,
  AcknowledgementResult,
  BucketParams,
  EventsPage,
  EventsQuery,
  FeedList,
  FeedParams,
  Lookup,
  LookupParams,
  LookupResult,
  NetworkParams,
  NetworkQuery,
  NetworkResult,
  OpeningParams,
  OpeningResult,
  PurposeQuery,
  RevealAsked,
  RevealParams,
  RevealResult,
  SEGMENTS_TYPE,
  SealedPage,
  SegmentParams,
  SegmentQuery,
  SnapshotInfo,
  StreamQuery,
} from './schema.ts'
import type { Disclosed, FeedService } from './service.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

/** What a participant receives and asks. Bodies were serialised once, so they leave as bytes past the serialiser. */
interface FeedRoutesOptions {
  feeds: FeedService
  streams: EventStreams
}

export const feedRoutes: FastifyPluginAsyncTypebox<FeedRoutesOptions> = async (app, { feeds, streams }) => {
  app.get(
    '/v1/feeds',
    { config: { scope: 'feed:read' }, schema: { response: { 200: FeedList } } },
    async ({ peer, routeOptions }) => feeds.feeds({ ...peer, route: routeOptions.url ?? '' }),
  )

  app.get(
    '/v1/feeds/:feed/events',
    {
      config: { scope: 'feed:read', bulk: true, raw: { 200: Type.Union([EventsPage, SealedPage]) } },
      schema: { params: FeedParams, querystring: EventsQuery },
    },
    async ({ peer, params, query, routeOptions, signal }, reply) =>
      disclose(reply, await feeds.events({ ...peer, route: routeOptions.url ?? '' }, params.feed, query, signal)),
  )

  app.get(
    '/v1/feeds/:feed/segments/:first_seq',
    { config: { scope: 'feed:read', bulk: true }, schema: { params: SegmentParams, querystring: SegmentQuery } },
    async ({ peer, params, query, routeOptions }, reply) => {
      const by = { ...peer, route: routeOptions.url ?? '' }
      const first_seq = BigInt(params.first_seq)
      if (query.count !== undefined) {
        const unsent = (): number => reply.raw.writableLength
        const { body, size, written } = await feeds.segments(by, params.feed, { first_seq, count: query.count, unsent })
        reply.raw.once('finish', written)
        return reply.header('cache-control', 'no-store').type(SEGMENTS_TYPE).header('content-length', size).send(body)
      }
      const answer = await feeds.segment(by, params.feed, first_seq)
      reply.header('content-encoding', 'br').type('application/x-ndjson').header('content-length', answer.size)
      reply.header('provenance-read', answer.read).header('feed-cursor', answer.cursor)
      if (answer.signature !== undefined) reply.header('feed-signature', answer.signature)
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

  app.get(
    '/v1/signals/:signal/network',
    {
      config: { scope: 'feed:read', raw: { 200: NetworkResult } },
      schema: { params: NetworkParams, querystring: NetworkQuery },
    },
    async ({ peer, params, query, routeOptions }, reply) =>
      disclose(reply, await feeds.network({ ...peer, route: routeOptions.url ?? '' }, { ...params, ...query })),
  )

  app.post(
    '/v1/signals/:signal/reveal',
    { config: { scope: 'reveal', raw: { 200: RevealResult } }, schema: { params: RevealParams, body: RevealAsked } },
    async ({ peer, params, body, routeOptions }, reply) =>
      disclose(reply, await feeds.reveal({ ...peer, route: routeOptions.url ?? '' }, { ...params, ...body })),
  )

  await app.register(streamRoutes, { streams })
  await app.register(sealedRoutes, { feeds })
}

/** Feeds as server-sent events. */
const streamRoutes: FastifyPluginAsyncTypebox<{ streams: EventStreams }> = async (app, { streams }) => {
  app.get(
    '/v1/feeds/:feed/stream',
    { config: { scope: 'feed:read', bulk: true }, schema: { params: FeedParams, querystring: StreamQuery } },
    async ({ peer, params, query, headers, routeOptions, id, signal }, reply) => {
      // A listener that comes again names what it saw last, beside the URL that it began with.
      const seen = headers['last-event-id']
      const cursor = typeof seen === 'string' && seen !== '' ? seen : query.cursor
      const by = {
        ...peer,
        route: routeOptions.url ?? '',
        gone: signal,
        problemOf: (error: unknown) => problemText(error, id),
      }
      const stream = await streams.open(by, params.feed, cursor)
      reply.header('cache-control', 'no-store').header('x-accel-buffering', 'no').type('text/event-stream')
      return reply.send(stream)
    },
  )
}

const problemText = (error: unknown, id: string): string => JSON.stringify(problemOf(refusalOf(error), id))

/** Look-ups in sealed audiences, of which the node sees no key. */
const sealedRoutes: FastifyPluginAsyncTypebox<{ feeds: FeedService }> = async (app, { feeds }) => {
  app.get(
    '/v1/lookup/:audience',
    { config: { scope: 'lookup:evaluate' }, schema: { params: LookupParams, response: { 200: SnapshotInfo } } },
    async ({ peer, params, routeOptions }) =>
      feeds.sealed.snapshot({ ...peer, route: routeOptions.url ?? '' }, params.audience),
  )

  app.get(
    '/v1/lookup/:audience/:snapshot/:prefix',
    {
      config: { scope: 'lookup:evaluate', bulk: true },
      schema: { params: BucketParams, querystring: PurposeQuery },
    },
    async (request, reply) => {
      const { peer, params, query, routeOptions } = request
      const { audience, snapshot, prefix } = params
      const asked = { audience, snapshot: BigInt(snapshot), prefix, ...query }
      const { body, digest, read } = await feeds.sealed.bucket({ ...peer, route: routeOptions.url ?? '' }, asked)
      if (read !== '') reply.header('provenance-read', read)
      // Recorded all the same: the record of the question is made here.
      return sendTagged(request, reply, { type: 'application/octet-stream', body, etag: `"${digest}"` })
    },
  )

  app.get(
    '/v1/audiences/:audience/signals/:signal',
    {
      config: { scope: 'lookup:open', raw: { 200: OpeningResult } },
      schema: { params: OpeningParams, querystring: PurposeQuery },
    },
    async ({ peer, params, query, routeOptions }, reply) =>
      disclose(reply, await feeds.sealed.open({ ...peer, route: routeOptions.url ?? '' }, { ...params, ...query })),
  )
}

function disclose(reply: FastifyReply, { body, read, signature }: Disclosed): FastifyReply {
  if (read !== '') reply.header('provenance-read', read)
  if (signature !== undefined) reply.header('feed-signature', signature)
  return reply.header('cache-control', 'no-store').type(JSON_TYPE).send(body)
}
