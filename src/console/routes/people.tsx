import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import { ROLES, type Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { PeoplePage, PersonPage, type PersonSeen } from '../pages/people.tsx'
import { pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'
import type { Viewer } from '../viewer.ts'

interface PeopleRoutesOptions {
  clock: Clock
  participants: Pick<
    ParticipantService,
    'listPeople' | 'listLogins' | 'addPerson' | 'grantRole' | 'endRole' | 'endPerson'
  >
  sessions: Pick<Sessions, 'once' | 'end' | 'lastSeen'>
}

const closed = { additionalProperties: false } as const
const readName = formReader(Type.Object({ name: Type.String({ minLength: 1, maxLength: 120 }) }, closed))
const readRole = formReader(Type.Object({ role: Type.Enum([...ROLES]) }, closed))
const readNothing = formReader(Type.Object({}, closed))

type Named = { Params: { id: string } }
const ADMINS: readonly Role[] = ['partner_admin', 'node_admin']

/** Of the viewer's own organisation alone: who else is in the programme is not told here. */
export const peopleRoutes: FastifyPluginAsync<PeopleRoutesOptions> = async (app, options) => {
  const { participants, sessions } = options
  const config = { roles: ADMINS }

  app.get(links.people(), { config }, async (request, reply) => showAll(options, reply, request))

  app.post(links.addPerson(), { config }, async (request, reply) => {
    const { viewer, body } = request
    let added: Uuid | undefined
    const refusal = await pressed(sessions, request, async () => {
      const { name } = readName(body)
      const person = { name: name.trim(), organisation: viewer.organisation }
      added = (await participants.addPerson(viewer.person, person)).person_id
    })
    if (added !== undefined) return goTo(reply, links.person(added))
    return showAll(options, reply, request, refusal)
  })

  app.get<Named>('/people/:id', { config }, async (request, reply) => showOne(options, reply, request))

  /** An act on a colleague, then the page of the colleague, with a refusal if there was one. */
  const act = (path: string, work: (by: Uuid, person: Uuid, body: unknown) => Promise<unknown>): void => {
    app.post<Named>(`/people/:id/${path}`, { config }, async (request, reply) => {
      const { viewer, body } = request
      const { person_id } = await personOf(options, viewer, request.params.id)
      const refusal = await pressed(sessions, request, () => work(viewer.person, person_id, body))
      if (refusal !== undefined) return showOne(options, reply, request, refusal)
      return goTo(reply, path === 'leave' ? links.people() : links.person(person_id))
    })
  }
  act('grant', (by, person, body) => participants.grantRole(by, { person, role: readRole(body).role }))
  act('end-role', (by, person, body) => participants.endRole(by, { person, role: readRole(body).role }))
  act('end-sessions', async (by, person, body) => {
    readNothing(body)
    if (by === person) throw new Refusal('policy-refused', { detail: 'end your own sessions in Settings' })
    await sessions.end({ person, reason: 'ended_by_admin' })
  })
  act('leave', async (by, person, body) => {
    readNothing(body)
    await participants.endPerson(by, person)
    // Each would end by itself with its next request; so the list says at once that there is none.
    await sessions.end({ person, reason: 'access_ended' })
  })
}

async function peopleOf({ participants, sessions }: PeopleRoutesOptions, viewer: Viewer): Promise<PersonSeen[]> {
  const people = (await participants.listPeople()).filter(({ organisation }) => organisation === viewer.organisation)
  const logins = await participants.listLogins()
  const seen = await sessions.lastSeen(people.map(({ person_id }) => person_id))
  return people.map((person) => ({
    ...person,
    logins: logins.filter(({ person_id }) => person_id === person.person_id),
    lastSeen: seen.get(person.person_id),
  }))
}

async function personOf(options: PeopleRoutesOptions, viewer: Viewer, id: string): Promise<PersonSeen> {
  const person = (await peopleOf(options, viewer)).find((one) => one.person_id === id && one.active)
  if (person === undefined) throw new Refusal('not-found')
  return person
}

async function showAll(
  options: PeopleRoutesOptions,
  reply: FastifyReply,
  { viewer, body }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const people = await peopleOf(options, viewer)
  const now = options.clock()
  const page = <PeoplePage {...{ people, viewer, now, refusal }} once={newId(now)} typed={typedOf(body)} />
  return sendPage(reply, { viewer, title: 'People', current: 'people', refusal }, page)
}

async function showOne(
  options: PeopleRoutesOptions,
  reply: FastifyReply,
  { viewer, params }: FastifyRequest<Named>,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const person = await personOf(options, viewer, params.id)
  const now = options.clock()
  const page = <PersonPage {...{ person, viewer, now, refusal }} once={newId(now)} />
  const back = { href: links.people(), label: 'People' }
  return sendPage(reply, { viewer, title: person.name, current: 'people', back, refusal }, page)
}
