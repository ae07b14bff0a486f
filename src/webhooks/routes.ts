import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import {
  DeliveryList,
  EndpointList,
  EndpointParams,
  EndpointSecret,
  FeedEndpoint,
  MessageName,
  MessageParams,
  Rotation,
  TestMessage,
} from './schema.ts'
import type { WebhookOwner, Webhooks } from './service.ts'

interface WebhookRoutesOptions {
  webhooks: Webhooks
  /** By which receivers verify `v1a`. */
  webhookKey: string
}

/** Where an organisation's programs are told that its feeds grew; what its people are told of, they say in the console. */
export const webhookRoutes: FastifyPluginAsyncTypebox<WebhookRoutesOptions> = async (app, { webhooks, webhookKey }) => {
  const config = { scope: 'feed:read' } as const

  app.get('/v1/webhooks', { config, schema: { response: { 200: EndpointList } } }, async ({ peer }) => ({
    endpoints: (await webhooks.endpoints(peer.participant)).map((one) => ({
      ...{ endpoint: one.endpoint, url: one.url, kinds: [...one.kinds], feeds: [...one.feeds] },
      ...{ made_at: one.made_at.toISOString(), secret_no: one.secret_no },
      rotated_at: one.rotated_at?.toISOString() ?? null,
    })),
    ...{ hosts: [...webhooks.hostsOf(peer.slug)], public_key: webhookKey },
  }))

  app.put(
    '/v1/webhooks/:endpoint',
    {
      config,
      schema: { params: EndpointParams, body: FeedEndpoint, response: { 200: EndpointSecret, 201: EndpointSecret } },
    },
    async ({ peer, params, body }, reply) => {
      const { created, ...secret } = await webhooks.addForFeeds(ownerOf(peer), params.endpoint, body)
      reply.header('cache-control', 'no-store')
      return reply.code(created ? 201 : 200).send(secret)
    },
  )

  app.post(
    '/v1/webhooks/:endpoint/rotation',
    { config, schema: { params: EndpointParams, body: Rotation, response: { 200: EndpointSecret } } },
    async ({ peer, params, body }, reply) => {
      reply.header('cache-control', 'no-store')
      return webhooks.rotate(ownerOf(peer), params.endpoint, body.secret_no)
    },
  )

  app.post(
    '/v1/webhooks/:endpoint/test',
    { config, schema: { params: EndpointParams, body: TestMessage, response: { 202: MessageName } } },
    async ({ peer, params, body }, reply) => {
      const message = await webhooks.test(ownerOf(peer), params.endpoint, body.test)
      return reply.code(202).send({ message })
    },
  )

  app.post(
    '/v1/webhooks/:endpoint/end',
    { config, schema: { params: EndpointParams } },
    async ({ peer, params }, reply) => {
      await webhooks.end(ownerOf(peer), params.endpoint)
      return reply.code(204).send()
    },
  )

  app.get(
    '/v1/webhooks/:endpoint/deliveries',
    { config, schema: { params: EndpointParams, response: { 200: DeliveryList } } },
    async ({ peer, params }) => ({
      deliveries: (await webhooks.deliveries(peer.participant, params.endpoint)).map((one) => ({
        ...{ message: one.message, kind: one.kind, made_at: one.made_at.toISOString(), attempts: one.attempts },
        ...{ next_at: one.next_at?.toISOString() ?? null, delivered_at: one.delivered_at?.toISOString() ?? null },
        fault: one.fault ?? null,
      })),
    }),
  )

  app.post(
    '/v1/webhooks/:endpoint/deliveries/:message/redelivery',
    { config, schema: { params: MessageParams, response: { 202: MessageName } } },
    async ({ peer, params }, reply) => {
      await webhooks.redeliver(ownerOf(peer), params.endpoint, params.message)
      return reply.code(202).send({ message: params.message })
    },
  )
}

const ownerOf = ({ participant, slug, credential }: FastifyRequest['peer']): WebhookOwner => ({
  participant,
  slug,
  credential,
})
