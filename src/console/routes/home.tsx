import type { FastifyPluginAsync } from 'fastify'
import { links } from '../links.ts'
import { HelpPage, NoRolePage } from '../pages/home.tsx'
import { sectionsOf } from '../parts/nav.tsx'
import { goTo, sendPage } from '../render.tsx'

/** The first page of whoever signs in: the first section of its role. */
export const homeRoutes: FastifyPluginAsync = async (app) => {
  const config = { roles: 'signed-in' } as const

  app.get(links.home(), { config }, async ({ viewer }, reply) => {
    const first = sectionsOf(viewer).find(([, { roles }]) => roles !== undefined)
    if (first !== undefined) return goTo(reply, first[1].href)
    if (viewer.roles.length > 0) return goTo(reply, links.log())
    return sendPage(reply, { viewer, title: 'No role', current: 'none' }, <NoRolePage viewer={viewer} />)
  })

  app.get(links.help(), { config }, async ({ viewer }, reply) =>
    sendPage(reply, { viewer, title: 'Keys and help', current: 'none' }, <HelpPage viewer={viewer} />),
  )
}
