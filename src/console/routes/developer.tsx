import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid } from '../../kernel/ids.ts'
import type { SandboxPeer } from '../../sandbox/routes.ts'
import type { SandboxAsk } from '../../sandbox/schema.ts'
import type { Conformance } from '../../sandbox/service.ts'
import type { LimitsInUse } from '../../usage/limits.ts'
import { RequestFilter, RequestQuery } from '../../usage/schema.ts'
import type { RequestLog } from '../../usage/service.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { DeveloperPage } from '../pages/developer.tsx'
import { RequestLogPage } from '../pages/request-log.tsx'
import { SandboxPage, type SandboxView } from '../pages/sandbox.tsx'
import { sendPage } from '../render.tsx'
import type { Viewer } from '../viewer.ts'

interface DeveloperRoutesOptions {
  clock: Clock
  limitsInUse: LimitsInUse
  requestLog: Pick<RequestLog, 'page'>
  conformance: Pick<Conformance, 'runs'>
  /** Of a node that is a sandbox. */
  sandbox?: SandboxPeer | undefined
}

const ROWS = 100
const frame = { current: 'developer', styles: ['review.css'] } as const

const { limit: _, ...ASKED } = RequestQuery.properties
const readQuery = formReader(Type.Object(ASKED, { additionalProperties: false }))
const readAsk = formReader(
  Type.Object(
    {
      do: Type.Enum(['signal', 'revision', 'withdrawal', 'erasure', 'feedback']),
      signal: Type.Optional(Type.String({ maxLength: 36 })),
    },
    { additionalProperties: false },
  ),
)

/** For those who build what an organisation runs: its limits, its requests, a participant to try it against. */
export const developerRoutes: FastifyPluginAsync<DeveloperRoutesOptions> = async (app, options) => {
  const { clock, limitsInUse } = options
  const config = { roles: ['partner_admin'] } as const

  app.get(links.developer(), { config }, async ({ viewer }, reply) => {
    const used = await limitsInUse(ownerOf(viewer).participant)
    return sendPage(reply, { ...frame, viewer, title: 'Developer' }, <DeveloperPage used={used} now={clock()} />)
  })

  app.get(links.requestLog(), { config }, async (request, reply) => showRequests(options, request, reply))

  app.get(links.sandbox(), { config }, async (request, reply) => showSandbox(options, request, reply))

  app.post(links.askSandbox(), { config }, async (request, reply) => {
    const { sandbox } = options
    const owner = ownerOf(request.viewer)
    try {
      if (sandbox === undefined) throw new Refusal('state-conflict', { detail: 'this node is no sandbox' })
      const asked = askedIn(request.body)
      const told = await sandbox.ask(owner, asked)
      return await showSandbox(options, request, reply, { done: { asked: asked.do, told } })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { do: asked = '', signal = '' } = typedOf(request.body)
      return showSandbox(options, request, reply, { refused: { asked, signal, refusal: error } })
    }
  })
}

function ownerOf({ participant, organisation }: Viewer) {
  if (participant === undefined) throw new Refusal('not-found')
  return { participant, slug: organisation }
}

function askedIn(body: unknown): SandboxAsk {
  const { do: what, signal = '' } = readAsk(body)
  if (what === 'signal') return { do: what }
  const id = signal.trim()
  if (isUuid(id)) return { do: what, signal: id }
  const error = { pointer: '/signal', code: 'validation-failed', detail: 'the id of a signal' } as const
  throw new Refusal('validation-failed', { errors: [error] })
}

async function showRequests(
  { requestLog, clock }: DeveloperRoutesOptions,
  { viewer, query }: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { participant } = ownerOf(viewer)
  // An empty field of a form asks for anything.
  const typed = Object.fromEntries(Object.entries(typedOf(query)).filter(([, value]) => value !== ''))
  const page = { ...frame, viewer, title: 'Request log' }
  const shown = Object.fromEntries(Object.entries(typed).filter(([name]) => name in RequestFilter.properties))
  try {
    const { cursor, ...filter } = readQuery(typed)
    const { requests, next_cursor, dropped } = await requestLog.page(participant, {
      ...{ ...filter, limit: ROWS },
      ...(cursor !== undefined && { cursor }),
    })
    const first = cursor === undefined ? undefined : links.requestLog(filter)
    const next = next_cursor === null ? undefined : links.requestLog({ ...filter, cursor: next_cursor })
    return sendPage(reply, page, <RequestLogPage {...{ requests, dropped, filter, first, next, now: clock() }} />)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const refusal = inWords(error)
    const none = { requests: [], dropped: 0, first: undefined, next: undefined, now: clock() }
    return sendPage(
      reply,
      { ...page, refusal },
      <RequestLogPage {...none} filter={shown as RequestFilter} refusal={refusal} />,
    )
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  status: 'one of 2xx, 3xx, 4xx and 5xx',
  code: 'a code of the errors, such as rate-limited',
  route: 'the pattern of a route, such as /v1/feeds/:feed/events',
  request_id: 'the sixteen characters that the answer named',
}

/** What a field of the filter should have been. */
function inWords(refusal: Refusal): Refusal {
  const { code, errors } = refusal
  if (code !== 'validation-failed') return refusal
  const told = errors.map((one) => ({ ...one, detail: EXPECTED[one.pointer.slice(1)] ?? one.detail ?? 'unknown' }))
  return new Refusal(code, { errors: told })
}

async function showSandbox(
  { conformance, clock, sandbox }: DeveloperRoutesOptions,
  { viewer }: FastifyRequest,
  reply: FastifyReply,
  change: Pick<SandboxView, 'done' | 'refused'> = {},
): Promise<FastifyReply> {
  const runs = await conformance.runs(ownerOf(viewer).participant)
  return sendPage(
    reply,
    { ...frame, viewer, title: 'Sandbox', refusal: change.refused?.refusal },
    <SandboxPage {...{ viewer, runs, isOpen: sandbox !== undefined, now: clock(), ...change }} />,
  )
}
