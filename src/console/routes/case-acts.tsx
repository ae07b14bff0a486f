import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { CaseParams, HandOverRequest, HoldRequest } from '../../review/schema.ts'
import { formReader, typedOf } from '../form.ts'
import { type Href, links } from '../links.ts'
import { ANALYSTS, type Reviewing, reviewerOf } from '../reviewing.ts'
import { showCase } from './case.tsx'

const closed = { additionalProperties: false } as const
const Version = Type.String({ pattern: '^[1-9][0-9]{0,8}$' })
const readToken = formReader(Type.Object({ token: UuidSchema }, closed))
const readHold = formReader(
  Type.Object(
    {
      token: UuidSchema,
      version: Version,
      reason: HoldRequest.properties.reason,
      hours: Type.Enum(['1', '4', '8', '24']),
    },
    closed,
  ),
)
const readHandOver = formReader(
  Type.Object({ token: UuidSchema, version: Version, to: HandOverRequest.properties.to }, closed),
)
const readVersion = formReader(Type.Object({ version: Version }, closed))

type Work = (request: FastifyRequest, id: Uuid) => Promise<Href | undefined>

/** Who works on a case, and what waits. Each is a form; a refusal is shown on the case's page as it stands now. */
export const caseActRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review, colleaguesOf, wellbeing } = reviewing
  const act = (path: string, work: Work): void => actRoute(app, reviewing, { path, work })

  // Claimed again after the case went on: what was typed comes along, and stands in the form again.
  app.post(
    '/cases/:case/claim',
    { config: { roles: ANALYSTS }, schema: { params: CaseParams } },
    async (request, reply) => {
      const { case: id } = request.params as { case: Uuid }
      const { lead, ...typed } = typedOf(request.body)
      const by = reviewerOf(request.viewer)
      const refusal = await caught(async () => {
        await review.claim({ ...by, lead: by.lead && lead === 'yes' }, id)
        await wellbeing.took(request.viewer, await review.severity(by.participant, id))
      })
      if (refusal === undefined && typed['verdict'] === undefined && typed['note_shared'] === undefined)
        return reply.redirect(links.reviewCase(id), 303)
      return showCase(reviewing, request, reply.code(refusal?.status ?? 200), { typed, refusal })
    },
  )

  act('renew', async ({ viewer, body }, id) => {
    await review.renew(reviewerOf(viewer), id, readToken(body).token)
    return links.reviewCase(id)
  })

  keepRoute(app, reviewing)
  leftRoute(app, reviewing)

  act('leave', async ({ viewer, body }, id) => {
    await review.leave(reviewerOf(viewer), id, readToken(body).token)
    return links.queue()
  })

  act('hold', async ({ viewer, body }, id) => {
    const { version, hours, ...rest } = readHold(body)
    await review.hold(reviewerOf(viewer), id, { ...rest, version: Number(version), hours: Number(hours) })
    return links.queue()
  })

  act('resume', async ({ viewer, body }, id) => {
    await review.resume(reviewerOf(viewer), id, Number(readVersion(body).version))
    return links.reviewCase(id)
  })

  act('hand-over', async ({ viewer, body }, id) => {
    const { version, ...rest } = readHandOver(body)
    const known = await colleaguesOf(viewer.organisation)
    if (!known.some(({ pseudonym }) => pseudonym === rest.to))
      throw new Refusal('person-unknown', { detail: 'choose a colleague of the list' })
    await review.handOver(reviewerOf(viewer), id, { ...rest, version: Number(version) })
    return links.queue()
  })
}

/** When the lease ends now; asked for by the page itself. */
function keepRoute(app: FastifyInstance, { review, clock }: Reviewing): void {
  app.post(
    '/cases/:case/keep',
    { config: { roles: ANALYSTS, background: true }, schema: { params: CaseParams } },
    async ({ viewer, params, body }, reply) => {
      const told: { expires_at?: string; now?: string } = {}
      const refusal = await caught(async () => {
        const renewed = await review.renew(reviewerOf(viewer), (params as { case: Uuid }).case, readToken(body).token)
        told.expires_at = renewed.expires_at
        told.now = clock().toISOString()
      })
      return reply
        .code(refusal?.status ?? 200)
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(refusal === undefined ? told : { code: refusal.code }))
    },
  )
}

/** A page says by itself that it goes away: nobody is there to read an answer, and nothing is disclosed by it. */
function leftRoute(app: FastifyInstance, { review }: Reviewing): void {
  app.post(
    '/cases/:case/left',
    { config: { roles: ANALYSTS, background: true }, schema: { params: CaseParams } },
    async ({ viewer, params, body }, reply) => {
      try {
        await review.leave(reviewerOf(viewer), (params as { case: Uuid }).case, readToken(body).token)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
      }
      return reply.code(204).send()
    },
  )
}

function actRoute(app: FastifyInstance, reviewing: Reviewing, { path, work }: { path: string; work: Work }): void {
  app.post(
    `/cases/:case/${path}`,
    { config: { roles: ANALYSTS }, schema: { params: CaseParams } },
    async (request, reply) => {
      const { case: id } = request.params as { case: Uuid }
      const done: { to?: Href | undefined } = {}
      const refusal = await caught(async () => {
        done.to = await work(request, id)
      })
      if (refusal !== undefined) return showCase(reviewing, request, reply.code(refusal.status), { refusal })
      return reply.redirect(done.to ?? links.reviewCase(id), 303)
    },
  )
}

/** The refusal that a person can do something about here; that there is no such case is said by a page of its own. */
export async function caught(work: () => Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof Refusal && error.status >= 403 && error.status < 500 && error.code !== 'not-found')
      return error
    throw error
  }
}
