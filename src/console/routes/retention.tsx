import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { newId, type Uuid } from '../../kernel/ids.ts'
import { SlugSchema, UuidSchema } from '../../kernel/schema.ts'
import { HOLD_KINDS } from '../../participants/action.ts'
import type { Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import type { LegalHolds } from '../../registers/holds.ts'
import { termsIn } from '../../registers/retention-terms.ts'
import { HOLD_REASONS } from '../../registers/schema.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { RetentionPage, type RetentionView } from '../pages/retention.tsx'
import { formsOf } from '../pressed.ts'
import { sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'

export interface RetentionRoutesOptions {
  clock: Clock
  retention: {
    preview(): Promise<RetentionView['preview']>
    run(): RetentionView['run']
    purge(participant: Uuid): Promise<number>
    policy(): { version: number; body: string }
  }
  holds: LegalHolds
  participants: Pick<ParticipantService, 'propose'>
  sessions: Pick<Sessions, 'once'>
  members(): readonly { participant_id: Uuid; slug: string }[]
}

const ROLES: readonly Role[] = ['governance', 'node_admin']
const closed = { additionalProperties: false } as const
const readOne = formReader(Type.Object({ participant: SlugSchema }, closed))
const readHold = formReader(
  Type.Object(
    { participant: SlugSchema, what: Type.Enum([...HOLD_KINDS]), reason: Type.Enum([...HOLD_REASONS]) },
    closed,
  ),
)
const readLift = formReader(Type.Object({ hold: UuidSchema }, closed))

export const retentionRoutes: FastifyPluginAsync<RetentionRoutesOptions> = async (app, options) => {
  const { retention, participants, sessions, members } = options
  const config = { roles: ROLES }

  app.get(links.retention(), { config }, (request, reply) => show(options, reply, request))

  const act = formsOf(app, {
    ...{ sessions, config },
    show: (request, reply, refusal) => show(options, reply, request, refusal),
  })
  act(links.purge(), links.retention(), async (_by, body) => {
    const { participant } = readOne(body)
    const member = members().find(({ slug }) => slug === participant)
    if (member === undefined) throw new Refusal('not-found')
    await retention.purge(member.participant_id)
  })
  act(links.proposeLegalHold(), links.requests(), (by, body) => participants.propose('hold.place', readHold(body), by))
  act(links.proposeLift(), links.requests(), (by, body) => participants.propose('hold.lift', readLift(body), by))
}

async function show(
  { retention, holds, members, clock }: RetentionRoutesOptions,
  reply: FastifyReply,
  { viewer }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const now = clock()
  const slugs = new Map(members().map(({ participant_id, slug }) => [participant_id, slug]))
  const view: RetentionView = {
    ...{ policy: termsIn(retention.policy()), preview: await retention.preview(), run: retention.run() },
    holds: (await holds.list()).map((one) => ({ ...one, slug: slugs.get(one.participant) ?? '' })),
    ...{ participants: [...slugs.values()].sort(), viewer, now, once: newId(now), refusal },
  }
  return sendPage(reply, { viewer, title: 'Retention', current: 'retention', refusal }, <RetentionPage {...view} />)
}
