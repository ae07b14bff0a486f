import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { asParticipant } from '../../src/db/as-participant.ts'
import { poolState } from '../../src/db/connect.ts'
import { createInstance, requireScopes } from '../../src/http/instance.ts'
import { LIMITS } from '../../src/http/limits.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { shedLoad } from '../../src/http/pressure.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { Log } from '../../src/kernel/log.ts'
import type { Parts } from '../../src/parts.ts'
import { signalRoutes } from '../../src/signals/routes.ts'
import { createUploadStreams } from '../../src/signals/upload-streams.ts'
import { driveReads } from './reads.ts'
import { unlogged } from './unlogged.ts'

/** Sealed segments held in memory: different enough from each other, and small beside the node. */
const HELD = 16

/** As long as the real one. */
const HEAD = `1000 ${'A'.repeat(43)}`

/** What the partner listener's figures are compared with, behind the very same hooks. */
export const referenceRoutes =
  (parts: Parts): FastifyPluginAsync =>
  async (app) => {
    constant(app)
    const held: { segments?: readonly Buffer[] } = {}
    app.get<{ Querystring: { bytes: string } }>(
      '/bench/memory',
      { config: { scope: 'public' } },
      async ({ peer, query }, reply) => {
        held.segments ??= await segmentsOf(parts, peer.participant)
        const bytes = Number(query.bytes)
        reply.header('content-length', bytes).type('application/x-ndjson')
        return reply.send(Readable.from(repeated(held.segments, bytes), { objectMode: false }))
      },
    )
    app.get<{ Querystring: { seconds: string; per_second: string; participants: string } }>(
      '/bench/reads',
      { config: { scope: 'public' } },
      async ({ query }) => {
        await parts.authority.refresh()
        const participants = parts.authority.participants().slice(0, Number(query.participants))
        return driveReads(parts, {
          ...{ seconds: Number(query.seconds), perSecond: Number(query.per_second) },
          participants: participants.map(({ participant_id }) => participant_id),
        })
      },
    )
    await app.register(signalRoutes, {
      ...{ prefix: '/bench/unlogged', signals: unlogged(parts), uploading: createUploadStreams() },
    })
  }

function constant(app: FastifyInstance): void {
  app.get('/bench/constant', { config: { scope: 'public' } }, async (_request, reply) =>
    reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send('{"ok":true}'),
  )
}

const segmentsOf = async ({ pools }: Parts, participant: Uuid): Promise<Buffer[]> => {
  const rows = await asParticipant(pools.app, participant, (tx) =>
    tx.selectFrom('feed_segment').select('bytes').orderBy('first_seq').limit(HELD).execute(),
  )
  return rows.length === 0 ? [Buffer.alloc(2 ** 20, 'fruit')] : rows.map(({ bytes }) => bytes)
}

function* repeated(buffers: readonly Buffer[], bytes: number): Generator<Buffer> {
  let left = bytes
  for (let i = 0; left > 0; i = (i + 1) % buffers.length) {
    const next = buffers[i]?.subarray(0, left) ?? Buffer.alloc(0)
    left -= next.length
    yield next
  }
}

/**
 * The constant route over TLS without client certificates, behind what of the partner listener's hooks needs no certificate:
 * scopes, pressure, the log's head in a header, metrics and a line of the node's log.
 */
export async function openPlainListener(
  parts: Parts,
  log: Log,
): Promise<{ origin: string; close(): PromiseLike<unknown> }> {
  const { key, chain } = await parts.certificate()
  const metrics = createMetrics()
  const app = createInstance({
    https: { key, cert: chain, minVersion: 'TLSv1.3' },
    onFinished: ({ id, method, route, status, took, participant, code }) => {
      metrics.request('plain', { method, route, status, took })
      log.info({ listener: 'plain', request_id: id, method, route, status, ms: took, participant, code }, 'request')
    },
    onFault: (error) => log.error({ error }, 'request failed'),
  })
  requireScopes(app)
  await shedLoad(app, {
    ...{ loopDelayMs: LIMITS.event_loop_delay_ms, queue: LIMITS.pool_queue },
    waiting: () => poolState(parts.pools.app).waiting,
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('provenance-checkpoint', HEAD)
  })
  constant(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    origin: `https://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    close: () => app.close(),
  }
}
