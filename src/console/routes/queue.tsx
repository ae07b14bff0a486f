import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { sendTagged, tagOf } from '../../http/conditional.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { CaseList } from '../../review/schema.ts'
import { links } from '../links.ts'
import { QueuePage } from '../pages/queue.tsx'
import { parseText, type QueueAsked, type QueueFilter, readQuery } from '../queue-filter.ts'
import { sendPage } from '../render.tsx'
import { ANALYSTS, giveNext, type Reviewing, readerOf, reviewerOf } from '../reviewing.ts'

/** Rows of a page. */
const ROWS = 100
const AS_ANALYST = { config: { roles: ANALYSTS } } as const

/** What waits, and the way into it. */
export const queueRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review } = reviewing

  app.get('/queue', AS_ANALYST, async (request, reply) => {
    const asked = readQuery(request.query as Record<string, unknown>)
    if (asked === undefined) throw new Refusal('invalid-query', { detail: 'start from the whole queue' })
    return show(reviewing, { request, reply, asked })
  })

  app.get('/queue/find', AS_ANALYST, async (request, reply) => {
    const { text = '' } = request.query as { text?: unknown }
    const filter = typeof text === 'string' ? parseText(text) : undefined
    if (filter !== undefined) return reply.redirect(links.queue(filter), 303)
    return show(reviewing, { request, reply: reply.code(422), asked: { filter: {} }, unread: String(text) })
  })

  app.post('/queue/next', AS_ANALYST, async ({ viewer }, reply) => {
    const claimed = await giveNext(reviewing, viewer)
    return reply.redirect(claimed === undefined ? links.queue() : links.reviewCase(claimed.case), 303)
  })

  app.get(
    '/queue/news',
    {
      config: { roles: ANALYSTS, background: true },
      schema: { querystring: Type.Object({ since: Type.Integer({ minimum: 0 }) }, { additionalProperties: false }) },
    },
    async (request, reply) => {
      const { since } = request.query as { since: number }
      const count = await review.since(reviewerOf(request.viewer).participant, new Date(since))
      return conditional(request, reply, { new: count })
    },
  )
}

/** Nothing but its tag where whoever asks has it already. */
function conditional(request: FastifyRequest, reply: FastifyReply, told: object): FastifyReply {
  const body = JSON.stringify(told)
  return sendTagged(request, reply, { type: 'application/json; charset=utf-8', body, etag: tagOf(body) })
}

interface Showing {
  request: FastifyRequest
  reply: FastifyReply
  asked: QueueAsked
  /** A filter that was not understood, as it was typed. */
  unread?: string
}

async function show(reviewing: Reviewing, { request, reply, asked, unread }: Showing): Promise<FastifyReply> {
  const { review, clock, categories, sources, sides } = reviewing
  const { viewer } = request
  const { filter, cursor } = asked
  const by = reviewerOf(viewer)
  const now = clock()
  const counts = await review.counts(by)
  const page = unread === undefined ? await pageOf(reviewing, request, asked) : { cases: [], next: null }
  return sendPage(
    reply,
    { viewer, title: 'Queue', current: 'queue', styles: ['review.css'], scripts: ['review.js'] },
    <QueuePage
      {...{ viewer, filter, counts, now, cases: page.cases }}
      {...(unread !== undefined && { unread })}
      opinions={page.cases.length === 0 ? new Map() : await sides(by.participant, page.cases)}
      first={cursor === undefined ? undefined : links.queue(filter)}
      next={page.next === null ? undefined : links.queue({ ...filter, cursor: page.next })}
      categories={categories()}
      sources={sources()}
      undoable={await review.undoable(by)}
      saved={await reviewing.views.of(viewer, 'queue')}
      related={
        await reviewing.related(
          by.participant,
          page.cases.map(({ signal }) => signal),
        )
      }
    />,
  )
}

async function pageOf({ review }: Reviewing, { viewer, routeOptions }: FastifyRequest, asked: QueueAsked) {
  const { mine, ...rest }: QueueFilter = asked.filter
  const query = {
    ...{ ...rest, limit: ROWS },
    ...(asked.cursor !== undefined && { cursor: asked.cursor }),
    ...(mine === 'yes' && { holder: viewer.pseudonym }),
  }
  const { body } = await review.list(readerOf(viewer, routeOptions.url), query)
  return JSON.parse(body) as CaseList
}
