import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Refusal } from '../../kernel/errors.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import type { ListedParticipant } from '../../participants/directory.ts'
import { LabelSchema, ScopeSchema } from '../../participants/schema.ts'
import type { Administering } from '../administering.ts'
import { formReader } from '../form.ts'
import { type Href, links } from '../links.ts'
import { pressed } from '../pressed.ts'
import { goTo } from '../render.tsx'
import { activeOne, showParticipant } from './participants.tsx'

const ADMIN = { config: { roles: ['node_admin'] } } as const
const closed = { additionalProperties: false } as const
const readInvitation = formReader(
  Type.Object(
    { label: LabelSchema, scopes: Type.Array(ScopeSchema, { minItems: 1, maxItems: 20, uniqueItems: true }) },
    closed,
  ),
)
const readFingerprint = formReader(
  Type.Object({ credential: UuidSchema, fingerprint: Type.String({ maxLength: 128 }) }, closed),
)
const readNothing = formReader(Type.Object({}, closed))

type OfParticipant = { Params: { slug: string } }

/** What an administrator does for one organisation until it works. */
export const joiningRoutes: FastifyPluginAsync<{ administering: Administering }> = async (app, { administering }) => {
  const { participants, sessions } = administering

  /** An act, then the page that follows; refused, the page of the organisation with what was refused. */
  const act = (
    path: string,
    work: (request: FastifyRequest<OfParticipant>, one: ListedParticipant) => Promise<Href>,
  ): void => {
    app.post<OfParticipant>(`/participants/:slug/${path}`, ADMIN, async (request, reply: FastifyReply) => {
      const one = await activeOne(administering, request.params.slug)
      let next: Href | undefined
      const refusal: Refusal | undefined = await pressed(sessions, request, async () => {
        next = await work(request, one)
      })
      return next === undefined ? showParticipant(administering, reply, request, refusal) : goTo(reply, next)
    })
  }
  act('invite', async ({ viewer, body }, { slug }) => {
    const { label, scopes } = readInvitation(body)
    const payload = { participant: slug, label, scopes, read_back: true }
    return links.request((await participants.propose('credential.enrol', payload, viewer.person)).request_id)
  })
  act('read-back', async ({ viewer, body }, { slug }) => {
    await participants.readBack(viewer.person, readFingerprint(body))
    return links.participant(slug)
  })
  act('end-probation', async ({ viewer, body }, { slug }) => {
    readNothing(body)
    const { request_id } = await participants.propose('participant.confirm', { participant: slug }, viewer.person)
    return links.request(request_id)
  })
}
