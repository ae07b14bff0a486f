import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { setLookCookie } from '../cookies.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { DENSITIES, formatLook, THEMES } from '../look.ts'
import { SettingsPage } from '../pages/settings.tsx'
import { goTo, sendPage } from '../render.tsx'
import { IDLE_MS } from '../schema.ts'
import type { Sessions } from '../session.ts'

interface SettingsRoutesOptions {
  clock: Clock
  sessions: Pick<Sessions, 'list' | 'end'>
}

const closed = { additionalProperties: false } as const
const readLook = formReader(
  Type.Object(
    {
      theme: Type.Enum([...THEMES]),
      density: Type.Enum([...DENSITIES]),
      keys: Type.Enum(['on', 'off']),
    },
    closed,
  ),
)
const readEnd = formReader(Type.Object({ session: UuidSchema }, closed))

export const settingsRoutes: FastifyPluginAsync<SettingsRoutesOptions> = async (app, { clock, sessions }) => {
  const config = { roles: 'signed-in' } as const

  app.get(links.settings(), { config }, async ({ viewer, session, shell }, reply) => {
    const listed = await sessions.list(viewer.person)
    const current = session?.session_id ?? ''
    const body = <SettingsPage {...{ viewer, current }} look={shell.look} sessions={listed} now={clock()} />
    return sendPage(reply, { viewer, title: 'Settings', current: 'settings' }, body)
  })

  app.post(links.look(), { config }, async ({ body }, reply) => {
    const { theme, density, keys } = readLook(body)
    setLookCookie(reply, formatLook({ theme, density, keys: keys === 'on' }))
    return goTo(reply, links.settings())
  })

  app.post(links.endSession(), { config }, async ({ viewer, body }, reply) => {
    const ended = await sessions.end({
      person: viewer.person,
      session: readEnd(body).session,
      reason: 'ended_by_person',
    })
    if (ended === 0) throw new Refusal('not-found', { detail: 'there is no such session, or it has ended' })
    return goTo(reply, links.settings())
  })

  /** Asked by an open page: whether the session lives, and for how long without the person. */
  app.get(links.sessionState(), { config: { roles: 'signed-in', background: true } }, async ({ session }, reply) => {
    const left = (session?.seenAt.getTime() ?? 0) + IDLE_MS - clock().getTime()
    return reply
      .code(204)
      .header('session-seconds', String(Math.max(0, Math.floor(left / 1_000))))
      .send()
  })

  /** Pressed by the person: being here is all that it says. */
  app.get(links.stay(), { config }, async (_request, reply) => reply.code(204).send())
}
