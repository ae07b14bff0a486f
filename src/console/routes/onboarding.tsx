import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { isUuid, newId, type Uuid } from '../../kernel/ids.ts'
import { SlugSchema } from '../../kernel/schema.ts'
import { CHECKLIST } from '../../participants/checklist.ts'
import type { ListedOnboarding } from '../../participants/onboarding.ts'
import { LabelSchema, ParticipantKindSchema } from '../../participants/schema.ts'
import { ADMINISTRATORS, type Administering } from '../administering.ts'
import { formReader, typedOf } from '../form.ts'
import { type Href, links } from '../links.ts'
import { personNames } from '../names.ts'
import { OnboardingPage, OnboardingsPage } from '../pages/onboarding.tsx'
import { pressed } from '../pressed.ts'
import { goTo, sendPage } from '../render.tsx'

const READERS = { config: { roles: ADMINISTRATORS } } as const
const ADMIN = { config: { roles: ['node_admin'] } } as const
const JUDGES = { config: { roles: ['governance'] } } as const

const closed = { additionalProperties: false } as const
const Item = Type.Enum([...CHECKLIST])
const readBegin = formReader(Type.Object({ slug: SlugSchema, name: LabelSchema, kind: ParticipantKindSchema }, closed))
const Text = Type.Optional(Type.String({ maxLength: 80 }))
const readProvided = formReader(
  Type.Object({ item: Item, digest: Type.String({ maxLength: 64 }), version: Text, signatory: Text }, closed),
)
const Digest = Type.String({ pattern: '^[0-9a-f]{64}$' })
const readJudged = formReader(
  Type.Object({ item: Item, digest: Digest, verdict: Type.Enum(['accepted', 'returned']) }, closed),
)
const readProbation = formReader(Type.Object({ probation_days: Type.String({ pattern: '^[1-9][0-9]{0,2}$' }) }, closed))

type Of = { Params: { id: string } }

/** What an organisation shows before it is admitted, and the request for its admission. */
export const onboardingRoutes: FastifyPluginAsync<{ administering: Administering }> = async (
  app,
  { administering },
) => {
  const { participants, sessions } = administering

  app.get(links.onboardings(), READERS, async (request, reply) => showAll(administering, reply, request))
  app.post(links.openOnboarding(), ADMIN, async (request, reply) => {
    let made: Uuid | undefined
    const refusal = await pressed(sessions, request, async () => {
      made = (await participants.openOnboarding(request.viewer.person, readBegin(request.body))).onboarding
    })
    return made === undefined ? showAll(administering, reply, request, refusal) : goTo(reply, links.onboarding(made))
  })
  app.get<Of>('/onboarding/:id', READERS, async (request, reply) => showOne(administering, reply, request))

  /** An act on one onboarding, then its page or the one that follows, with a refusal if there was one. */
  const act = (
    path: string,
    who: typeof ADMIN | typeof JUDGES,
    work: (request: FastifyRequest<Of>, one: ListedOnboarding) => Promise<Href>,
  ): void => {
    app.post<Of>(`/onboarding/:id/${path}`, who, async (request, reply) => {
      const one = await oneOf(administering, request.params.id)
      let next: Href | undefined
      const refusal = await pressed(sessions, request, async () => {
        next = await work(request, one)
      })
      return next === undefined ? showOne(administering, reply, request, refusal) : goTo(reply, next)
    })
  }
  act('provide', ADMIN, async ({ viewer, body }, { onboarding }) => {
    const { item, ...evidence } = readProvided(body)
    await participants.provideItem(viewer.person, onboarding, item, evidence)
    return links.onboarding(onboarding)
  })
  act('judge', JUDGES, async ({ viewer, body }, { onboarding }) => {
    await participants.judgeItem(viewer.person, onboarding, readJudged(body))
    return links.onboarding(onboarding)
  })
  act('abandon', ADMIN, async ({ viewer }, { onboarding }) => {
    await participants.abandonOnboarding(viewer.person, onboarding)
    return links.onboardings()
  })
  act('admission', ADMIN, async ({ viewer, body }, { onboarding, slug, name, kind }) => {
    const probation_days = Number(readProbation(body).probation_days)
    const payload = { slug, name, kind, onboarding, probation_days }
    return links.request((await participants.propose('participant.admit', payload, viewer.person)).request_id)
  })
}

async function oneOf({ participants }: Administering, id: string): Promise<ListedOnboarding> {
  if (!isUuid(id)) throw new Refusal('not-found')
  return participants.findOnboarding(id)
}

async function showAll(
  { participants, clock }: Administering,
  reply: FastifyReply,
  { viewer, body }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const now = clock()
  const listed = await participants.listOnboardings()
  const page = <OnboardingsPage {...{ listed, viewer, now, refusal }} once={newId(now)} typed={typedOf(body)} />
  return sendPage(reply, { viewer, title: 'Onboarding', current: 'onboarding', refusal }, page)
}

async function showOne(
  administering: Administering,
  reply: FastifyReply,
  { viewer, body, params }: FastifyRequest<Of>,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const { participants, clock } = administering
  const one = await oneOf(administering, params.id)
  const now = clock()
  const nameOf = personNames(viewer, await participants.listPeople())
  const page = <OnboardingPage {...{ one, viewer, now, refusal, nameOf }} once={newId(now)} typed={typedOf(body)} />
  const back = { href: links.onboardings(), label: 'Onboarding' }
  return sendPage(reply, { viewer, title: one.name, current: 'onboarding', back, refusal }, page)
}
