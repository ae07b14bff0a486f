import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { NoteSchema, type ReviewVerdict, VERDICTS } from '../../feedback/schema.ts'
import type { Refusal } from '../../kernel/errors.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import type { BulkRequest, BulkResult } from '../../review/bulk.ts'
import { BULK_ALONE, CASES_MAX, type CaseList } from '../../review/schema.ts'
import { formReader, typedOf } from '../form.ts'
import { BulkPage, type Outcome, OutcomesPage, planOf } from '../pages/bulk.tsx'
import { sendPage } from '../render.tsx'
import { ANALYSTS, type Reviewing, readerOf, reviewerOf } from '../reviewing.ts'
import { caught } from './case-acts.tsx'

const AS_ANALYST = { config: { roles: ANALYSTS } } as const
const closed = { additionalProperties: false } as const
const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

const readSelection = formReader(
  Type.Object({ case: Type.Optional(Type.Array(UuidSchema, { maxItems: CASES_MAX, uniqueItems: true })) }, closed),
)
const EmptyOrNote = Type.Union([Type.Literal(''), NoteSchema])
const readBulk = formReader(
  Type.Object(
    {
      item: Type.Array(Type.String({ pattern: `^${UUID}\\.[1-9][0-9]{0,8}\\.${UUID}$` }), {
        minItems: 1,
        maxItems: CASES_MAX,
      }),
      outcome: Type.String({ pattern: `^(${VERDICTS.join('|')})\\.[a-z_]{1,40}$` }),
      note_team: EmptyOrNote,
      note_shared: EmptyOrNote,
    },
    closed,
  ),
)
const readItems = formReader(
  Type.Object(
    { item: Type.Array(Type.String({ pattern: `^${UUID}\\.${UUID}$` }), { minItems: 1, maxItems: CASES_MAX }) },
    closed,
  ),
)

/** Many cases that are decided alike: shown first, then each by itself. */
export const bulkRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review } = reviewing

  app.post('/bulk', AS_ANALYST, async (request, reply) =>
    showPlan(reviewing, request, reply, { cases: readSelection(request.body).case ?? [] }),
  )

  app.post('/bulk/decide', AS_ANALYST, async (request, reply) => {
    const done: { results?: Outcome[]; verdict?: string } = {}
    const refusal = await caught(async () => {
      const bulk = bulkIn(request.body)
      done.verdict = bulk.verdict
      done.results = (await review.decideMany(reviewerOf(request.viewer), bulk)).map(outcomeOf)
    })
    if (refusal !== undefined || done.results === undefined)
      return showPlan(reviewing, request, reply.code(refusal?.status ?? 422), { ...selectedIn(request.body), refusal })
    return showOutcomes(request, reply, {
      outcomes: done.results,
      ...(done.verdict !== undefined && { verdict: done.verdict }),
    })
  })

  app.post('/bulk/undo', AS_ANALYST, async (request, reply) => {
    const results = await review.undoMany(reviewerOf(request.viewer), pairsIn(request.body))
    return showOutcomes(request, reply, { outcomes: results.map(outcomeOf) })
  })

  app.post('/bulk/results', AS_ANALYST, async (request, reply) => {
    const { viewer, routeOptions, body } = request
    const pairs = pairsIn(body)
    const read = await review.some(
      readerOf(viewer, routeOptions.url),
      pairs.map((one) => one.case),
    )
    const { cases } = JSON.parse(read.body) as CaseList
    return reply
      .type('text/csv; charset=utf-8')
      .header('content-disposition', 'attachment; filename="results.csv"')
      .send(tableOf(cases, pairs))
  })
}

/** The form as it is carried out; the reason is checked by the service. */
function bulkIn(body: unknown): BulkRequest {
  const { item, outcome, note_team, note_shared } = readBulk(body)
  const [verdict = '', reason = ''] = outcome.split('.')
  return {
    ...{ verdict: verdict as ReviewVerdict, reason },
    ...(note_team !== '' && { note_team }),
    ...(note_shared !== '' && { note_shared }),
    items: item.map((text) => {
      const [id = '', version = '', decision = ''] = text.split('.')
      return { case: id as Uuid, version: Number(version), decision: decision as Uuid }
    }),
  }
}

const pairsIn = (body: unknown): { case: Uuid; decision: Uuid }[] =>
  readItems(body).item.map((text) => {
    const [id = '', decision = ''] = text.split('.')
    return { case: id as Uuid, decision: decision as Uuid }
  })

/** What was selected, however the rest of the form is. */
function selectedIn(body: unknown): { cases: Uuid[]; decisions: ReadonlyMap<Uuid, Uuid> } {
  const { item = [] } = (body ?? {}) as { item?: unknown }
  const texts = Array.isArray(item) ? item.map(String) : []
  const known = texts.filter((text) => new RegExp(`^${UUID}\\.[0-9]+\\.${UUID}$`).test(text)).slice(0, CASES_MAX)
  const parts = known.map((text) => text.split('.'))
  return {
    cases: parts.map(([id = '']) => id as Uuid),
    decisions: new Map(parts.map(([id = '', , decision = '']) => [id as Uuid, decision as Uuid])),
  }
}

const outcomeOf = (result: BulkResult<{ state: NonNullable<Outcome['state']> }>): Outcome => {
  const { case: id, decision } = result
  return 'done' in result
    ? { case: id, decision, state: result.done.state }
    : { case: id, decision, code: result.code, detail: result.detail }
}

interface Selected {
  cases: readonly Uuid[]
  decisions?: ReadonlyMap<Uuid, Uuid>
  refusal?: Refusal | undefined
}

async function showPlan(
  { review, clock }: Reviewing,
  request: FastifyRequest,
  reply: FastifyReply,
  { cases: ids, decisions = new Map(), refusal }: Selected,
): Promise<FastifyReply> {
  const { viewer, routeOptions, body } = request
  const read = await review.some(readerOf(viewer, routeOptions.url), ids)
  const { cases } = JSON.parse(read.body) as CaseList
  const planned = planOf(cases, viewer, (id) => decisions.get(id) ?? newId(clock()))
  const page = {
    viewer,
    title: 'Decide alike',
    current: 'queue',
    styles: ['review.css'],
    scripts: ['review.js'],
  } as const
  return sendPage(reply, page, <BulkPage {...{ viewer, planned, limit: BULK_ALONE, typed: typedOf(body), refusal }} />)
}

function showOutcomes(
  { viewer }: FastifyRequest,
  reply: FastifyReply,
  told: { outcomes: readonly Outcome[]; verdict?: string },
): FastifyReply {
  const page = { viewer, title: 'Results', current: 'queue', styles: ['review.css'], scripts: ['review.js'] } as const
  return sendPage(reply, page, <OutcomesPage viewer={viewer} {...told} />)
}

/** RFC 4180; nothing in it can be a formula, since every value is an id or a word of the console's own. */
const tableOf = (cases: CaseList['cases'], pairs: readonly { case: Uuid; decision: Uuid }[]): string => {
  const known = new Map(cases.map((one) => [one.case, one]))
  const rows = pairs.map(({ case: id, decision }) => {
    const one = known.get(id)
    return [id, one?.signal ?? '', one?.source ?? '', one?.state ?? 'not there', decision].join(',')
  })
  return [['case', 'signal', 'source', 'state', 'decision'].join(','), ...rows, ''].join('\r\n')
}
