import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type FieldError, Refusal } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'
import { type CaseList, CaseParams, DecisionParams, DecisionRequest, SecondRequest } from '../../review/schema.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { SecondPage } from '../pages/second.tsx'
import { sendPage } from '../render.tsx'
import { ANALYSTS, giveNext, type Reviewing, readerOf, reviewerOf } from '../reviewing.ts'
import { COUNT_WORDS } from '../words.ts'
import { showCase } from './case.tsx'
import { caught } from './case-acts.tsx'

const AS_ANALYST = { roles: ANALYSTS } as const
const closed = { additionalProperties: false } as const
type Body = Omit<DecisionRequest, 'operator'>

const { operator: _, ...MEMBERS } = DecisionRequest.properties
const DECISION = Compile(Type.Object(MEMBERS, closed))
const readAnswer = formReader(
  Type.Object({ answer: SecondRequest.properties.answer, reason: SecondRequest.properties.reason }, closed),
)

/** What is decided, approved and undone. What was typed comes back with every refusal. */
export const decisionRoutes: FastifyPluginAsync<{ reviewing: Reviewing }> = async (app, { reviewing }) => {
  const { review } = reviewing

  app.post('/cases/:case/decisions', { config: AS_ANALYST, schema: { params: CaseParams } }, async (request, reply) => {
    const { case: id } = request.params as { case: Uuid }
    const typed = typedOf(request.body)
    const by = reviewerOf(request.viewer)
    const refusal = await caught(() => review.decide(by, id, decisionIn(typed)))
    if (refusal !== undefined) return showRefused(reviewing, request, reply, { typed, refusal })
    if (typed['go'] !== 'next') return reply.redirect(links.reviewCase(id), 303)
    const claimed = await giveNext(reviewing, request.viewer)
    return reply.redirect(claimed === undefined ? links.queue() : links.reviewCase(claimed.case), 303)
  })

  app.post(
    '/cases/:case/decisions/:decision/undo',
    { config: AS_ANALYST, schema: { params: DecisionParams } },
    async (request, reply) => {
      const of = request.params as { case: Uuid; decision: Uuid }
      const refusal = await caught(() => review.undo(reviewerOf(request.viewer), of))
      if (refusal !== undefined) return showCase(reviewing, request, reply.code(refusal.status), { refusal })
      return reply.redirect(links.reviewCase(of.case), 303)
    },
  )

  app.post(
    '/cases/:case/decisions/:decision/second',
    { config: AS_ANALYST, schema: { params: DecisionParams } },
    async (request, reply) => {
      const of = request.params as { case: Uuid; decision: Uuid }
      const by = reviewerOf(request.viewer)
      const refusal = await caught(() => {
        const { answer, reason } = readAnswer(request.body)
        return review.second(by, of, { operator: by.who, answer, ...(answer === 'deny' && { reason }) })
      })
      if (refusal !== undefined) return showCase(reviewing, request, reply.code(refusal.status), { refusal })
      return reply.redirect(links.secondReviews(), 303)
    },
  )

  app.get('/second-reviews', { config: AS_ANALYST }, async ({ viewer, routeOptions }, reply) => {
    const { body } = await review.proposals(readerOf(viewer, routeOptions.url))
    const { cases } = JSON.parse(body) as CaseList
    const undoable = await review.undoable(reviewerOf(viewer))
    const jobs = await review.bulkProposals(reviewerOf(viewer).participant)
    const page = {
      viewer,
      title: 'Second review',
      current: 'second',
      styles: ['review.css'],
      scripts: ['review.js'],
    } as const
    return sendPage(reply, page, <SecondPage {...{ viewer, cases, undoable, jobs, now: reviewing.clock() }} />)
  })
}

/** The id of a decision that was refused is kept: sent again, it is the same one. */
function showRefused(
  reviewing: Reviewing,
  request: FastifyRequest,
  reply: FastifyReply,
  { typed, refusal }: { typed: Readonly<Record<string, string>>; refusal: Refusal },
): Promise<FastifyReply> {
  const { decision } = typed
  const again = decision !== undefined && isUuid(decision) && refusal.code !== 'state-conflict' ? { decision } : {}
  return showCase(reviewing, request, reply.code(refusal.status), { typed, refusal, ...again })
}

const TEXTS = ['decision', 'token', 'verdict', 'reason', 'note_team', 'note_shared', 'category_suggested'] as const
const KNOWN: ReadonlySet<string> = new Set([...TEXTS, ...Object.keys(COUNT_WORDS), 'version', 'escalate', 'go'])

/** A form as a decision; every field that is wrong is named, none is guessed. An empty field was not filled in. */
function decisionIn(typed: Readonly<Record<string, string>>): Body {
  const errors: FieldError[] = Object.keys(typed)
    .filter((name) => !KNOWN.has(name))
    .map(() => ({ pointer: '', code: 'validation-failed', detail: 'there is no such field' }))
  const filled = (name: string): string | undefined => {
    // A line ends as the browser sends it; what is stored ends with a line feed.
    const text = typed[name]?.replaceAll('\r\n', '\n').trim()
    return text === '' ? undefined : text
  }
  const counts = Object.keys(COUNT_WORDS).flatMap((name): [string, number][] => {
    const text = filled(name)
    if (text === undefined) return []
    if (!/^[0-9]{1,7}$/.test(text))
      errors.push({ pointer: `/counts/${name}`, code: 'validation-failed', detail: 'a whole number, or empty' })
    return [[name, Number(text)]]
  })
  const texts = TEXTS.flatMap((name): [string, string][] => {
    const text = filled(name)
    return text === undefined ? [] : [[name, text]]
  })
  const body = {
    ...Object.fromEntries(texts),
    ...{ version: Number(typed['version']), ...(counts.length > 0 && { counts: Object.fromEntries(counts) }) },
    ...(typed['escalate'] === 'yes' && { escalate: true }),
  }
  errors.push(...faultsIn(body))
  if (errors.length > 0) throw new Refusal('validation-failed', { errors: onePerField(errors) })
  return body as Body
}

const HINTS: Readonly<Record<string, string>> = {
  verdict: 'choose one',
  reason: 'choose one',
  note_team: 'at most 500 characters, without control characters',
  note_shared: 'at most 500 characters, without control characters',
}

function faultsIn(body: object): FieldError[] {
  if (DECISION.Check(body)) return []
  return [...DECISION.Errors(body)].flatMap(({ instancePath, params }): FieldError[] => {
    const missing = (params as { requiredProperties?: string[] }).requiredProperties
    const pointers = missing === undefined ? [instancePath] : missing.map((name) => `/${name}`)
    return pointers.map((pointer) => ({
      ...{ pointer, code: 'validation-failed' },
      detail: HINTS[pointer.slice(1)] ?? 'not accepted',
    }))
  })
}

/** The first of each field: what is said by hand is said better. */
const onePerField = (errors: readonly FieldError[]): FieldError[] => [
  ...new Map(errors.toReversed().map((error) => [error.pointer, error])).values(),
]
