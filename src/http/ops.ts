import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyReply } from 'fastify'
import { LIMITS } from './limits.ts'
import { METRICS_TYPE } from './metrics.ts'

/** Whether the node may be sent requests, and each check by name. */
export interface Readiness {
  ok: boolean
  checks: Readonly<Record<string, boolean>>
}

export interface OpsOptions {
  /** Loopback: nobody is asked who they are. */
  host: string
  port: number
  /** Whether the process turns. */
  livez(): boolean
  ready(): Promise<Readiness>
  /** Prometheus' text format. */
  metrics(): Promise<string>
}

export interface Ops {
  /** Resolves to the port, which matters if 0 was asked for. */
  listen(): Promise<number>
  /** From now on `/readyz` answers 503: the node is about to stop. */
  drain(): void
  close(): Promise<void>
}

/** Probes and metrics for the operator of this machine: plain HTTP, GET alone, no values in any answer. */
export function createOps({ host, port, livez, ready, metrics }: OpsOptions): Ops {
  let draining = false
  const app = Fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: 1_024,
    requestTimeout: LIMITS.ops_request_seconds * 1_000,
    keepAliveTimeout: LIMITS.keep_alive_seconds * 1_000,
    http: {
      headersTimeout: LIMITS.ops_request_seconds * 1_000,
      maxHeaderSize: LIMITS.header_bytes,
      connectionsCheckingInterval: 1_000,
    },
    forceCloseConnections: true,
    // Fastify's own answer to a URL that it cannot read quotes it.
    frameworkErrors: (_error, _request, reply) => void notFound(reply),
  })
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store')
  })
  app.setNotFoundHandler((_request, reply) => notFound(reply))
  // What failed is in the node's log; here it might quote a value.
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send({ status: 'failed' }))

  app.get('/livez', (_request, reply) => {
    const alive = livez()
    return reply.code(alive ? 200 : 503).send({ status: alive ? 'alive' : 'stuck' })
  })
  app.get('/readyz', async (_request, reply) => {
    const failing = draining ? ['draining'] : await failingChecks(ready)
    const ok = failing.length === 0
    return reply.code(ok ? 200 : 503).send({ status: ok ? 'ready' : 'not ready', failing })
  })
  app.get('/metrics', async (_request, reply) => reply.type(METRICS_TYPE).send(await metrics()))

  return {
    listen: async () => {
      await app.listen({ host, port })
      return (app.server.address() as AddressInfo).port
    },
    drain: () => {
      draining = true
    },
    close: async () => {
      await app.close()
    },
  }
}

const notFound = (reply: FastifyReply): FastifyReply => reply.code(404).send({ status: 'not found' })

/** A check that does not answer is one that fails. */
async function failingChecks(ready: () => Promise<Readiness>): Promise<string[]> {
  const late = Promise.withResolvers<Readiness>()
  const timer = setTimeout(
    () => late.resolve({ ok: false, checks: { timeout: false } }),
    LIMITS.ops_check_seconds * 1_000,
  )
  const { ok, checks } = await Promise.race([ready(), late.promise])
    .catch((): Readiness => ({ ok: false, checks: { readiness: false } }))
    .finally(() => clearTimeout(timer))
  const failing = Object.keys(checks).filter((name) => checks[name] !== true)
  return ok || failing.length > 0 ? failing : ['readiness']
}
