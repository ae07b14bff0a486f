import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { NOTE_MAX } from '../../feedback/schema.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId, type Uuid } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import type { RequestFor } from '../../participants/request-list.ts'
import type { Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import { ACT_WORDS } from '../act-words.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { namesFor } from '../names.ts'
import { CarriedOutPage, RequestPage } from '../pages/request.tsx'
import { aboutOf, RequestsPage } from '../pages/requests.tsx'
import { pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'
import type { Viewer } from '../viewer.ts'

export interface RequestRoutesOptions {
  clock: Clock
  participants: Pick<
    ParticipantService,
    | 'requestsFor'
    | 'endedRequestsFor'
    | 'requestFor'
    | 'listPeople'
    | 'approve'
    | 'reject'
    | 'execute'
    | 'cancel'
    | 'undo'
    | 'differences'
  >
  sessions: Pick<Sessions, 'once'>
}

type Named = { Params: { id: string } }

/** Requests of a page that wait no more. */
const ENDED_PAGE = 50
const Query = Type.Object({ after: Type.Optional(UuidSchema) }, { additionalProperties: false })
const ROLES: readonly Role[] = ['node_admin', 'governance']

export const requestRoutes: FastifyPluginAsync<RequestRoutesOptions> = async (app, options) => {
  const { clock, participants, sessions } = options
  const config = { roles: ROLES }

  app.get(links.requests(), { config, schema: { querystring: Query } }, async ({ viewer, query }, reply) => {
    const { after } = query as Static<typeof Query>
    const open = await participants.requestsFor(viewer.person)
    const ended = await participants.endedRequestsFor(viewer.person, {
      after: after as Uuid | undefined,
      limit: ENDED_PAGE,
    })
    const nameOf = namesFor(viewer, await participants.listPeople())
    const body = <RequestsPage {...{ open, ended, after }} me={viewer.person} nameOf={nameOf} now={clock()} />
    return sendPage(reply, { viewer, title: 'Approvals', current: 'requests' }, body)
  })

  app.get<Named>('/requests/:id', { config }, async ({ viewer, params }, reply) =>
    showOne(options, reply, { viewer, request: await oneOf(options, viewer, params.id) }),
  )

  /** The vote, or the page again with what was refused and everything that was on it. */
  const vote = (how: 'approve' | 'reject') => async (request: FastifyRequest<Named>, reply: FastifyReply) => {
    const { viewer } = request
    const found = await oneOf(options, viewer, request.params.id)
    const refusal = await pressed(sessions, request, async () => {
      refuseStale(viewer)
      if (how === 'approve') await participants.approve(found.request_id, viewer.person, viewer.authTime)
      else await participants.reject(found.request_id, viewer.person, viewer.authTime, denialIn(request.body))
    })
    if (refusal === undefined) return goTo(reply, links.request(found.request_id))
    const { note } = typedOf(request.body)
    return showOne(options, reply, { viewer, request: await oneOf(options, viewer, request.params.id), refusal, note })
  }
  app.post<Named>('/requests/:id/approve', { config }, vote('approve'))
  app.post<Named>('/requests/:id/deny', { config }, vote('reject'))

  app.post<Named>('/requests/:id/cancel', { config }, async (request, reply) => {
    const { viewer } = request
    const found = await oneOf(options, viewer, request.params.id)
    const refusal = await pressed(sessions, request, () => participants.cancel(found.request_id, viewer.person))
    if (refusal === undefined) return goTo(reply, links.request(found.request_id))
    return showOne(options, reply, { viewer, request: found, refusal })
  })

  app.post<Named>('/requests/:id/undo', { config: { roles: ['node_admin'] } }, async (request, reply) => {
    const { viewer } = request
    const found = await oneOf(options, viewer, request.params.id)
    let next: Uuid | undefined
    const refusal = await pressed(sessions, request, async () => {
      next = (await participants.undo(found.request_id, viewer.person)).request_id
    })
    if (refusal !== undefined) return showOne(options, reply, { viewer, request: found, refusal })
    return goTo(reply, next === undefined ? links.requests() : links.request(next))
  })

  app.post<Named>('/requests/:id/execute', { config }, async (request, reply) => {
    const { viewer } = request
    const found = await oneOf(options, viewer, request.params.id)
    let result: unknown
    const refusal = await pressed(sessions, request, async () => {
      refuseStale(viewer)
      result = (await participants.execute(found.request_id, viewer.person)).result
    })
    if (refusal !== undefined) return showOne(options, reply, { viewer, request: found, refusal })
    const body = <CarriedOutPage request={found} result={result} />
    return sendPage(reply, { viewer, title: 'Carried out', current: 'requests' }, body)
  })
}

const readNote = formReader(
  Type.Object({ note: Type.Optional(Type.String({ maxLength: NOTE_MAX })) }, { additionalProperties: false }),
)

/** Undefined where nothing was written. */
function denialIn(body: unknown): string | undefined {
  const text = readNote(body).note?.replaceAll('\r\n', '\n').trim() ?? ''
  return text === '' ? undefined : text
}

/** What takes a proof of a moment ago that it is the person. */
export function refuseStale({ steppedUp }: Viewer): void {
  if (!steppedUp) throw new Refusal('step-up-missing')
}

async function oneOf({ participants }: RequestRoutesOptions, viewer: Viewer, id: string): Promise<RequestFor> {
  const found = isUuid(id) ? await participants.requestFor(viewer.person, id) : undefined
  if (found === undefined) throw new Refusal('not-found')
  return found
}

interface Shown {
  viewer: Viewer
  request: RequestFor
  refusal?: Refusal
  note?: string | undefined
}

async function showOne({ clock, participants }: RequestRoutesOptions, reply: FastifyReply, shown: Shown) {
  const { viewer } = shown
  const now = clock()
  const nameOf = namesFor(viewer, await participants.listPeople())
  const once: Uuid = newId(now)
  const differences = await participants.differences(shown.request)
  const body = <RequestPage {...{ ...shown, nameOf, now, once, differences }} />
  const title = [ACT_WORDS[shown.request.action].title, aboutOf(shown.request)].filter((part) => part !== '').join(': ')
  return sendPage(
    reply,
    {
      viewer,
      title,
      current: 'requests',
      back: { href: links.requests(), label: 'Approvals' },
      refusal: shown.refusal,
    },
    body,
  )
}
