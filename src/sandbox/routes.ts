import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { isErrorCode, Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { UuidSchema } from '../kernel/schema.ts'
import { ConformanceResult, ConformanceSteps, RefusalParams, RefusalQuery, SandboxAsk, SandboxDone } from './schema.ts'
import type { Conformance } from './service.ts'

const RunParams = Type.Object({ run: UuidSchema }, { additionalProperties: false })
const RunBody = Type.Object({ steps: ConformanceSteps }, { additionalProperties: false })

/** How the programs of a participant did, told by themselves. */
export const conformanceRoutes: FastifyPluginAsyncTypebox<{ conformance: Conformance }> = async (
  app,
  { conformance },
) => {
  app.put(
    '/v1/conformance-runs/:run',
    {
      config: { scope: 'signals:submit' },
      schema: { params: RunParams, body: RunBody, response: { 200: ConformanceResult, 201: ConformanceResult } },
    },
    async ({ peer, params, body }, reply) => {
      const { participant, slug, credential } = peer
      const { created, result } = await conformance.report({ participant, slug, credential }, params.run, body.steps)
      return reply.code(created ? 201 : 200).send(result)
    },
  )

  app.get(
    '/v1/conformance-runs/latest',
    { config: { scope: 'signals:submit' }, schema: { response: { 200: ConformanceResult } } },
    async ({ peer }) => conformance.latest(peer.participant),
  )
}

/** A simulated participant, which does by the API what it is asked for. */
export interface SandboxPeer {
  ask(by: { participant: Uuid; slug: string }, asked: SandboxAsk): Promise<SandboxDone>
}

/** Of a node that is a sandbox, and of no other: they are in no description of the API. */
export const sandboxRoutes: FastifyPluginAsyncTypebox<{ peer: SandboxPeer }> = async (app, { peer: simulated }) => {
  const config = { scope: 'public', foreign: true } as const

  app.post(
    '/v1/sandbox/asks',
    { config, schema: { body: SandboxAsk, response: { 200: SandboxDone } } },
    async ({ peer, body }) => simulated.ask({ participant: peer.participant, slug: peer.slug }, body),
  )

  // As any route might answer: for programs that have to cope with it.
  app.get(
    '/v1/sandbox/refusals/:code',
    { config, schema: { params: RefusalParams, querystring: RefusalQuery } },
    async ({ params, query }) => {
      const { code } = params
      if (!isErrorCode(code)) throw new Refusal('not-found')
      await delay((query.seconds ?? 0) * 1_000)
      const { retry_after: retryAfter } = query
      throw new Refusal(code, {
        detail: 'as it was asked for',
        ...(retryAfter !== undefined && { retryAfter }),
      })
    },
  )
}
