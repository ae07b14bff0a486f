import { describe, expect, test } from 'vitest'
import { createMetrics, type MetricSources, type PoolState } from '../../src/http/metrics.ts'
import { CATALOGUE, type ErrorCode } from '../../src/kernel/errors.ts'

const LOG = {
  ...{ size: 2n ** 40n, signed: 2n ** 40n - 3n, projected: 2n ** 40n - 5n, outbox: 0, checkpointAge: 0.25 },
  ...{ unpublished: 7.5, witnesses: { wanted: 3, answering: 2 } },
}

/** The samples of our own metrics: name and labels to value. */
async function samples(metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('aldis_'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

const names = (read: ReadonlyMap<string, number>, start: string) =>
  [...read.keys()].filter((key) => key.startsWith(start))

describe('a counter', () => {
  test('goes up by what happened, each label for itself', async () => {
    const metrics = createMetrics()
    const answered = { method: 'GET', route: '/v1/feeds', status: 200, took: 3 }
    metrics.request('partner', answered)
    metrics.request('partner', answered)
    metrics.request('partner', { ...answered, status: 403 })
    metrics.request('enrol', answered)
    metrics.signals('accepted', 998)
    metrics.signals('accepted')
    metrics.signals('item-limit', 2)
    metrics.feedPage(7)
    metrics.feedPage(0)
    const read = await samples(metrics)
    const of = (listener: string, status: number) =>
      read.get(`aldis_requests_total{listener="${listener}",method="GET",route="/v1/feeds",status="${status}"}`)
    expect([of('partner', 200), of('partner', 403), of('enrol', 200)]).toEqual([2, 1, 1])
    expect(read.get('aldis_signals_total{outcome="accepted"}')).toBe(999)
    expect(read.get('aldis_signals_total{outcome="item-limit"}')).toBe(2)
    expect([read.get('aldis_feed_pages_total'), read.get('aldis_feed_events_total')]).toEqual([2, 7])
    expect(read.get('aldis_request_seconds_sum{listener="partner",route="/v1/feeds"}')).toBeCloseTo(0.009)
  })

  test('has one series for every request without a route, whatever the caller invents', async () => {
    const metrics = createMetrics()
    for (let i = 0; i < 50; i++) metrics.request('partner', { method: `M${i}`, route: 'unknown', status: 404, took: 1 })
    const read = await samples(metrics)
    expect(names(read, 'aldis_requests_total')).toEqual([
      'aldis_requests_total{listener="partner",method="any",route="unknown",status="404"}',
    ])
    expect(read.get('aldis_requests_total{listener="partner",method="any",route="unknown",status="404"}')).toBe(50)
  })

  test('of refused handshakes keeps the reasons that it knows when too many come', async () => {
    const metrics = createMetrics()
    metrics.handshakeRefused('CERT_HAS_EXPIRED')
    for (let i = 0; i < 200; i++) metrics.handshakeRefused(`SCAN_${i}`)
    metrics.handshakeRefused('CERT_HAS_EXPIRED', 5)
    const read = await samples(metrics)
    expect(read.get('aldis_handshakes_refused_total{reason="CERT_HAS_EXPIRED"}')).toBe(6)
    expect(read.get('aldis_handshakes_refused_total{reason="other"}')).toBe(101)
  })

  test('takes every code of the catalogue', async () => {
    const metrics = createMetrics()
    const codes = Object.keys(CATALOGUE) as ErrorCode[]
    for (const code of codes) metrics.signals(code)
    expect(names(await samples(metrics), 'aldis_signals_total')).toHaveLength(codes.length)
  })
})

describe('a gauge', () => {
  test('of the log says how far each part is behind', async () => {
    const read = await samples(createMetrics({ log: async () => LOG }))
    const of = (name: string) => read.get(`aldis_${name}`)
    expect([of('log_size'), of('log_unsigned'), of('log_unprojected')]).toEqual([2 ** 40, 3, 5])
    expect([of('log_outbox'), of('checkpoint_age_seconds')]).toEqual([0, 0.25])
    expect([of('unpublished_seconds'), of('witnesses'), of('witnesses_answering')]).toEqual([7.5, 3, 2])
  })

  test('says of each alarm whether it holds', async () => {
    let full = true
    const metrics = createMetrics({ alarms: () => ({ 'disk-full': full, 'log-halted': false }) })
    const of = async (name: string) => (await samples(metrics)).get(`aldis_alarm{name="${name}"}`)
    expect([await of('disk-full'), await of('log-halted')]).toEqual([1, 0])
    full = false
    expect(await of('disk-full')).toBe(0)
  })

  test('is asked for anew at each reading, and is gone with its source', async () => {
    let pools: Record<string, PoolState> = {
      app: { total: 3, idle: 1, waiting: 4 },
      ledger: { total: 1, idle: 1, waiting: 0 },
    }
    const metrics = createMetrics({ pools: () => pools })
    const of = (read: ReadonlyMap<string, number>, state: string) =>
      read.get(`aldis_pool_connections{pool="app",state="${state}"}`)
    const first = await samples(metrics)
    expect([of(first, 'busy'), of(first, 'idle'), of(first, 'waiting')]).toEqual([2, 1, 4])
    pools = { app: { total: 3, idle: 3, waiting: 0 } }
    const second = await samples(metrics)
    expect([of(second, 'busy'), of(second, 'idle'), of(second, 'waiting')]).toEqual([0, 3, 0])
    expect(names(second, 'aldis_pool_connections{pool="ledger"')).toEqual([])
  })

  const broken: readonly [what: string, sources: MetricSources, log: number, pools: number][] = [
    ['no source', {}, 1, 1],
    ['a log that fails', { log: () => Promise.reject(new Error('gone')) }, 0, 1],
    [
      'pools that throw',
      {
        log: async () => LOG,
        pools: () => {
          throw new Error('gone')
        },
      },
      1,
      0,
    ],
  ]
  test.for(broken)('with %s leaves the others as they are', async ([, sources, log, pools]) => {
    const metrics = createMetrics(sources)
    metrics.feedPage(1)
    const read = await samples(metrics)
    expect(read.get('aldis_source_up{source="log"}')).toBe(log)
    expect(read.get('aldis_source_up{source="pools"}')).toBe(pools)
    expect(read.get('aldis_feed_events_total')).toBe(1)
    expect(read.has('aldis_log_size')).toBe(sources.log !== undefined && log === 1)
    expect(names(read, 'aldis_pool_connections')).toEqual([])
  })
})

test('two nodes in one process count apart', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.submission('stored')
  expect((await samples(one)).get('aldis_submissions_total{outcome="stored"}')).toBe(1)
  expect((await samples(other)).has('aldis_submissions_total{outcome="stored"}')).toBe(false)
})

test('each of ours says what it is', async () => {
  const text = await createMetrics({ log: async () => LOG }).text()
  const ours = new Set([...text.matchAll(/^# TYPE (aldis_\w+)/gm)].map(([, name]) => name))
  const helped = new Set([...text.matchAll(/^# HELP (aldis_\w+) \S/gm)].map(([, name]) => name))
  expect(ours.size).toBeGreaterThan(10)
  expect(helped).toEqual(ours)
})
