import type { FastifyPluginAsync } from 'fastify'
import { Refusal } from '../../kernel/errors.ts'
import type { Assets } from '../assets.ts'

/** What pages load, for whoever asks: it is the same for everybody, and never changes under its name. */
export const assetRoutes: FastifyPluginAsync<{ assets: Assets }> = async (app, { assets }) => {
  app.get<{ Params: { file: string } }>('/assets/:file', { config: { roles: 'public' } }, async ({ params }, reply) => {
    const asset = assets.find(params.file)
    if (asset === undefined) throw new Refusal('not-found')
    return reply.header('cache-control', 'public, max-age=31536000, immutable').type(asset.type).send(asset.body)
  })
}
