import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { NetworkQuery, type NetworkResult } from '../../feeds/schema.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { type CaseInfo, CaseParams, type CaseTexts } from '../../review/schema.ts'
import { CasePage } from '../pages/case.tsx'
import { Revealed } from '../pages/case-facts.tsx'
import { Related } from '../pages/case-related.tsx'
import type { CaseView } from '../pages/case-view.ts'
import { isPart, sendPage, sendPart } from '../render.tsx'
import { ANALYSTS, opinionsOf, type Reviewing, readerOf, reviewerOf } from '../reviewing.ts'
import { typeLabel } from '../words.ts'

const AS_ANALYST = { roles: ANALYSTS } as const

/** One case as it is looked at; what is done to it has routes of its own. */
export const caseRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review, network } = reviewing
  const caseOf = ({ params }: FastifyRequest): Uuid => (params as { case: Uuid }).case

  app.get('/cases/:case', { config: AS_ANALYST, schema: { params: CaseParams } }, async (request, reply) =>
    showCase(reviewing, request, reply, {}),
  )

  app.get('/cases/:case/texts', { config: AS_ANALYST, schema: { params: CaseParams } }, async (request, reply) => {
    const { body } = await review.texts(readerOf(request.viewer, request.routeOptions.url), caseOf(request))
    const texts = JSON.parse(body) as CaseTexts
    await reviewing.wellbeing.readWords(request.viewer)
    return isPart(request)
      ? sendPart(reply, <Revealed texts={texts} />)
      : showCase(reviewing, request, reply, { texts })
  })

  app.get(
    '/cases/:case/related',
    { config: AS_ANALYST, schema: { params: CaseParams, querystring: NetworkQuery } },
    async (request, reply) => {
      const one = await readCase(reviewing, request)
      const { after } = request.query as { after?: Uuid }
      const reader = readerOf(request.viewer, request.routeOptions.url)
      const { body } = await network(reader, { signal: one.signal, after })
      const related = JSON.parse(body) as NetworkResult
      return isPart(request)
        ? sendPart(reply, <Related one={one} related={related} />)
        : showCase(reviewing, request, reply, { related })
    },
  )

  app.get(
    '/cases/:case/receipts/:event',
    {
      config: AS_ANALYST,
      schema: { params: Type.Object({ case: UuidSchema, event: UuidSchema }, { additionalProperties: false }) },
    },
    async ({ params, viewer }, reply) => {
      const { participant, slug } = reviewerOf(viewer)
      const { event } = params as { event: Uuid }
      const given = await reviewing.receipt({ participant, slug, auditor: false }, event)
      if (given.outcome === 'pending')
        return reply
          .code(202)
          .type('text/plain; charset=utf-8')
          .send('Its checkpoint is still to come: ask again in a few seconds.\n')
      return reply
        .type('text/plain; charset=utf-8')
        .header('content-disposition', `attachment; filename="receipt-${event}.txt"`)
        .send(given.text)
    },
  )
}

/** A case of one's own; another organisation's is not there. Recorded before it is given out. */
export async function readCase(
  { review }: Reviewing,
  { params, viewer, routeOptions }: FastifyRequest,
): Promise<CaseInfo> {
  const { body } = await review.one(readerOf(viewer, routeOptions.url), (params as { case: Uuid }).case)
  return JSON.parse(body) as CaseInfo
}

const LINKS: ReadonlySet<string> = new Set(['url', 'domain'])

const isSealed = ({ revealable }: Reviewing, request: FastifyRequest, { signal, source }: CaseInfo): Promise<boolean> =>
  revealable(readerOf(request.viewer, request.routeOptions.url), { signal, source })

type Shown = Partial<Pick<CaseView, 'texts' | 'related' | 'value' | 'typed' | 'refusal' | 'decision'>>

/** The page of a case as it stands now, with what was typed where something was refused. */
export async function showCase(
  reviewing: Reviewing,
  request: FastifyRequest,
  reply: FastifyReply,
  shown: Shown,
): Promise<FastifyReply> {
  const { viewer } = request
  const { review, clock, categories, audienceName } = reviewing
  const by = reviewerOf(viewer)
  const one = await readCase(reviewing, request)
  const now = clock()
  const view: CaseView = {
    ...{ viewer, one, now, categories: categories(), typed: {}, refusal: undefined, decision: newId(now), ...shown },
    grip: await review.grip(by, one.case),
    opinions: await opinionsOf(reviewing, viewer, one),
    revealable: one.said !== undefined && LINKS.has(one.type) && (await isSealed(reviewing, request, one)),
    colleagues: (await reviewing.colleaguesOf(viewer.organisation)).filter(
      ({ pseudonym }) => pseudonym !== viewer.pseudonym,
    ),
    undoable: await review.undoable(by),
    nudge: await reviewing.wellbeing.nudge(viewer),
    criticalSecond: reviewing.criticalSecond(),
    audience: one.said === undefined ? undefined : audienceName(one.said.audience),
  }
  const title = `${typeLabel(one.type)} from ${one.source}`
  const page = { viewer, title, current: 'queue', styles: ['review.css'], scripts: ['review.js'] } as const
  return sendPage(reply, page, <CasePage {...view} />)
}
