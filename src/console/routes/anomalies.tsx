import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { CASE_NOTE_MAX, CLOSE_REASONS } from '../../anomalies/schema.ts'
import type { Anomalies } from '../../anomalies/service.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId, type Uuid } from '../../kernel/ids.ts'
import { InstantSchema, SlugSchema } from '../../kernel/schema.ts'
import type { Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { personNames } from '../names.ts'
import { AnomaliesPage, SourceHoldPage } from '../pages/anomalies.tsx'
import { formsOf, pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'

export interface AnomalyRoutesOptions {
  clock: Clock
  anomalies: Pick<Anomalies, 'list' | 'lookAt' | 'close'>
  participants: Pick<ParticipantService, 'propose' | 'listPeople'>
  sessions: Pick<Sessions, 'once'>
  /** Live signals of a source since a moment. */
  pending(participant: Uuid, since: Date): Promise<number>
  sources(): readonly { participant_id: Uuid; slug: string }[]
}

type Named = { Params: { id: string } }

const ROLES: readonly Role[] = ['governance']
const closed = { additionalProperties: false } as const
const readNothing = formReader(Type.Object({}, closed))
const readEnd = formReader(
  Type.Object(
    { reason: Type.Enum([...CLOSE_REASONS]), note: Type.Optional(Type.String({ maxLength: CASE_NOTE_MAX })) },
    closed,
  ),
)
const readHold = formReader(Type.Object({ participant: SlugSchema, since: InstantSchema }, closed))
const readRelease = formReader(Type.Object({ participant: SlugSchema }, closed))

export const anomalyRoutes: FastifyPluginAsync<AnomalyRoutesOptions> = async (app, options) => {
  const { anomalies, participants, sessions } = options
  const config = { roles: ROLES }

  app.get(links.anomalies(), { config }, (request, reply) => showAll(options, reply, request))

  const move = (path: string, work: (by: Uuid, id: Uuid, body: unknown) => Promise<void>): void => {
    app.post<Named>(`/anomalies/:id/${path}`, { config }, async (request, reply) => {
      const { viewer, body, params } = request
      const { id } = params
      if (!isUuid(id)) throw new Refusal('not-found')
      const refusal = await pressed(sessions, request, () => work(viewer.person, id, body))
      return refusal === undefined ? goTo(reply, links.anomalies()) : showAll(options, reply, request, { id, refusal })
    })
  }
  move('look', async (by, id, body) => {
    readNothing(body)
    await anomalies.lookAt(by, id)
  })
  move('close', async (by, id, body) => {
    const { reason, note } = readEnd(body)
    await anomalies.close(by, id, { reason, note })
  })

  app.get(links.holdSource(), { config }, (request, reply) => showSource(options, reply, request))

  const propose = formsOf(app, {
    ...{ sessions, config },
    show: (request, reply, refusal) => showSource(options, reply, request, refusal),
  })
  propose(links.proposeHold(), links.requests(), (by, body) => participants.propose('source.hold', readHold(body), by))
  propose(links.proposeRelease(), links.requests(), (by, body) =>
    participants.propose('source.release', readRelease(body), by),
  )
}

async function showAll(
  { anomalies, participants, clock }: AnomalyRoutesOptions,
  reply: FastifyReply,
  { viewer }: FastifyRequest,
  refusal?: { id: Uuid; refusal: Refusal },
): Promise<FastifyReply> {
  const now = clock()
  const nameOf = personNames(viewer, await participants.listPeople())
  const cases = await anomalies.list()
  return sendPage(
    reply,
    { viewer, title: 'Anomalies', current: 'anomalies', refusal: refusal?.refusal },
    <AnomaliesPage {...{ cases, viewer, nameOf, now, refusal }} once={newId(now)} />,
  )
}

async function showSource(
  options: AnomalyRoutesOptions,
  reply: FastifyReply,
  { viewer, query }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const asked = Object.keys(query as object).length === 0 ? undefined : readHold(query)
  const source = options.sources().find(({ slug }) => slug === asked?.participant)
  if (asked !== undefined && source === undefined) throw new Refusal('not-found')
  const pending =
    asked === undefined || source === undefined
      ? undefined
      : await options.pending(source.participant_id, new Date(asked.since))
  const sources = options.sources().map(({ slug }) => slug)
  return sendPage(
    reply,
    {
      ...{ viewer, title: 'Hold a source', current: 'anomalies', refusal },
      back: { href: links.anomalies(), label: 'Anomalies' },
    },
    <SourceHoldPage {...{ sources, asked, pending, viewer, refusal }} once={newId(options.clock())} />,
  )
}
