import type { FastifyPluginAsync } from 'fastify'
import { Compile } from 'typebox/compile'
import { MEASURES, type Measure } from '../../governance/measure.ts'
import { MatrixQuery } from '../../governance/schema.ts'
import { Refusal } from '../../kernel/errors.ts'
import { links } from '../links.ts'
import { type Looking, lookerIn } from '../looking.ts'
import { matrixTable } from '../matrix-file.ts'
import { MatrixPage } from '../pages/matrix.tsx'
import { sendPage } from '../render.tsx'

/** Who may see who shared with whom: everybody's, or one's own. */
export const MATRIX_READERS = ['governance', 'partner_admin'] as const
const READERS = { config: { roles: MATRIX_READERS } } as const
const QUERY = Compile(MatrixQuery)

/** Who shared what with whom: all of it for governance, its own row and column for a partner's administrator. */
export const matrixRoutes: FastifyPluginAsync<{ looking: Looking }> = async (app, { looking }) => {
  const { governance, clock } = looking

  app.get(links.shareMatrix(), READERS, async (request, reply) => {
    const { viewer, query } = request
    const { asked, measure } = askedIn(query)
    const by = lookerIn(looking, viewer)
    const matrix = await governance.matrix(by, asked)
    const page = {
      viewer,
      title: 'Share matrix',
      current: 'matrix',
      styles: ['review.css', 'log.css'],
      scripts: ['matrix.js'],
    } as const
    return sendPage(
      reply,
      page,
      <MatrixPage
        {...{ matrix, measure, asked, own: by.sees === 'own', now: clock(), least: looking.suppressBelow }}
        groups={governance.groups(by)}
        categories={looking.categories()}
      />,
    )
  })

  app.get(links.shareMatrixFile(), READERS, async ({ viewer, query }, reply) => {
    const { asked, measure } = askedIn(query)
    const matrix = await governance.matrix(lookerIn(looking, viewer), asked)
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="shares-${matrix.from}-${matrix.to}-${measure}.csv"`)
      .send(matrixTable(matrix, measure, looking.suppressBelow))
  })
}

function askedIn(query: unknown): { asked: MatrixQuery; measure: Measure } {
  const told = Object.fromEntries(
    // An empty field of a form asks for anything.
    Object.entries(query as Readonly<Record<string, unknown>>).filter(([, value]) => value !== ''),
  )
  const { measure: name = 'shared', ...asked } = told
  const measure = MEASURES.find((one) => one === name)
  if (measure === undefined || !QUERY.Check(asked))
    throw new Refusal('invalid-query', { detail: 'start from the whole matrix' })
  return { asked, measure }
}
