import type { FastifyPluginAsync } from 'fastify'
import { LeadsPage } from '../pages/leads.tsx'
import { sendPage } from '../render.tsx'
import { type Reviewing, reviewerOf } from '../reviewing.ts'

/** How the work of an organisation goes. */
export const leadRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review } = reviewing
  app.get('/leads', { config: { roles: ['lead'] } }, async ({ viewer }, reply) => {
    const by = reviewerOf(viewer)
    const [figures, counts] = [await review.figures(by.participant), await review.counts(by)]
    const page = { viewer, title: 'Team', current: 'leads', styles: ['review.css'] } as const
    return sendPage(reply, page, <LeadsPage figures={figures} counts={counts} />)
  })
}
