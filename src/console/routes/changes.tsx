import type { FastifyPluginAsync } from 'fastify'
import { sendTagged, tagOf } from '../../http/conditional.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { ParticipantService } from '../../participants/service.ts'
import type { Publishing } from '../../publishing/service.ts'
import { links } from '../links.ts'
import { AgreementsPage, ChangesPage } from '../pages/changes.tsx'
import { sendPage } from '../render.tsx'
import { sendOutside } from './sign-in.tsx'

export interface ChangeRoutesOptions {
  clock: Clock
  participants: Pick<ParticipantService, 'policies' | 'directory'>
  publishing: Pick<Publishing, 'list'>
}

/** The public change log, and the register of agreements. */
export const changeRoutes: FastifyPluginAsync<ChangeRoutesOptions> = async (
  app,
  { clock, participants, publishing },
) => {
  const publicly = { config: { roles: 'public' } } as const

  app.get(links.changes(), publicly, async (_request, reply) => {
    const reports = (await publishing.list()).filter(({ published }) => published !== undefined)
    return sendOutside(reply, 'Change log', <ChangesPage policies={await participants.policies()} reports={reports} />)
  })

  app.get<{ Params: { kind: string; version: string } }>(
    '/changes/:kind/:version',
    publicly,
    async (request, reply) => {
      const { kind, version } = request.params
      const found = (await participants.policies()).find((one) => one.kind === kind && String(one.version) === version)
      if (found === undefined) throw new Refusal('not-found')
      reply.header('content-disposition', `attachment; filename="${kind}-${version}.json"`)
      return sendTagged(request, reply, { type: 'application/json', body: found.body, etag: tagOf(found.body) })
    },
  )

  app.get(links.agreements(), { config: { roles: ['governance', 'node_admin'] } }, async ({ viewer }, reply) => {
    const versions = (await participants.policies()).filter(({ kind }) => kind === 'agreement')
    const accepted = (await participants.directory())
      .filter(({ status }) => status !== 'left')
      .map(({ slug, agreement }) => ({ slug, version: agreement?.version, at: agreement?.accepted_at }))
    return sendPage(
      reply,
      {
        ...{ viewer, title: 'Agreements', current: 'registers' },
        back: { href: links.subjects(), label: 'Registers' },
      },
      <AgreementsPage {...{ versions, accepted, now: clock() }} />,
    )
  })
}
