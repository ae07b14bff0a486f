import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import type { Refusal } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { GOVERNMENT_OUTCOMES } from '../../participants/action.ts'
import type { Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import type { GovernmentRegister } from '../../registers/government.ts'
import { GOVERNMENT_KINDS, REFERENCE_MAX } from '../../registers/schema.ts'
import { formReader, typedOf } from '../form.ts'
import { links } from '../links.ts'
import { GovernmentPage } from '../pages/government.tsx'
import { formsOf } from '../pressed.ts'
import { sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'
import { dayIn } from './registers.tsx'

export interface GovernmentRoutesOptions {
  clock: Clock
  government: GovernmentRegister
  participants: Pick<ParticipantService, 'propose'>
  sessions: Pick<Sessions, 'once'>
}

const ROLES: readonly Role[] = ['governance']
const closed = { additionalProperties: false } as const
const Count = Type.String({ pattern: '^(0|[1-9][0-9]{0,8})$' })
const readReceived = formReader(
  Type.Object(
    {
      country: Type.String({ pattern: '^[A-Z]{2}$' }),
      kind: Type.Enum([...GOVERNMENT_KINDS]),
      asked: Count,
      basis: Type.String({ pattern: '^[a-z][a-z0-9_]{1,62}$' }),
      reference: Type.String({ minLength: 1, maxLength: REFERENCE_MAX }),
      received: Type.String({ maxLength: 10 }),
    },
    closed,
  ),
)
const readEnd = formReader(
  Type.Object({ request: UuidSchema, outcome: Type.Enum([...GOVERNMENT_OUTCOMES]), n: Count }, closed),
)

export const governmentRoutes: FastifyPluginAsync<GovernmentRoutesOptions> = async (app, options) => {
  const { government, participants, sessions } = options
  const config = { roles: ROLES }

  app.get(links.government(), { config }, (request, reply) => show(options, reply, request))

  const act = formsOf(app, {
    ...{ sessions, config },
    show: (request, reply, refusal) => show(options, reply, request, refusal),
  })
  act(links.receiveGovernment(), links.government(), (by, body) => {
    const { asked, received, ...request } = readReceived(body)
    return government.receive(by, { ...request, asked: Number(asked), receivedAt: dayIn(received) })
  })
  act(links.closeGovernment(), links.requests(), (by, body) => {
    const { n, ...end } = readEnd(body)
    return participants.propose('government.close', { ...end, n: Number(n) }, by)
  })
}

async function show(
  { government, clock }: GovernmentRoutesOptions,
  reply: FastifyReply,
  { viewer, body }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const now = clock()
  return sendPage(
    reply,
    {
      ...{ viewer, title: 'Requests of authorities', current: 'registers', refusal },
      back: { href: links.subjects(), label: 'Registers' },
    },
    <GovernmentPage
      {...{ requests: await government.list(), viewer, now, refusal }}
      once={newId(now)}
      typed={typedOf(body)}
    />,
  )
}
