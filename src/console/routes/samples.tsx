import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type ReviewVerdict, VERDICTS } from '../../feedback/schema.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Uuid } from '../../kernel/ids.ts'
import { type SampleList, SampleParams, type SampleResult } from '../../review/sample-schema.ts'
import type { CaseInfo } from '../../review/schema.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { SampledPage, SamplePage, SamplesPage } from '../pages/samples.tsx'
import { sendPage } from '../render.tsx'
import { ANALYSTS, type Reviewing, readerOf, reviewerOf } from '../reviewing.ts'
import { caught } from './case-acts.tsx'

const AS_ANALYST = { roles: ANALYSTS } as const
const PAGE = { title: 'Second look', current: 'second', styles: ['review.css'], scripts: ['review.js'] } as const
const BACK = { back: { href: links.samples(), label: 'Second looks' } } as const
const readOutcome = formReader(
  Type.Object(
    { outcome: Type.String({ pattern: `^(${VERDICTS.join('|')})\\.[a-z_]{1,40}$` }) },
    { additionalProperties: false },
  ),
)

/** A share of what colleagues closed, decided a second time without seeing the first. */
export const sampleRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review, clock } = reviewing

  app.get('/samples', { config: AS_ANALYST }, async (request, reply) =>
    sendPage(
      reply,
      { viewer: request.viewer, ...PAGE },
      <SamplesPage samples={await listed(reviewing, request)} now={clock()} />,
    ),
  )

  app.get('/samples/:sample', { config: AS_ANALYST, schema: { params: SampleParams } }, async (request, reply) =>
    showSample(reviewing, request, reply),
  )

  app.post('/samples/:sample', { config: AS_ANALYST, schema: { params: SampleParams } }, async (request, reply) => {
    const { viewer, params, body } = request
    const answered: { result?: SampleResult } = {}
    const refusal = await caught(async () => {
      const [verdict = '', reason = ''] = readOutcome(body).outcome.split('.')
      const { sample } = params as { sample: Uuid }
      const answer = { verdict: verdict as ReviewVerdict, reason }
      answered.result = await review.answerSample(reviewerOf(viewer), sample, answer)
    })
    if (answered.result === undefined)
      return showSample(reviewing, request, reply.code(refusal?.status ?? 422), refusal)
    return sendPage(reply, { viewer, ...PAGE, ...BACK }, <SampledPage result={answered.result} />)
  })
}

async function listed({ review }: Reviewing, { viewer, routeOptions }: FastifyRequest): Promise<SampleList['samples']> {
  const { who, authority } = reviewerOf(viewer)
  const { body } = await review.samples({ ...readerOf(viewer, routeOptions.url), who, authority })
  return (JSON.parse(body) as SampleList).samples
}

async function showSample(
  reviewing: Reviewing,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const { review, clock, audienceName } = reviewing
  const { viewer, params, routeOptions } = request
  const { sample: id } = params as { sample: Uuid }
  const sample = (await listed(reviewing, request)).find((one) => one.sample === id)
  if (sample === undefined) throw refusal ?? new Refusal('not-found')
  const { body } = await review.one(readerOf(viewer, routeOptions.url), sample.case.case)
  const one = JSON.parse(body) as CaseInfo
  const audience = one.said === undefined ? undefined : audienceName(one.said.audience)
  const view = { viewer, sample, one, now: clock(), audience, refusal }
  return sendPage(reply, { viewer, ...PAGE, ...BACK }, <SamplePage {...view} />)
}
