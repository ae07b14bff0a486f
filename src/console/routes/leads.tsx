import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Refusal } from '../../kernel/errors.ts'
import { ReviewSetting } from '../../review/sample-schema.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { LeadsPage } from '../pages/leads.tsx'
import { sendPage } from '../render.tsx'
import { type Reviewing, reviewerOf } from '../reviewing.ts'
import { caught } from './case-acts.tsx'

const { days, from, to } = ReviewSetting.properties.hours.anyOf[0].properties
const readSetting = formReader(
  Type.Object(
    { day: Type.Optional(days), from, to, sample_percent: Type.String({ pattern: '^(0|[1-9][0-9]?|100)$' }) },
    { additionalProperties: false },
  ),
)

/** How the work of an organisation goes, and how it is done. */
export const leadRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review } = reviewing

  app.get('/leads', { config: { roles: ['lead'] } }, async (request, reply) => show(reviewing, request, reply))

  app.post('/leads/settings', { config: { roles: ['lead'] } }, async (request, reply) => {
    const refusal = await caught(async () => {
      const { day = [], sample_percent, ...times } = readSetting(request.body)
      const hours = day.length === 0 ? null : { days: day, ...times }
      await review.set(reviewerOf(request.viewer), { hours, sample_percent: Number(sample_percent) })
    })
    if (refusal !== undefined) return show(reviewing, request, reply.code(refusal.status), refusal)
    return reply.redirect(links.leads(), 303)
  })
}

async function show(
  { review }: Reviewing,
  { viewer }: FastifyRequest,
  reply: FastifyReply,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const by = reviewerOf(viewer)
  const [figures, counts] = [await review.figures(by.participant), await review.counts(by)]
  const setting = await review.setting(by.participant)
  const page = { viewer, title: 'Team', current: 'leads', styles: ['review.css'] } as const
  return sendPage(reply, page, <LeadsPage {...{ figures, counts, viewer, setting, refusal }} />)
}
