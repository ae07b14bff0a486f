import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createMetrics } from '../../src/http/metrics.ts'
import { createOps, type Ops, type OpsOptions } from '../../src/http/ops.ts'

const opened: Ops[] = []
afterEach(async () => {
  for (const ops of opened.splice(0)) await ops.close()
})

const WELL: OpsOptions = {
  host: '127.0.0.1',
  port: 0,
  livez: () => true,
  ready: async () => ({ ok: true, checks: { database: true, schema: true } }),
  metrics: async () => 'aldis_log_size 1\n',
}

async function listen(options: Partial<OpsOptions> = {}): Promise<{ ops: Ops; url: string; port: number }> {
  const ops = createOps({ ...WELL, ...options })
  opened.push(ops)
  const port = await ops.listen()
  return { ops, port, url: `http://127.0.0.1:${port}` }
}

async function ask(url: string): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(url)
  return { status: answer.status, body: await answer.json() }
}

test('a node that is well is alive and ready', async () => {
  const { url } = await listen()
  expect(await ask(`${url}/livez`)).toEqual({ status: 200, body: { status: 'alive' } })
  expect(await ask(`${url}/readyz`)).toEqual({ status: 200, body: { status: 'ready', failing: [] } })
})

test('a node that is stuck is not alive', async () => {
  const { url } = await listen({ livez: () => false })
  expect((await ask(`${url}/livez`)).status).toBe(503)
})

test('checks that fail are named', async () => {
  const { url } = await listen({ ready: async () => ({ ok: false, checks: { database: false, schema: true } }) })
  expect(await ask(`${url}/readyz`)).toEqual({ status: 503, body: { status: 'not ready', failing: ['database'] } })
})

test('a failed check is not ready whatever the verdict, and a bad verdict without a check neither', async () => {
  const lenient = await listen({ ready: async () => ({ ok: true, checks: { schema: false } }) })
  expect((await ask(`${lenient.url}/readyz`)).body).toMatchObject({ failing: ['schema'] })
  const silent = await listen({ ready: async () => ({ ok: false, checks: {} }) })
  expect(await ask(`${silent.url}/readyz`)).toMatchObject({ status: 503, body: { failing: ['readiness'] } })
})

test('a check that throws is not ready and tells no more', async () => {
  const { url } = await listen({ ready: () => Promise.reject(new Error('postgres://canary')) })
  expect(await ask(`${url}/readyz`)).toEqual({ status: 503, body: { status: 'not ready', failing: ['readiness'] } })
})

test('a check that does not answer is not ready', async () => {
  const { url } = await listen({ ready: () => new Promise(() => {}) })
  expect(await ask(`${url}/readyz`)).toMatchObject({ status: 503, body: { failing: ['timeout'] } })
})

test('a node about to stop is alive but not ready', async () => {
  const { ops, url } = await listen()
  ops.drain()
  expect(await ask(`${url}/readyz`)).toMatchObject({ status: 503, body: { failing: ['draining'] } })
  expect((await ask(`${url}/livez`)).status).toBe(200)
})

test('metrics are text for Prometheus; those that fail tell no more', async () => {
  const { url } = await listen()
  const answer = await fetch(`${url}/metrics`)
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(await answer.text()).toBe('aldis_log_size 1\n')
  const broken = await listen({ metrics: () => Promise.reject(new Error('canary')) })
  expect(await ask(`${broken.url}/metrics`)).toEqual({ status: 500, body: { status: 'failed' } })
})

test('nothing else is served, and no other method', async () => {
  const { url } = await listen()
  expect((await fetch(`${url}/canary`)).status).toBe(404)
  expect((await fetch(`${url}/livez`, { method: 'POST' })).status).toBe(404)
  expect((await fetch(`${url}/livez`, { method: 'HEAD' })).status).toBe(404)
  expect(await (await fetch(`${url}/%E0`)).text()).not.toContain('%E0')
})

test('closing cuts a connection that is kept open', async () => {
  const { ops, port } = await listen()
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('error', () => {})
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'data')
  const closed = once(socket, 'close')
  await ops.close()
  await closed
})

const LOG = {
  ...{ size: 10n, signed: 8n, projected: 7n, outbox: 3, checkpointAge: 1.5 },
  ...{ unpublished: 0, witnesses: { wanted: 0, answering: 0 } },
}

test('the real metrics are served: requests by pattern, items by code, the log and the pools', async () => {
  const metrics = createMetrics({
    log: async () => LOG,
    pools: () => ({ app: { total: 5, idle: 2, waiting: 1 } }),
  })
  metrics.request('partner', { method: 'GET', route: '/v1/feeds/:feed', status: 200, took: 30 })
  metrics.request('partner', { method: 'PROPFIND', route: 'unknown', status: 404, took: 1 })
  metrics.submission('stored')
  metrics.signals('accepted', 3)
  metrics.signals('raw-identifier')
  metrics.feedPage(100)
  metrics.lookups({ lookups: 1, keys: 1_000, matches: 2 })
  metrics.handshakeRefused('CERT_HAS_EXPIRED', 4)
  const { url } = await listen({ metrics: metrics.text })
  const lines = new Set((await (await fetch(`${url}/metrics`)).text()).split('\n'))
  for (const line of [
    'aldis_requests_total{listener="partner",method="GET",route="/v1/feeds/:feed",status="200"} 1',
    'aldis_requests_total{listener="partner",method="any",route="unknown",status="404"} 1',
    'aldis_request_seconds_bucket{le="0.05",listener="partner",route="/v1/feeds/:feed"} 1',
    'aldis_request_seconds_bucket{le="0.025",listener="partner",route="/v1/feeds/:feed"} 0',
    'aldis_submissions_total{outcome="stored"} 1',
    'aldis_signals_total{outcome="accepted"} 3',
    'aldis_signals_total{outcome="raw-identifier"} 1',
    'aldis_feed_pages_total 1',
    'aldis_feed_events_total 100',
    'aldis_lookups_total 1',
    'aldis_lookup_keys_total 1000',
    'aldis_lookup_matches_total 2',
    'aldis_handshakes_refused_total{reason="CERT_HAS_EXPIRED"} 4',
    'aldis_log_size 10',
    'aldis_log_unsigned 2',
    'aldis_log_unprojected 3',
    'aldis_log_outbox 3',
    'aldis_checkpoint_age_seconds 1.5',
    'aldis_pool_connections{pool="app",state="busy"} 3',
    'aldis_pool_connections{pool="app",state="waiting"} 1',
    'aldis_source_up{source="log"} 1',
  ]) {
    expect(lines, line).toContain(line)
  }
  expect([...lines].some((line) => line.startsWith('nodejs_eventloop_lag_seconds '))).toBe(true)
})

test('a log that cannot be read leaves its gauges out, and the rest is still served', async () => {
  let broken = false
  const metrics = createMetrics({
    log: async () => {
      if (broken) throw new Error('gone')
      return LOG
    },
  })
  expect(await metrics.text()).toContain('\naldis_log_size 10\n')
  broken = true
  const text = await metrics.text()
  expect(text).not.toMatch(/^aldis_log_size /m)
  expect(text).toContain('aldis_source_up{source="log"} 0')
})

test('reasons of refused handshakes make no series without end', async () => {
  const metrics = createMetrics()
  for (let i = 0; i < 300; i++) metrics.handshakeRefused(`R${i}`)
  const series = (await metrics.text()).match(/^aldis_handshakes_refused_total\{/gm)
  expect(series?.length).toBe(101)
})
