import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { CATALOGUE, isErrorCode, Refusal } from '../kernel/errors.ts'
import { sendTagged, tagOf } from './conditional.ts'
import { Meta } from './schema.ts'

const closed = { additionalProperties: false } as const

const ProblemParams = Type.Object({ code: Type.String({ pattern: '^[a-z]+(-[a-z]+)*$' }) }, closed)
const ProblemInfo = Type.Object({ code: Type.String(), status: Type.Integer(), title: Type.String() }, closed)

interface AboutOptions {
  programme(): { slug: string; node_origin: string }
  log: string
  policies(): { kind: string; version: number }[]
}

export const VERSION = process.env['npm_package_version'] ?? '0.1.0'
/** Beside the compiled code, where the build puts it; beside the sources otherwise. */
const DOCUMENT = join(import.meta.dirname, '../../docs/openapi.json')

const JSON_TYPE = 'application/json; charset=utf-8'

/** What the node says of itself to every enrolled credential: its versions, its API's description, its errors. */
export const aboutRoutes: FastifyPluginAsyncTypebox<AboutOptions> = async (app, { programme, log, policies }) => {
  const config = { scope: 'public' } as const
  const document = readFileSync(DOCUMENT)
  const etag = tagOf(document)

  app.get('/v1/meta', { config: { ...config, raw: { 200: Meta } } }, async (request, reply) => {
    const { slug, node_origin } = programme()
    const meta: Meta = {
      ...{ name: 'aldis', version: VERSION, api: ['v1'], programme: slug, node_origin, log },
      ...{ policies: policies(), openapi: '/v1/openapi.json', deprecated: [] },
    }
    const body = JSON.stringify(meta)
    return sendTagged(request, reply, { type: JSON_TYPE, body, etag: tagOf(body) })
  })

  app.get('/v1/openapi.json', { config }, async (request, reply) =>
    sendTagged(request, reply, { type: 'application/json', body: document, etag }),
  )

  app.get(
    '/problems/:code',
    { config, schema: { params: ProblemParams, response: { 200: ProblemInfo } } },
    async ({ params }) => {
      const { code } = params
      if (!isErrorCode(code)) throw new Refusal('not-found')
      const [status, title] = CATALOGUE[code]
      return { code, status, title }
    },
  )
}
