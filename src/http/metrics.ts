import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ErrorCode } from '../kernel/errors.ts'

/** How far the provenance log and what follows it have come, as the database says. */
export interface LogState {
  /** Entries that have an index. */
  size: bigint
  /** Entries under the last checkpoint. */
  signed: bigint
  /** Entries that feeds and look-ups show. */
  projected: bigint
  /** Changes that wait for their index. */
  outbox: number
  /** Seconds since the last published checkpoint was signed. */
  checkpointAge: number
  /** Seconds since the oldest checkpoint was signed that waits to be published. */
  unpublished: number
  /** Of the policy. */
  witnesses: { wanted: number; answering: number }
}

export interface PoolState {
  total: number
  idle: number
  waiting: number
}

/** What is asked for at each scrape. One that throws leaves its gauges out, and is seen in `aldis_source_up`. */
export interface MetricSources {
  log?: () => Promise<LogState>
  /** By the pool's name. */
  pools?: () => Readonly<Record<string, PoolState>>
  /** Whether each alarm holds, by its name. */
  alarms?: () => Readonly<Record<string, boolean>>
}

/** A request by the pattern of its route, `unknown` if it had none; `took` in milliseconds. */
export interface Answered {
  method: string
  route: string
  status: number
  took: number
}

export interface Metrics {
  /** In Prometheus' text format. */
  text(): Promise<string>
  /** A request that a listener has answered. */
  request(listener: string, answered: Answered): void
  submission(outcome: 'stored' | 'refused'): void
  /** Items of submissions: stored, or refused under a code. */
  signals(outcome: 'accepted' | ErrorCode, count?: number): void
  feedPage(events: number): void
  /** A signal that another protocol has no form for, on a page of it. */
  withheld(protocol: 'taxii', why: string): void
  lookups(answered: { lookups: number; keys: number; matches: number }): void
  /** An access token that was given out, by what proved its client. */
  accessToken(how: 'certificate' | 'assertion'): void
  /** A connection refused before there was a request; the reason is a code of Node, OpenSSL or ours. */
  handshakeRefused(reason: string, count?: number): void
}

/** The content type of `Metrics.text`. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]
/** Reasons come from OpenSSL: many, but a scanner must not make series without end. */
const REASONS_MAX = 100

/** Labels are route patterns, codes and names of our own: nothing that a caller chooses. */
export function createMetrics(sources: MetricSources = {}): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counted = counters(registry)
  const refresh = gauges(registry, sources)
  const reasons = new Set<string>()

  return {
    text: async () => {
      await refresh()
      return registry.metrics()
    },
    request: (listener, { method, route, status, took }) => {
      // Without a route the method is the caller's choice.
      counted.requests.inc({ listener, method: route === 'unknown' ? 'any' : method, route, status: String(status) })
      counted.seconds.observe({ listener, route }, took / 1_000)
    },
    submission: (outcome) => counted.submissions.inc({ outcome }),
    signals: (outcome, count = 1) => counted.signals.inc({ outcome }, count),
    feedPage: (events) => {
      counted.pages.inc()
      counted.events.inc(events)
    },
    withheld: (protocol, why) => counted.withheld.inc({ protocol, why }),
    lookups: ({ lookups, keys, matches }) => {
      counted.lookups.inc(lookups)
      counted.keys.inc(keys)
      counted.matches.inc(matches)
    },
    accessToken: (how) => counted.tokens.inc({ how }),
    handshakeRefused: (reason, count = 1) => {
      if (reasons.size < REASONS_MAX) reasons.add(reason)
      counted.handshakes.inc({ reason: reasons.has(reason) ? reason : 'other' }, count)
    },
  }
}

