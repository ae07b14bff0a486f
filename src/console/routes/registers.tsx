import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { ErasureCertificate } from '../../erasure/certificate.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId, type Uuid } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import type { Role } from '../../participants/schema.ts'
import { EXTENSIONS, MATCH_KEYS_MAX, SUBJECT_KINDS, SUBJECT_OUTCOMES } from '../../registers/schema.ts'
import type { SubjectRegister } from '../../registers/subject.ts'
import { instantIn } from '../../reports/period.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { inNameOf } from '../looking.ts'
import { SubjectPage, SubjectsPage } from '../pages/subjects.tsx'
import { pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'
import type { Viewer } from '../viewer.ts'

export interface RegisterRoutesOptions {
  clock: Clock
  subjects: SubjectRegister
  certificate(event: Uuid): Promise<ErasureCertificate>
  sessions: Pick<Sessions, 'once'>
  /** In whose name a search is recorded where the organisation is no participant. */
  programme: Uuid
}

type Named = { Params: { id: string } }

const ROLES: readonly Role[] = ['governance']
const closed = { additionalProperties: false } as const
const Key = Type.String({ pattern: '^[0-9a-f]{64}$' })
const readReceived = formReader(
  Type.Object({ kind: Type.Enum([...SUBJECT_KINDS]), received: Type.String({ maxLength: 10 }) }, closed),
)
const readExtension = formReader(Type.Object({ reason: Type.Enum([...EXTENSIONS]) }, closed))
const readPart = formReader(Type.Object({ participant: UuidSchema }, closed))
const readEnd = formReader(Type.Object({ outcome: Type.Enum([...SUBJECT_OUTCOMES]) }, closed))
/** As the script of the page makes them, or as a person pastes them. */
const readKeys = formReader(
  Type.Object(
    {
      type: Type.Optional(Type.String({ maxLength: 40 })),
      profile: Type.Optional(Type.String({ maxLength: 40 })),
      keys: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: MATCH_KEYS_MAX })),
      lines: Type.Optional(Type.String({ maxLength: 4_500 })),
    },
    closed,
  ),
)

/** Requests of persons; who they are never comes here. */
export const registerRoutes: FastifyPluginAsync<RegisterRoutesOptions> = async (app, options) => {
  const { subjects, sessions } = options
  const config = { roles: ROLES }

  app.get(links.subjects(), { config }, (request, reply) => showAll(options, reply, request))

  app.post(links.receiveSubject(), { config }, async (request, reply) => {
    const { viewer, body } = request
    let id: Uuid | undefined
    const refusal = await pressed(sessions, request, async () => {
      const { kind, received } = readReceived(body)
      id = await subjects.receive(viewer.person, { kind, receivedAt: dayIn(received) })
    })
    if (refusal !== undefined) return showAll(options, reply, request, refusal)
    return goTo(reply, id === undefined ? links.subjects() : links.subject(id))
  })

  app.get<Named>('/registers/subjects/:id', { config }, (request, reply) => showOne(options, reply, request))

  const act = (path: string, work: (viewer: Viewer, id: Uuid, body: unknown) => Promise<unknown>): void => {
    app.post<Named>(`/registers/subjects/:id/${path}`, { config }, async (request, reply) => {
      const { viewer, body, params } = request
      const { id } = params
      if (!isUuid(id)) throw new Refusal('not-found')
      const refusal = await pressed(sessions, request, () => work(viewer, id, body))
      return refusal === undefined ? goTo(reply, links.subject(id)) : showOne(options, reply, request, refusal)
    })
  }
  act('extend', ({ person }, id, body) => subjects.extend(person, id, readExtension(body).reason))
  act('match', (viewer, id, body) => subjects.match(inNameOf(options, viewer), id, keysIn(body)))
  act('erase', ({ person }, id, body) => subjects.propose(person, id, readPart(body).participant))
  act('close', ({ person }, id, body) => subjects.close(person, id, readEnd(body).outcome))

  app.get<Named>('/registers/erasures/:id/certificate', { config }, async ({ params }, reply) => {
    if (!isUuid(params.id)) throw new Refusal('not-found')
    const certificate = await options.certificate(params.id)
    return reply
      .type('application/json')
      .header('content-disposition', `attachment; filename="erasure-${params.id}.json"`)
      .send(`${JSON.stringify(certificate, undefined, 2)}\n`)
  })
}

async function showAll(
  { subjects, clock }: RegisterRoutesOptions,
  reply: FastifyReply,
  { viewer, body }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const now = clock()
  return sendPage(
    reply,
    { viewer, title: 'Requests of persons', current: 'registers', refusal },
    <SubjectsPage
      {...{ requests: await subjects.list(), viewer, now, refusal }}
      once={newId(now)}
      typed={typedOf(body)}
    />,
  )
}

async function showOne(
  { subjects, clock }: RegisterRoutesOptions,
  reply: FastifyReply,
  { viewer, params }: FastifyRequest<Named>,
  refusal?: Refusal,
): Promise<FastifyReply> {
  if (!isUuid(params.id)) throw new Refusal('not-found')
  const found = await subjects.find(params.id)
  const now = clock()
  return sendPage(
    reply,
    {
      ...{ viewer, title: 'Request of a person', current: 'registers', scripts: ['search.js'], styles: ['sent.css'] },
      back: { href: links.subjects(), label: 'Requests of persons' },
      refusal,
    },
    <SubjectPage {...{ ...found, viewer, now, refusal }} once={newId(now)} />,
  )
}

/** The day as an instant, or a refusal that points at the field. */
export function dayIn(text: string): Date {
  const time = instantIn(text)
  if (!Number.isNaN(time)) return new Date(time)
  throw new Refusal('validation-failed', {
    errors: [{ pointer: '/received', code: 'validation-failed', detail: 'a day (UTC), such as 2026-11-20' }],
  })
}

function keysIn(body: unknown): string[] {
  const { keys, lines = '' } = readKeys(body)
  const typed = lines.split(/\s+/).filter((line) => line !== '')
  if (typed.some((key) => !/^[0-9a-f]{64}$/.test(key)))
    throw new Refusal('validation-failed', {
      errors: [{ pointer: '/lines', code: 'validation-failed', detail: 'keys of 64 digits, one a line' }],
    })
  return [...new Set([...(keys ?? []), ...typed])]
}
