import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Told } from './answer.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** What is read at each scrape. */
export interface BridgeState {
  /** Seconds since the last complete synchronisation; undefined before the first. */
  age: number | undefined
  signals: number
  /** Events of the synchronisation that runs. */
  events: number
  outbox: { waiting: number; refused: number; delivered: number; bytes: number }
}

/** Counts and times; no label has a value that a client or the node chose. */
export interface BridgeMetrics {
  text(): Promise<string>
  request(route: string, status: number, tookMs: number): void
  /** Queries by the way they were asked, and what became of them. */
  told(how: string, all: readonly Told[]): void
  /** A signal that another protocol has no form for. */
  withheld(why: string): void
  synced(outcome: string): void
  sent(outcome: string): void
}

export function createBridgeMetrics(state: () => BridgeState): BridgeMetrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers })
  const queries = counter('aldis_bridge_queries_total', 'Queries by way and what became of them', 'how', 'outcome')
  const withheld = counter('aldis_bridge_withheld_total', 'Matches at TLP red, which are not told', 'how')
  const formless = counter('aldis_bridge_formless_total', 'Signals that other protocols are not told, by why', 'why')
  const syncs = counter('aldis_bridge_syncs_total', 'Synchronisations', 'outcome')
  const sent = counter('aldis_bridge_sent_total', 'Entries of the outbox by what became of them', 'outcome')
  const took = new Histogram({
    ...{ name: 'aldis_bridge_request_seconds', help: 'Requests by route and status', registers },
    ...{ labelNames: ['route', 'status'] as const, buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1, 5, 30] },
  })
  const age = gauge('aldis_bridge_mirror_age_seconds', 'Since the last complete synchronisation')
  const signals = gauge('aldis_bridge_mirror_signals', 'Signals that can be matched')
  const events = gauge('aldis_bridge_sync_events', 'Events of the synchronisation that runs, so far')
  const entries = gauge('aldis_bridge_outbox_entries', 'Entries of the outbox', 'state')
  const bytes = gauge('aldis_bridge_outbox_bytes', 'Bytes that wait or were refused')

  const read = (): void => {
    const now = state()
    age.remove()
    if (now.age !== undefined) age.set(now.age)
    signals.set(now.signals)
    events.set(now.events)
    bytes.set(now.outbox.bytes)
    for (const name of ['waiting', 'refused', 'delivered'] as const) entries.set({ state: name }, now.outbox[name])
  }
  return {
    async text() {
      read()
      return registry.metrics()
    },
    request: (route, status, tookMs) => took.observe({ route, status: String(status) }, tookMs / 1_000),
    told(how, all) {
      for (const { outcome, withheld: n = 0 } of all) {
        queries.inc({ how, outcome })
        withheld.inc({ how }, n)
      }
    },
    withheld: (why) => formless.inc({ why }),
    synced: (outcome) => syncs.inc({ outcome }),
    sent: (outcome) => sent.inc({ outcome }),
  }
}
