import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { sql } from 'kysely'
import { asParticipant } from '../../src/db/as-participant.ts'
import { poolState } from '../../src/db/connect.ts'
import { createInstance, requireScopes } from '../../src/http/instance.ts'
import { LIMITS } from '../../src/http/limits.ts'
import { createMetrics } from '../../src/http/metrics.ts'
import { shedLoad } from '../../src/http/pressure.ts'
import { createPatternChecker } from '../../src/jobs/pattern-check.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { Log } from '../../src/kernel/log.ts'
import { KID, type Parts } from '../../src/parts.ts'
import type { ProvenanceService, RecordRow } from '../../src/provenance/service.ts'
import { countersign } from '../../src/signals/countersignature.ts'
import { signalRoutes } from '../../src/signals/routes.ts'
import { rulesOf } from '../../src/signals/rules.ts'
import { createSignalService, type SignalService } from '../../src/signals/service.ts'
import { createUploadStreams } from '../../src/signals/upload-streams.ts'
import { driveReads } from './reads.ts'

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
 * Submissions as the node takes them, with a log that writes nothing: no salts, digests or sealed disclosures, no record, no
 * outbox, hence no entry and no feed. Behind it the same checks, the same rows and the same countersignature.
 */
function unlogged(parts: Parts): SignalService {
  const { pools, clock, programme, authority, keys, receiptKid } = parts
  const { slug, node_origin } = programme
  const rules = rulesOf(authority)
  const provenance: ProvenanceService = {
    ...parts.provenance,
    prepare: ({ event_id, participant_id, kind, at }): RecordRow => ({ ...EMPTY, event_id, participant_id, kind, at }),
    // A transaction without any statement on the outbox is rolled back; this one writes no row.
    insert: async (tx) => {
      await sql`with nothing as (select null::uuid as event_id where false)
        insert into prov_outbox (event_id) select event_id from nothing`.execute(tx)
    },
    admit: () => {},
    wake: () => {},
  }
  return createSignalService({
    ...{ db: pools.app, clock, keys, provenance, rules, patterns: createPatternChecker() },
    categoryId: rules.categoryId,
    categorySlug: rules.categorySlug,
    timeoutMs: 10_000,
    verifyContext: ({ participant, uri }) => ({
      ...{ iss: uri, aud: node_origin, prg: slug, now: clock() },
      findKey: (kid) => authority.signingKey(participant, kid),
    }),
    countersign: (input) =>
      countersign(input, { kid: receiptKid, iss: node_origin, sign: (data) => keys.sign(KID.receipt, data) }),
  })
}

const EMPTY = {
  ...{ log_id: 1, payload: '', c: Buffer.alloc(32), body: Buffer.alloc(0), epoch: 0, parties: '', after: null },
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
