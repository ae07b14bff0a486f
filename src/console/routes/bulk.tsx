import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { NoteSchema, type ReviewVerdict, VERDICTS } from '../../feedback/schema.ts'
import { LIMITS } from '../../http/limits.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId, type Uuid } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { BULK_MAX, type BulkAsked, type BulkPlan, type BulkRequest } from '../../review/bulk-schema.ts'
import { CASES_MAX, type CaseInfo, type CaseList } from '../../review/schema.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { BulkPage } from '../pages/bulk.tsx'
import { readQuery } from '../queue-filter.ts'
import { sendPage } from '../render.tsx'
import { ANALYSTS, type Reviewing, readerOf, reviewerOf } from '../reviewing.ts'
import { caught } from './case-acts.tsx'

const AS_ANALYST = { config: { roles: ANALYSTS }, bodyLimit: LIMITS.bulk_form_bytes } as const
const closed = { additionalProperties: false } as const
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const ITEM = new RegExp(`^${UUID}\\.[1-9][0-9]{0,8}$`)

const readSelection = formReader(
  Type.Object({ case: Type.Optional(Type.Array(UuidSchema, { maxItems: BULK_MAX, uniqueItems: true })) }, closed),
)
const EmptyOrNote = Type.Union([Type.Literal(''), NoteSchema])
const readBulk = formReader(
  Type.Object(
    {
      job: UuidSchema,
      item: Type.Array(Type.String({ pattern: ITEM.source }), { minItems: 1, maxItems: BULK_MAX }),
      outcome: Type.String({ pattern: `^(${VERDICTS.join('|')})\\.[a-z_]{1,40}$` }),
      note_team: EmptyOrNote,
      note_shared: EmptyOrNote,
    },
    closed,
  ),
)

type Body = Omit<BulkRequest, 'operator'>

/** Many cases that are decided alike: shown first, then a job. */
export const bulkRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review } = reviewing

  app.post('/bulk', AS_ANALYST, async (request, reply) =>
    showPlan(reviewing, request, reply, { asked: { cases: readSelection(request.body).case ?? [] } }),
  )

  // A whole view of the queue, as far as one job goes.
  app.post('/bulk/view', AS_ANALYST, async (request, reply) => {
    const asked = readQuery((request.body ?? {}) as Record<string, unknown>)
    if (asked?.cursor !== undefined || asked === undefined || (asked.filter.state ?? 'open') !== 'open')
      throw new Refusal('invalid-query', { detail: 'start from the whole queue' })
    const { mine, state: _, ...filter } = asked.filter
    const held = mine === 'yes' ? { holder: request.viewer.pseudonym } : {}
    return showPlan(reviewing, request, reply, { asked: { filter: { ...filter, ...held } } })
  })

  app.post('/bulk/decide', AS_ANALYST, async (request, reply) => {
    const { body, viewer } = request
    const begun: { job?: Uuid } = {}
    const refusal = await caught(async () => {
      begun.job = (await review.beginBulk(reviewerOf(viewer), bulkIn(body))).job
    })
    if (begun.job !== undefined) return reply.redirect(links.bulkJob(begun.job), 303)
    const { cases, job } = selectedIn(body)
    return showPlan(reviewing, request, reply.code(refusal?.status ?? 422), { asked: { cases }, job, refusal })
  })
}

/** The form as a job; the reason is checked by the service. */
function bulkIn(body: unknown): Body {
  const { job, item, outcome, note_team, note_shared } = readBulk(body)
  const [verdict = '', reason = ''] = outcome.split('.')
  const text = (note: string): string => note.replaceAll('\r\n', '\n')
  return {
    ...{ job, verdict: verdict as ReviewVerdict, reason },
    ...(note_team !== '' && { note_team: text(note_team) }),
    ...(note_shared !== '' && { note_shared: text(note_shared) }),
    cases: item.map((one) => ({ case: one.slice(0, 36) as Uuid, version: Number(one.slice(37)) })),
  }
}

/** What was selected, however the rest of the form is. */
function selectedIn(body: unknown): { cases: Uuid[]; job: Uuid | undefined } {
  const { item = [], job } = (body ?? {}) as { item?: unknown; job?: unknown }
  const texts = Array.isArray(item) ? item.map(String) : []
  const cases = texts.filter((text) => ITEM.test(text)).map((text) => text.slice(0, 36) as Uuid)
  return {
    cases: [...new Set(cases)].slice(0, BULK_MAX),
    job: typeof job === 'string' && isUuid(job) ? job : undefined,
  }
}

interface Selected {
  asked: Pick<BulkAsked, 'cases' | 'filter'>
  job?: Uuid | undefined
  refusal?: Refusal | undefined
}

const NOTHING: BulkPlan = { changed: 0, proposed: 0, needs_lead: false, results: {}, more: false, cases: [] }

async function showPlan(
  reviewing: Reviewing,
  request: FastifyRequest,
  reply: FastifyReply,
  { asked, job, refusal }: Selected,
): Promise<FastifyReply> {
  const { review, clock } = reviewing
  const { viewer, body } = request
  const plan = asked.cases?.length === 0 ? NOTHING : await planOf(review, request, asked)
  const shown = await casesOf(reviewing, request, plan)
  const page = {
    ...({ title: 'Decide alike', current: 'queue', styles: ['review.css'], scripts: ['review.js'] } as const),
    viewer,
  }
  const view = { viewer, plan, shown, job: job ?? newId(clock()), typed: typedOf(body), refusal }
  return sendPage(reply, page, <BulkPage {...view} />)
}

async function planOf(
  review: Reviewing['review'],
  { viewer, routeOptions }: FastifyRequest,
  asked: Selected['asked'],
): Promise<BulkPlan> {
  const by = { ...reviewerOf(viewer), ...readerOf(viewer, routeOptions.url) }
  return JSON.parse((await review.planBulk(by, asked)).body) as BulkPlan
}

/** What the page says of the first of them: a read like any other. */
async function casesOf(
  { review }: Reviewing,
  { viewer, routeOptions }: FastifyRequest,
  { cases }: BulkPlan,
): Promise<CaseInfo[]> {
  if (cases.length === 0) return []
  const ids = cases.slice(0, CASES_MAX).map((one) => one.case)
  const { body } = await review.some(readerOf(viewer, routeOptions.url), ids)
  return (JSON.parse(body) as CaseList).cases
}
