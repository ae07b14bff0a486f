import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import type { Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import type { Publishing } from '../../publishing/service.ts'
import { csvOf } from '../../reports/csv.ts'
import { pageOf } from '../../reports/page.tsx'
import { instantIn } from '../../reports/period.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { inNameOf } from '../looking.ts'
import { ReportPage, ReportsPage } from '../pages/reports.tsx'
import { pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'
import { holdsOne, type Viewer } from '../viewer.ts'

export interface ReportRoutesOptions {
  clock: Clock
  publishing: Publishing
  participants: Pick<ParticipantService, 'propose'>
  sessions: Pick<Sessions, 'once'>
  /** In whose name a look is recorded where the organisation is no participant. */
  programme: Uuid
  /** In reports, counts below it are withheld. */
  suppressBelow: number
}

type Named = { Params: { digest: string } }

const READERS: readonly Role[] = ['governance', 'observer']
const MAKERS: readonly Role[] = ['governance']

const closed = { additionalProperties: false } as const
const Day = Type.String({ pattern: '^20[0-9]{2}-[0-9]{2}-[0-9]{2}$' })
const readPeriod = formReader(Type.Object({ from: Day, to: Day }, closed))
const readNothing = formReader(Type.Object({}, closed))

/** Transparency reports: all of them for governance, who makes them, and the published ones for observers. */
export const reportRoutes: FastifyPluginAsync<ReportRoutesOptions> = async (app, options) => {
  const { publishing, participants, sessions } = options
  const config = { roles: READERS }

  app.get(links.reports(), { config }, (request, reply) => showAll(options, reply, request))

  app.post(links.draftReport(), { config: { roles: MAKERS } }, async (request, reply) => {
    const { viewer, body } = request
    const refusal = await pressed(sessions, request, async () => {
      const { from, to } = readPeriod(body)
      const period = { from: instantIn(from), to: instantIn(to) }
      await publishing.begin(inNameOf(options, viewer), { period, k: options.suppressBelow })
    })
    return refusal === undefined ? goTo(reply, links.reports()) : showAll(options, reply, request, refusal)
  })

  app.get<Named>('/reports/:digest', { config }, (request, reply) => showOne(options, reply, request))

  app.get<Named>('/reports/:digest/file', { config }, async ({ viewer, params, query }, reply) => {
    const { form } = query as Readonly<Record<string, unknown>>
    const { report, body } = await seenBy(options, viewer, params.digest)
    const write = typeof form === 'string' && Object.hasOwn(FORMS, form) ? FORMS[form] : undefined
    if (write === undefined) throw new Refusal('invalid-query', { detail: 'form is json, csv or html' })
    const { type, text } = write({ report, body, digest: params.digest })
    const name = `report-${report.period.from.slice(0, 10)}-${report.period.to.slice(0, 10)}.${form}`
    return reply.type(type).header('content-disposition', `attachment; filename="${name}"`).send(text)
  })

  app.post<Named>('/reports/:digest/publish', { config: { roles: MAKERS } }, async (request, reply) => {
    const { viewer, body, params } = request
    const { listed, report } = await publishing.find(params.digest)
    const { digest, size } = listed
    const refusal = await pressed(sessions, request, async () => {
      readNothing(body)
      const payload = { ...report.period, log_size: Number(size), digest, format: report.format }
      await participants.propose('report.publish', payload, viewer.person)
    })
    return refusal === undefined ? goTo(reply, links.requests()) : showOne(options, reply, request, refusal)
  })
}

type Written = (of: { report: Parameters<typeof csvOf>[0]; body: string; digest: string }) => {
  type: string
  text: string
}

const FORMS: Readonly<Record<string, Written>> = {
  json: ({ report }) => ({ type: 'application/json', text: `${JSON.stringify(report, undefined, 2)}\n` }),
  csv: ({ report }) => ({ type: 'text/csv; charset=utf-8', text: csvOf(report) }),
  // Its own styles are in it: it is saved, never shown under this origin.
  html: ({ report, digest }) => ({ type: 'text/html; charset=utf-8', text: pageOf(report, digest) }),
}

const mayMake = (viewer: Viewer): boolean => holdsOne(viewer, MAKERS)

/** A draft is nobody's but governance's. */
async function seenBy({ publishing }: ReportRoutesOptions, viewer: Viewer, digest: string) {
  const found = await publishing.find(digest)
  if (found.listed.published === undefined && !mayMake(viewer)) throw new Refusal('not-found')
  return found
}

async function showAll(
  { publishing, clock }: ReportRoutesOptions,
  reply: FastifyReply,
  { viewer, body }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const makes = mayMake(viewer)
  const reports = (await publishing.list()).filter(({ published }) => makes || published !== undefined)
  const now = clock()
  return sendPage(
    reply,
    { viewer, title: 'Reports', current: 'reports', styles: ['report.css'], refusal },
    <ReportsPage
      {...{ reports, viewer, now, refusal, mayMake: makes, drafting: publishing.drafting() }}
      once={newId(now)}
      typed={typedOf(body)}
    />,
  )
}

async function showOne(
  options: ReportRoutesOptions,
  reply: FastifyReply,
  { viewer, params }: FastifyRequest<Named>,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const { listed, report } = await seenBy(options, viewer, params.digest)
  const now = options.clock()
  return sendPage(
    reply,
    {
      ...{ viewer, title: `Transparency report ${report.period.from.slice(0, 10)}`, current: 'reports', refusal },
      ...{ styles: ['report.css'], back: { href: links.reports(), label: 'Reports' } },
    },
    <ReportPage {...{ listed, report, viewer, now, refusal, mayMake: mayMake(viewer) }} once={newId(now)} />,
  )
}
