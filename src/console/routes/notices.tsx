import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { type Notifications, pageAfter } from '../notices.ts'
import { NoticesPage } from '../pages/notices.tsx'
import { goTo, sendPage } from '../render.tsx'

interface NoticeRoutesOptions {
  clock: Clock
  notifications: Notifications
}

const closed = { additionalProperties: false } as const
const Query = Type.Object({ after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}\\.[ -~]{1,160}$' })) }, closed)
const readUpto = formReader(Type.Object({ upto: Type.String({ pattern: '^[0-9]{1,15}$' }) }, closed))

/** What is new for whoever looks, and that it was seen. */
export const noticeRoutes: FastifyPluginAsync<NoticeRoutesOptions> = async (app, { clock, notifications }) => {
  const config = { roles: 'signed-in' } as const

  app.get('/notices', { config, schema: { querystring: Query } }, async (request, reply) => {
    const { viewer } = request
    const { after } = request.query as { after?: string }
    const all = await notifications.of(viewer)
    const { notices, next } = pageAfter(all, after)
    return sendPage(
      reply,
      { viewer, title: 'Notices', current: 'notices', styles: ['review.css'] },
      <NoticesPage
        {...{ viewer, notices, now: clock() }}
        unread={all.filter(({ unread }) => unread).length}
        first={after === undefined ? undefined : links.notices()}
        next={next === undefined ? undefined : links.notices(next)}
      />,
    )
  })

  app.post(links.seeNotices(), { config }, async ({ viewer, body }, reply) => {
    // What comes after the page was made was not on it.
    const upto = Math.min(Number(readUpto(body).upto), clock().getTime())
    await notifications.see(viewer, new Date(upto))
    return goTo(reply, links.notices())
  })
}
