import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { sendTagged } from '../../http/conditional.ts'
import { isErrorCode, Refusal } from '../../kernel/errors.ts'
import { links } from '../links.ts'
import type { Manual } from '../manual.ts'
import { ErrorPage, ManualIndex, ManualLayout, ManualText } from '../pages/manual.tsx'
import { type ApiDocument, ApiPage } from '../pages/manual-api.tsx'

interface ManualOptions {
  /** Read when it is first asked for. */
  manual(): Manual
}

const MINUTES = 'public, max-age=300'

/** The repository's documents, error pages and the reference of the API; nothing of the programme but its name is in them. */
export const manualRoutes: FastifyPluginAsync<ManualOptions> = async (app, { manual }) => {
  const config = { roles: 'public' } as const
  const send = (request: FastifyRequest, reply: FastifyReply, page: { name: string; title: string }, body: VNode) => {
    const { asset, look, programme } = request.shell
    const frame = { asset, look, programme, groups: manual().groups, current: page.name, title: page.title }
    return reply
      .header('cache-control', 'private, max-age=60')
      .type('text/html; charset=utf-8')
      .send(`<!doctype html>${renderToString(<ManualLayout {...frame}>{body}</ManualLayout>)}`)
  }

  app.get('/docs', { config }, async (request, reply) =>
    send(request, reply, { name: '', title: 'Manual' }, <ManualIndex groups={manual().groups} />),
  )
  app.get('/docs/api', { config }, async (request, reply) =>
    send(request, reply, { name: 'api', title: 'API reference' }, <ApiPage api={manual().api() as ApiDocument} />),
  )
  app.get(links.openApi(), { config }, async (request, reply) => {
    reply.header('cache-control', MINUTES)
    return sendTagged(request, reply, { type: 'application/json', ...manual().apiDocument() })
  })
  app.get<{ Params: { code: string } }>('/docs/errors/:code', { config }, async (request, reply) => {
    const { code } = request.params
    if (!isErrorCode(code)) throw new Refusal('not-found')
    return send(request, reply, { name: 'errors', title: code }, <ErrorPage code={code} />)
  })
  app.get<{ Params: { code: string } }>('/problems/:code', { config }, async ({ params }, reply) => {
    if (!isErrorCode(params.code)) throw new Refusal('not-found')
    return reply.redirect(links.manual(`errors/${params.code}`), 308)
  })
  app.get<{ Params: { name: string } }>('/docs/images/:name', { config }, async ({ params }, reply) => {
    const image = manual().image(params.name)
    if (image === undefined) throw new Refusal('not-found')
    return reply.header('cache-control', MINUTES).type(image.type).send(image.body)
  })
  app.get<{ Params: { '*': string } }>('/docs/*', { config }, async (request, reply) => {
    const page = manual().page(request.params['*'])
    if (page === undefined) throw new Refusal('not-found')
    return send(request, reply, page, <ManualText page={page} />)
  })
}
