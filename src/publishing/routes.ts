import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { sendTagged, tagOf } from '../http/conditional.ts'
import { Report } from '../reports/schema.ts'
import { ReportDigest, ReportList } from './schema.ts'
import type { Publishing } from './service.ts'

const JSON_TYPE = 'application/json; charset=utf-8'

/** Transparency reports that were published, for everybody who takes part; each is named by an entry of the log. */
export const publishingRoutes: FastifyPluginAsyncTypebox<{
  publishing: Pick<Publishing, 'published' | 'publishedText'>
}> = async (app, { publishing }) => {
  const config = { scope: 'provenance:read' } as const
  app.get('/v1/reports', { config: { ...config, raw: { 200: ReportList } } }, async (request, reply) => {
    const body = JSON.stringify(await publishing.published())
    return sendTagged(request, reply, { type: JSON_TYPE, body, etag: tagOf(body) })
  })
  app.get(
    '/v1/reports/:digest',
    {
      config: { ...config, raw: { 200: Report } },
      schema: { params: Type.Object({ digest: ReportDigest }, { additionalProperties: false }) },
    },
    async (request, reply) => {
      const body = await publishing.publishedText(request.params.digest)
      return sendTagged(request, reply, { type: JSON_TYPE, body, etag: tagOf(body) })
    },
  )
}
