import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { SlugSchema } from '../../kernel/schema.ts'
import type { ActionName } from '../../participants/action.ts'
import type { ListedGroup } from '../../participants/group.ts'
import { AUDIENCE_MEMBERS_MAX, AudienceModeSchema, LabelSchema } from '../../participants/schema.ts'
import { ADMINISTRATORS, type Administering } from '../administering.ts'
import { formReader, typedOf } from '../form.ts'
import { type Href, links } from '../links.ts'
import { GroupEffectPage, GroupPage, GroupsPage } from '../pages/groups.tsx'
import { pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'

const READERS = { config: { roles: ADMINISTRATORS } } as const
const ADMIN = { config: { roles: ['node_admin'] } } as const
const closed = { additionalProperties: false } as const

const Slugs = Type.Optional(Type.Array(SlugSchema, { maxItems: AUDIENCE_MEMBERS_MAX, uniqueItems: true }))
/** Empty where somebody carries it out. */
const At = Type.Optional(Type.String({ maxLength: 20 }))
const readMade = formReader(
  Type.Object(
    { slug: SlugSchema, name: LabelSchema, mode: AudienceModeSchema, members: Slugs, effective_at: At },
    closed,
  ),
)
const readChosen = formReader(Type.Object({ members: Slugs }, closed))
const readChange = formReader(
  Type.Object(
    {
      ...{ join: Slugs, leave: Slugs, history: Type.Optional(Type.Literal('included')) },
      effective_at: At,
    },
    closed,
  ),
)
const readNothing = formReader(Type.Object({}, closed))

type Of = { Params: { slug: string } }

/** Groups, and what a change of one would do before governance is asked for it. */
export const groupRoutes: FastifyPluginAsync<{ administering: Administering }> = async (app, { administering }) => {
  const { participants, sessions } = administering

  /** Asks another person for an act; answers where the request is shown. */
  const ask = async (request: FastifyRequest, action: ActionName, payload: object): Promise<Href> =>
    links.request((await participants.propose(action, payload, request.viewer.person)).request_id)

  app.get(links.groups(), READERS, async (request, reply) => showAll(administering, reply, request))
  app.post(links.makeGroup(), ADMIN, async (request, reply) => {
    let next: Href | undefined
    const refusal = await pressed(sessions, request, async () => {
      const { members = [], effective_at, ...made } = readMade(request.body)
      next = await ask(request, 'group.create', { ...made, members, ...set(effective_at) })
    })
    return next === undefined ? showAll(administering, reply, request, refusal) : goTo(reply, next)
  })

  app.get<Of>('/groups/:slug', READERS, async (request, reply) => showOne(administering, reply, request))
  app.post<Of>('/groups/:slug/preview', ADMIN, async (request, reply) => {
    const group = await groupOf(administering, request.params.slug)
    const { members = [] } = readChosen(request.body)
    const join = members.filter((slug) => !group.members.includes(slug))
    const leave = group.members.filter((slug) => !members.includes(slug))
    return showEffect(administering, reply, { request, group, join, leave })
  })
  app.post<Of>('/groups/:slug/change', ADMIN, async (request, reply) => {
    const group = await groupOf(administering, request.params.slug)
    const { join = [], leave = [], history, effective_at } = readChange(request.body)
    let next: Href | undefined
    const refusal = await pressed(sessions, request, async () => {
      const { widens } = await participants.groupEffect({ group: group.slug, join, leave })
      if (widens && history === undefined)
        throw new Refusal('audience-widened', { detail: 'say that history is included, or make another group' })
      next = await ask(request, 'group.change', {
        ...{ group: group.slug, join, leave },
        ...(history !== undefined && { history }),
        ...set(effective_at),
      })
    })
    if (next !== undefined) return goTo(reply, next)
    return showEffect(administering, reply, { request, group, join, leave, refusal })
  })
  app.post<Of>('/groups/:slug/end', ADMIN, async (request, reply) => {
    const { slug } = await groupOf(administering, request.params.slug)
    let next: Href | undefined
    const refusal = await pressed(sessions, request, async () => {
      readNothing(request.body)
      next = await ask(request, 'group.end', { group: slug })
    })
    return next === undefined ? showOne(administering, reply, request, refusal) : goTo(reply, next)
  })
}

const set = (effective_at: string | undefined): { effective_at?: string } =>
  effective_at === undefined || effective_at === '' ? {} : { effective_at }

async function groupOf({ participants }: Administering, slug: string): Promise<ListedGroup> {
  const found = (await participants.groups()).find((one) => one.slug === slug)
  if (found === undefined) throw new Refusal('not-found')
  return found
}

async function showAll(
  { participants, clock }: Administering,
  reply: FastifyReply,
  { viewer, body }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const shown = { groups: await participants.groups(), participants: await participants.directory() }
  const page = <GroupsPage {...{ ...shown, viewer, refusal }} once={newId(clock())} typed={typedOf(body)} />
  return sendPage(reply, { viewer, title: 'Groups', current: 'groups', refusal }, page)
}

async function showOne(
  administering: Administering,
  reply: FastifyReply,
  { viewer, body, params }: FastifyRequest<Of>,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const { participants, clock } = administering
  const group = await groupOf(administering, params.slug)
  const everybody = await participants.directory()
  const page = (
    <GroupPage {...{ group, viewer, refusal }} participants={everybody} once={newId(clock())} typed={typedOf(body)} />
  )
  const back = { href: links.groups(), label: 'Groups' }
  return sendPage(reply, { viewer, title: group.name, current: 'groups', back, refusal }, page)
}

interface Effect {
  request: FastifyRequest
  group: ListedGroup
  join: readonly string[]
  leave: readonly string[]
  refusal?: Refusal | undefined
}

async function showEffect(
  { participants, clock }: Administering,
  reply: FastifyReply,
  { request, group, join, leave, refusal }: Effect,
): Promise<FastifyReply> {
  const { viewer, body } = request
  const effect = await participants.groupEffect({ group: group.slug, join: [...join], leave: [...leave] })
  const page = (
    <GroupEffectPage {...{ group, effect, join, leave, viewer, refusal }} once={newId(clock())} typed={typedOf(body)} />
  )
  const back = { href: links.group(group.slug), label: group.name }
  return sendPage(reply, { viewer, title: `Change ${group.name}`, current: 'groups', back, refusal }, page)
}