function counters(registry: Registry) {
  const registers = [registry]
  const counter = <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
    new Counter<L>({ name, help, labelNames, registers })
  return {
    withheld: counter('aldis_withheld_total', 'Signals without a form in a protocol, by page', 'protocol', 'why'),
    requests: counter('aldis_requests_total', 'Requests answered', 'listener', 'method', 'route', 'status'),
    seconds: new Histogram({
      name: 'aldis_request_seconds',
      help: 'From the first byte to the end of the answer',
      labelNames: ['listener', 'route'],
      buckets: SECONDS,
      registers,
    }),
    submissions: counter('aldis_submissions_total', 'Submissions', 'outcome'),
    signals: counter('aldis_signals_total', 'Items of submissions, accepted or refused under a code', 'outcome'),
    pages: counter('aldis_feed_pages_total', 'Pages of feeds answered'),
    events: counter('aldis_feed_events_total', 'Events on those pages'),
    lookups: counter('aldis_lookups_total', 'Look-ups answered'),
    keys: counter('aldis_lookup_keys_total', 'Keys asked for'),
    matches: counter('aldis_lookup_matches_total', 'Signals found'),
    tokens: counter('aldis_access_tokens_total', 'Access tokens given out', 'how'),
    handshakes: counter('aldis_handshakes_refused_total', 'Connections refused before a request', 'reason'),
  }
}

/** Reads the sources into gauges; never throws. */
function gauges(registry: Registry, { log, pools, alarms }: MetricSources): () => Promise<void> {
  const gauge = <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge<L>({ name, help, labelNames, registers: [registry] })
  const up = gauge('aldis_source_up', 'Whether this part of the metrics could be read', 'source')
  const logs = {
    size: gauge('aldis_log_size', 'Entries of the provenance log'),
    signed: gauge('aldis_log_unsigned', 'Entries not yet under a checkpoint'),
    projected: gauge('aldis_log_unprojected', 'Entries that feeds and look-ups do not show yet'),
    outbox: gauge('aldis_log_outbox', 'Changes that wait for their index'),
    checkpointAge: gauge('aldis_checkpoint_age_seconds', 'Since the last published checkpoint was signed'),
    unpublished: gauge('aldis_unpublished_seconds', 'Since the oldest checkpoint was signed that is not published'),
    wanted: gauge('aldis_witnesses', 'Witnesses of the policy'),
    answering: gauge('aldis_witnesses_answering', 'Witnesses of the policy that cosigned when they were asked last'),
  }
  const connections = gauge('aldis_pool_connections', 'Connections to the database', 'pool', 'state')

  const alarm = gauge('aldis_alarm', 'Whether an alarm holds', 'name')

  const readLog = async (): Promise<void> => {
    for (const one of Object.values(logs)) one.remove()
    const state = await log?.()
    if (state === undefined) return
    logs.size.set(Number(state.size))
    logs.signed.set(Number(state.size - state.signed))
    logs.projected.set(Number(state.size - state.projected))
    logs.outbox.set(state.outbox)
    logs.checkpointAge.set(state.checkpointAge)
    logs.unpublished.set(state.unpublished)
    logs.wanted.set(state.witnesses.wanted)
    logs.answering.set(state.witnesses.answering)
  }
  const readPools = async (): Promise<void> => {
    connections.reset()
    for (const [pool, { total, idle, waiting }] of Object.entries(pools?.() ?? {})) {
      connections.set({ pool, state: 'busy' }, total - idle)
      connections.set({ pool, state: 'idle' }, idle)
      connections.set({ pool, state: 'waiting' }, waiting)
    }
  }
  const readAlarms = async (): Promise<void> => {
    for (const [name, holds] of Object.entries(alarms?.() ?? {})) alarm.set({ name }, holds ? 1 : 0)
  }
  const readAs = async (source: string, read: () => Promise<void>): Promise<void> => {
    const outcome = await read().then(
      () => 1,
      () => 0,
    )
    up.set({ source }, outcome)
  }
  return async () => {
    await Promise.all([readAs('log', readLog), readAs('pools', readPools), readAlarms()])
  }
}
