import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import type { Refusal } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { UuidSchema } from '../../kernel/schema.ts'
import { PAUSE_REASONS } from '../../participants/action.ts'
import type { Role } from '../../participants/schema.ts'
import type { ParticipantService } from '../../participants/service.ts'
import { formReader } from '../form.ts'
import { links } from '../links.ts'
import { FeedPausesPage } from '../pages/feed-pauses.tsx'
import { formsOf } from '../pressed.ts'
import { sendPage } from '../render.tsx'
import type { Sessions } from '../session.ts'

interface FeedPauseRoutesOptions {
  clock: Clock
  participants: Pick<ParticipantService, 'propose' | 'pausableFeeds'>
  sessions: Pick<Sessions, 'once'>
}

const ROLES: readonly Role[] = ['governance']
const closed = { additionalProperties: false } as const
const readPause = formReader(Type.Object({ feed: UuidSchema, reason: Type.Enum([...PAUSE_REASONS]) }, closed))
const readResume = formReader(Type.Object({ feed: UuidSchema }, closed))

/** Feeds of audiences, and what a pause of one would do before another person is asked. */
export const feedPauseRoutes: FastifyPluginAsync<FeedPauseRoutesOptions> = async (app, options) => {
  const { participants, sessions } = options
  const config = { roles: ROLES }
  app.get(links.pauses(), { config }, (request, reply) => show(options, reply, request))

  const propose = formsOf(app, {
    ...{ sessions, config },
    show: (request, reply, refusal) => show(options, reply, request, refusal),
  })
  propose(links.proposePause(), links.requests(), (by, body) => participants.propose('feed.pause', readPause(body), by))
  propose(links.proposeResume(), links.requests(), (by, body) =>
    participants.propose('feed.resume', readResume(body), by),
  )
}

async function show(
  { participants, clock }: FeedPauseRoutesOptions,
  reply: FastifyReply,
  { viewer }: FastifyRequest,
  refusal?: Refusal,
): Promise<FastifyReply> {
  const now = clock()
  const feeds = await participants.pausableFeeds()
  return sendPage(
    reply,
    {
      ...{ viewer, title: 'Pause a feed', current: 'anomalies', refusal },
      back: { href: links.anomalies(), label: 'Anomalies' },
    },
    <FeedPausesPage {...{ feeds, viewer, now, refusal }} once={newId(now)} />,
  )
}
