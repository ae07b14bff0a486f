import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { dayOf } from '../../kernel/day.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId } from '../../kernel/ids.ts'
import type { ListedCredential, ListedParticipant } from '../../participants/directory.ts'
import { isLive } from '../../participants/expiry-band.ts'
import { ROLES } from '../../participants/schema.ts'
import { type Administering, mayDetail } from '../administering.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { lookerOf } from '../looking.ts'
import { type Activity, activityOf, ParticipantPage } from '../pages/participant.tsx'
import { CutOffPage, REASONS } from '../pages/participant-cut.tsx'
import { ParticipantsPage } from '../pages/participants.tsx'
import { pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'
import { holdsOne, type Viewer } from '../viewer.ts'
import { MATRIX_READERS } from './matrix.tsx'
import { refuseStale } from './requests.tsx'

const EVERYBODY = { config: { roles: ROLES } } as const
const ADMIN = { config: { roles: ['node_admin'] } } as const
const readReason = formReader(Type.Object({ reason: Type.Enum(Object.keys(REASONS)) }, { additionalProperties: false }))
type OfParticipant = { Params: { slug: string } }
type OfCredential = { Params: { slug: string; id: string } }

/** Who takes part, with which keys, and how somebody is cut off at once. */
export const participantRoutes: FastifyPluginAsync<{ administering: Administering }> = async (
  app,
  { administering },
) => {
  const { participants, sessions } = administering

  app.get(links.participants(), EVERYBODY, async ({ viewer }, reply) => {
    const listed = await participants.directory()
    const activity = await activityFor(administering, viewer)
    const body = <ParticipantsPage {...{ listed, viewer, activity }} />
    return sendPage(reply, { viewer, title: 'Participants', current: 'participants' }, body)
  })

  app.get<OfParticipant>('/participants/:slug', EVERYBODY, async (request, reply) =>
    showParticipant(administering, reply, request),
  )

  app.get<OfParticipant>('/participants/:slug/suspend', ADMIN, async (request, reply) =>
    showCut(administering, reply, { request, participant: await activeOne(administering, request.params.slug) }),
  )
  app.post<OfParticipant>('/participants/:slug/suspend', ADMIN, async (request, reply) => {
    const { viewer, body } = request
    const participant = await activeOne(administering, request.params.slug)
    const refusal = await pressed(sessions, request, async () => {
      refuseStale(viewer)
      const { reason } = readReason(body)
      await participants.suspend(viewer.person, { participant: participant.slug, reason })
    })
    if (refusal === undefined) return goTo(reply, links.participant(participant.slug))
    return showCut(administering, reply, { request, participant, refusal })
  })

  app.get<OfCredential>('/participants/:slug/credentials/:id/revoke', ADMIN, async (request, reply) => {
    const { participant, credential } = await credentialOf(administering, request.params)
    return showCut(administering, reply, { request, participant, credential })
  })
  app.post<OfCredential>('/participants/:slug/credentials/:id/revoke', ADMIN, async (request, reply) => {
    const { viewer, body } = request
    const { participant, credential } = await credentialOf(administering, request.params)
    const refusal = await pressed(sessions, request, async () => {
      refuseStale(viewer)
      const { reason } = readReason(body)
      await participants.revokeCredential(viewer.person, { credential: credential.credential, reason })
    })
    if (refusal === undefined) return goTo(reply, links.participant(participant.slug))
    return showCut(administering, reply, { request, participant, credential, refusal })
  })
}

async function participantOf({ participants }: Administering, slug: string): Promise<ListedParticipant> {
  const found = (await participants.directory()).find((one) => one.slug === slug)
  if (found === undefined) throw new Refusal('not-found')
  return found
}

/** The page of one organisation; with a refusal if there was one. */
export async function showParticipant(
  administering: Administering,
  reply: FastifyReply,
  request: FastifyRequest<OfParticipant>,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const { viewer, params, body } = request
  const participant = await participantOf(administering, params.slug)
  if (!mayDetail(viewer, participant.participant_id)) throw new Refusal('not-found')
  const activity = (await activityFor(administering, viewer))?.get(participant.slug)
  const { connectionsUnder, clock, participants } = administering
  const presented = (await participants.presented()).filter((one) => one.participant === participant.participant_id)
  const now = clock()
  const page = (
    <ParticipantPage
      {...{ participant, viewer, activity, connectionsUnder, presented, now, refusal }}
      once={newId(now)}
      typed={typedOf(body)}
    />
  )
  const back = { href: links.participants(), label: 'Participants' }
  return sendPage(reply, { viewer, title: participant.name, current: 'participants', back, refusal }, page)
}

export async function activeOne(administering: Administering, slug: string): Promise<ListedParticipant> {
  const found = await participantOf(administering, slug)
  if (found.status !== 'active') throw new Refusal('not-found')
  return found
}

async function credentialOf(administering: Administering, { slug, id }: OfCredential['Params']) {
  const participant = await participantOf(administering, slug)
  const credential = isUuid(id) ? participant.credentials.find((one) => one.credential === id) : undefined
  if (credential === undefined || !isLive(credential)) throw new Refusal('not-found')
  return { participant, credential }
}

/** What everybody sent and was sent in 30 days, for who may see the share matrix; one look at it, recorded as such. */
async function activityFor(
  administering: Administering,
  viewer: Viewer,
): Promise<ReadonlyMap<string, Activity> | undefined> {
  const by = lookerOf(administering, viewer)
  if (by === undefined || by.sees === 'metadata' || !holdsOne(viewer, MATRIX_READERS)) return undefined
  const from = dayOf(new Date(administering.clock().getTime() - 29 * 86_400_000))
  return activityOf(await administering.governance.matrix(by, { from }))
}

interface Cut {
  request: FastifyRequest
  participant: ListedParticipant
  credential?: ListedCredential
  refusal?: Refusal
}

/** What would be cut off, before it is; with a refusal if there was one. */
async function showCut(administering: Administering, reply: FastifyReply, cut: Cut): Promise<FastifyReply> {
  const { request, participant, credential, refusal } = cut
  const { viewer } = request
  const standing = await administering.standingOf(participant)
  const now = administering.clock()
  const connections = credential === undefined ? standing.connections : administering.connectionsUnder(credential.spki)
  const body = (
    <CutOffPage
      {...{ participant, credential, viewer, refusal, now }}
      standing={{ ...standing, connections }}
      typed={typedOf(request.body)}
      once={newId(now)}
    />
  )
  const title = credential === undefined ? `Suspend ${participant.name}` : `Revoke a key of ${participant.name}`
  const back = { href: links.participant(participant.slug), label: participant.name }
  return sendPage(reply, { viewer, title, current: 'participants', back, refusal }, body)
}
