import type { FastifyInstance } from 'fastify'
import { createEventStreams } from '../../src/feeds/event-stream.ts'
import { feedRoutes } from '../../src/feeds/routes.ts'
import { createInstance, requireScopes } from '../../src/http/instance.ts'
import type { Scope } from '../../src/participants/schema.ts'
import { signalRoutes, uploadRoutes } from '../../src/signals/routes.ts'
import { createUploadStreams } from '../../src/signals/upload-streams.ts'
import type { Party, World } from './world.ts'

export interface TestApp {
  app: FastifyInstance
  /** Who is connected from now on, and what the credential may do. */
  connect(party: Party, scopes?: readonly Scope[]): void
}

const ALL: readonly Scope[] = ['signals:submit', 'feed:read', 'lookup:evaluate', 'lookup:open', 'reveal']

/** The routes of both features on an instance as the partner listener has it; who is connected is given. */
export async function anApp({ signals, uploads, feeds, now }: World): Promise<TestApp> {
  const app = createInstance({
    https: {},
    onFinished: () => {},
    onFault: (error) => {
      throw error
    },
  })
  let peer: { party: Party; scopes: readonly Scope[] } | undefined
  app.decorateRequest('peer')
  app.addHook('onRequest', async (request) => {
    if (peer === undefined) throw new Error('nobody is connected')
    const { participant, slug, uri } = peer.party
    const certificate = { credential: participant, spki: '', leafSha256: '', notAfter: now() }
    request.peer = { participant, slug, uri, ...certificate, scopes: peer.scopes }
  })
  requireScopes(app)
  const uploading = createUploadStreams()
  await app.register(signalRoutes, { signals, uploading })
  await app.register(uploadRoutes, { signals, uploads, uploading })
  const streams = createEventStreams({ events: (...asked) => feeds.events(...asked) })
  await app.register(feedRoutes, { feeds, streams })
  return {
    app,
    connect: (party, scopes = ALL) => {
      peer = { party, scopes }
    },
  }
}
