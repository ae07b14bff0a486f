import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { RevealAsked, type RevealResult } from '../../feeds/schema.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { CaseParams } from '../../review/schema.ts'
import { formReader } from '../form.ts'
import { RevealedLink } from '../pages/case-value.tsx'
import { isPart, sendPart } from '../render.tsx'
import { ANALYSTS, type Reviewing, readerOf } from '../reviewing.ts'
import { readCase, showCase } from './case.tsx'
import { caught } from './case-acts.tsx'

const readPurpose = formReader(
  Type.Object({ purpose: RevealAsked.properties.purpose }, { additionalProperties: false }),
)

/** The raw link of a case's signal, opened for one person by an entry that names it. */
export const caseValueRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  app.post(
    '/cases/:case/value',
    { config: { roles: ANALYSTS }, schema: { params: CaseParams } },
    async (request, reply) => {
      const revealed: { value?: RevealResult } = {}
      const refusal = await caught(async () => {
        revealed.value = await reveal(reviewing, request)
        await reviewing.wellbeing.readWords(request.viewer)
      })
      const { value } = revealed
      if (value !== undefined && isPart(request)) return sendPart(reply, <RevealedLink value={value} />)
      return showCase(reviewing, request, reply.code(refusal?.status ?? 200), {
        ...(value !== undefined && { value }),
        ...(refusal !== undefined && { refusal }),
      })
    },
  )
}

async function reveal(reviewing: Reviewing, request: FastifyRequest): Promise<RevealResult> {
  const { viewer, routeOptions, body } = request
  const { purpose } = readPurpose(body)
  const { signal, source } = await readCase(reviewing, request)
  const by = { ...readerOf(viewer, routeOptions.url), person: viewer.person }
  const given = await reviewing.reveal(by, { signal: signal as Uuid, source, purpose })
  return JSON.parse(given.body) as RevealResult
}
