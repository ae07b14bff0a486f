import type { FastifyPluginAsync } from 'fastify'
import { Compile } from 'typebox/compile'
import { SightQuery, type SightResult } from '../../governance/schema.ts'
import { Refusal } from '../../kernel/errors.ts'
import { firstFault } from '../../kernel/schema.ts'
import { ADMINISTRATORS, type Administering } from '../administering.ts'
import { refusalIn } from '../form.ts'
import { links } from '../links.ts'
import { inNameOf } from '../looking.ts'
import { SightPage } from '../pages/sight.tsx'
import { sendPage } from '../render.tsx'

const READERS = { config: { roles: ADMINISTRATORS } } as const
const QUERY = Compile(SightQuery)

/** Who may see a signal, and why the others may not. */
export const sightRoutes: FastifyPluginAsync<{ administering: Administering }> = async (app, { administering }) => {
  const { governance, participants, audiences } = administering

  app.get(links.sight(), READERS, async ({ viewer, query }, reply) => {
    const asked = query as Partial<SightQuery>
    let sight: SightResult | undefined
    const refusal =
      Object.keys(asked).length === 0
        ? undefined
        : await refusalIn(async () => {
            sight = await governance.sight({ ...inNameOf(administering, viewer), sees: 'all' }, queryIn(asked))
          })
    const sources = (await participants.directory()).map(({ slug }) => slug)
    const body = <SightPage {...{ asked, sight, sources, refusal }} audiences={audiences()} />
    return sendPage(reply, { viewer, title: 'Who may see', current: 'sight', refusal }, body)
  })
}

function queryIn(asked: unknown): SightQuery {
  if (QUERY.Check(asked)) return asked
  const { pointer, detail } = firstFault(QUERY, asked)
  throw new Refusal('filter-value', { errors: [{ pointer, code: 'filter-value', detail }] })
}
