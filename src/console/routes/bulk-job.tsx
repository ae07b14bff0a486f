import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import {
  BulkAnswer,
  type BulkItems,
  type BulkJobsQuery,
  BulkParams,
  BulkJobsQuery as JobsQuery,
} from '../../review/bulk-schema.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { BulkJobPage, BulkJobsPage, BulkProgress } from '../pages/bulk-job.tsx'
import { isPart, sendPage, sendPart } from '../render.tsx'
import { ANALYSTS, type Reviewing, reviewerOf } from '../reviewing.ts'
import { caught } from './case-acts.tsx'

const AS_ANALYST = { roles: ANALYSTS } as const
const OF_JOB = { config: AS_ANALYST, schema: { params: BulkParams } } as const
const PAGE = { current: 'queue', styles: ['review.css'], scripts: ['review.js'] } as const

const { answer, digest } = BulkAnswer.properties
const readAnswer = formReader(
  Type.Object(
    {
      answer,
      digest,
      n: Type.Optional(Type.Union([Type.Literal(''), Type.String({ pattern: '^[0-9]{1,4}$' })])),
    },
    { additionalProperties: false },
  ),
)

/** Jobs of many cases that are decided alike: how far they are, what became of each case, and the way back. */
export const bulkJobRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review, clock } = reviewing
  const idOf = ({ params }: FastifyRequest): Uuid => (params as { job: Uuid }).job

  app.get('/bulk/jobs', { config: AS_ANALYST, schema: { querystring: JobsQuery } }, async (request, reply) => {
    const { viewer, query } = request
    const { jobs, next } = await review.bulkJobs(reviewerOf(viewer).participant, query as BulkJobsQuery)
    const page = { viewer, title: 'Decided alike', back: BACK, ...PAGE }
    return sendPage(
      reply,
      page,
      <BulkJobsPage {...{ jobs, now: clock(), next: next === null ? undefined : links.bulkJobs(next) }} />,
    )
  })

  app.get('/bulk/jobs/:job', OF_JOB, async (request, reply) => showJob(reviewing, request, reply, {}))

  // The page asks by itself while the job is under way.
  app.get(
    '/bulk/jobs/:job/progress',
    { config: { ...AS_ANALYST, background: true }, schema: { params: BulkParams } },
    async (request, reply) => showJob(reviewing, request, reply, {}),
  )

  app.get('/bulk/jobs/:job/results', OF_JOB, async (request, reply) => {
    const { items } = await review.bulkItems(reviewerOf(request.viewer).participant, idOf(request))
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', `attachment; filename="results-${idOf(request)}.csv"`)
      .send(tableOf(items))
  })

  const act = (path: string, work: (request: FastifyRequest) => Promise<unknown>): void => {
    app.post(`/bulk/jobs/:job/${path}`, OF_JOB, async (request, reply) => {
      const refusal = await caught(() => work(request))
      if (refusal === undefined) return reply.redirect(links.bulkJob(idOf(request)), 303)
      return showJob(reviewing, request, reply.code(refusal.status), { refusal })
    })
  }
  act('answer', async (request) => {
    const { n, ...given } = readAnswer(request.body)
    const number = n === undefined || n === '' ? {} : { n: Number(n) }
    return review.answerBulk(reviewerOf(request.viewer), idOf(request), { ...given, ...number })
  })
  act('cancel', async (request) => review.cancelBulk(reviewerOf(request.viewer), idOf(request)))
  act('undo', async (request) => review.undoBulk(reviewerOf(request.viewer), idOf(request)))
}

const BACK = { href: links.queue(), label: 'Queue' } as const

async function showJob(
  { review, clock }: Reviewing,
  request: FastifyRequest,
  reply: FastifyReply,
  { refusal }: { refusal?: Refusal },
): Promise<FastifyReply> {
  const { viewer, params, body } = request
  const { participant } = reviewerOf(viewer)
  const { job: id } = params as { job: Uuid }
  const job = await review.bulkJob(participant, id)
  const view = { viewer, job, now: clock(), typed: typedOf(body), refusal }
  const isOver = job.state !== 'running' && job.state !== 'undoing'
  if (isPart(request)) {
    // Once it is over the whole page is loaded, with what became of each case.
    if (isOver) return reply.header('hx-redirect', links.bulkJob(id)).send('')
    return sendPart(reply, <BulkProgress {...view} items={[]} />)
  }
  const { items } = await review.bulkItems(participant, id)
  const page = { viewer, title: 'Decided alike', back: { href: links.bulkJobs(), label: 'Jobs' }, ...PAGE }
  return sendPage(reply, page, <BulkJobPage {...view} items={items} />)
}

/** RFC 4180; nothing in it can be a formula, since every value is an id, a number or a word of the console's own. */
const tableOf = (items: BulkItems['items']): string =>
  [
    'case,version,decision,result,at,undone',
    ...items.map((one) =>
      [one.case, one.version, one.decision, one.result ?? '', one.at ?? '', one.undone ?? ''].join(','),
    ),
    '',
  ].join('\r\n')
