import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import { EndpointParams, MessageParams, NewEndpoint, Rotation } from '../../webhooks/schema.ts'
import type { Webhooks } from '../../webhooks/service.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { WebhookSecretPage, WebhooksPage, type WebhooksView } from '../pages/webhooks.tsx'
import { goTo, sendPage } from '../render.tsx'
import type { Viewer } from '../viewer.ts'

interface WebhookRoutesOptions {
  clock: Clock
  webhooks: Webhooks
  /** By which receivers verify `v1a`. */
  webhookKey: string
}

const readNew = formReader(NewEndpoint)
const readNumber = formReader(
  Type.Object({ secret_no: Type.String({ pattern: '^[1-9][0-9]{0,4}$' }) }, { additionalProperties: false }),
)
const readRotation = formReader(Rotation)

/** Where an organisation is called; its partner administrators alone say so. */
export const webhookRoutes: FastifyPluginAsync<WebhookRoutesOptions> = async (app, options) => {
  const { webhooks } = options
  const config = { roles: ['partner_admin'] } as const

  app.get('/webhooks', { config }, async (request, reply) => show(options, request, reply))

  app.post('/webhooks/add', { config }, async (request, reply) => {
    const { url = '', kinds = [] } = (request.body ?? {}) as { url?: string; kinds?: string[] }
    try {
      const { secret } = await webhooks.add(ownerOf(request.viewer), readNew({ url, kinds }))
      return sendPage(
        reply,
        { viewer: request.viewer, title: 'Webhook added', current: 'developer' },
        <WebhookSecretPage secret={secret} url={url.trim()} replaced={false} />,
      )
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return show(options, request, reply.code(error.status), { refusal: error, url, kinds })
    }
  })

  app.post('/webhooks/:endpoint/rotation', { config, schema: { params: EndpointParams } }, async (request, reply) => {
    const owner = ownerOf(request.viewer)
    const { endpoint } = request.params as { endpoint: Uuid }
    const { secret_no } = readRotation({ secret_no: Number(readNumber(request.body).secret_no) })
    const url = (await webhooks.endpoints(owner.participant)).find((one) => one.endpoint === endpoint)?.url
    if (url === undefined) throw new Refusal('not-found')
    const { secret } = await webhooks.rotate(owner, endpoint, secret_no)
    return sendPage(
      reply,
      { viewer: request.viewer, title: 'Webhook secret', current: 'developer' },
      <WebhookSecretPage secret={secret} url={url} replaced={true} />,
    )
  })

  app.post('/webhooks/:endpoint/test', { config, schema: { params: EndpointParams } }, async (request, reply) => {
    await webhooks.test(
      ownerOf(request.viewer),
      (request.params as { endpoint: Uuid }).endpoint,
      newId(options.clock()),
    )
    return goTo(reply, links.webhooks())
  })

  app.post(
    '/webhooks/:endpoint/deliveries/:message/redelivery',
    { config, schema: { params: MessageParams } },
    async (request, reply) => {
      const { endpoint, message } = request.params as { endpoint: Uuid; message: string }
      await webhooks.redeliver(ownerOf(request.viewer), endpoint, message)
      return goTo(reply, links.webhooks())
    },
  )

  app.post('/webhooks/:endpoint/end', { config, schema: { params: EndpointParams } }, async (request, reply) => {
    await webhooks.end(ownerOf(request.viewer), (request.params as { endpoint: Uuid }).endpoint)
    return goTo(reply, links.webhooks())
  })
}

function ownerOf({ participant, organisation, person }: Viewer) {
  if (participant === undefined) throw new Refusal('not-found')
  return { participant, slug: organisation, person }
}

async function show(
  { webhooks, webhookKey, clock }: WebhookRoutesOptions,
  { viewer }: FastifyRequest,
  reply: FastifyReply,
  refused?: WebhooksView['refused'],
): Promise<FastifyReply> {
  const { participant, slug } = ownerOf(viewer)
  const [endpoints, deliveries] = [await webhooks.endpoints(participant), await webhooks.deliveries(participant)]
  return sendPage(
    reply,
    { viewer, title: 'Webhooks', current: 'developer', styles: ['review.css'] },
    <WebhooksPage
      {...{ viewer, endpoints, deliveries, hosts: webhooks.hostsOf(slug), publicKey: webhookKey, now: clock() }}
      {...(refused !== undefined && { refused })}
    />,
  )
}
