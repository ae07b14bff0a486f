import { noteEvent } from '../client/connected.ts'
import type { ActResult, SignedAct } from '../feedback/schema.ts'
import type { Clock } from '../kernel/clock.ts'
import type { HitReport, HitResult } from '../review/schema.ts'
import type { Submission, SubmissionResult } from '../signals/schema.ts'
import { pauseAfter } from './freshness.ts'
import type { Happening } from './keeper.ts'
import type { NodeLink } from './node-link.ts'
import type { Entry, Outbox } from './outbox.ts'
import { verdictOn } from './outbox-rule.ts'

export interface ForwarderOptions {
  outbox: Outbox
  link: NodeLink
  clock: Clock
  random(): number
  tell(happening: Happening): void
}

/** Sends what is in the outbox, one after the other, as often as it takes. */
export interface Forwarder {
  start(): void
  /** There is something to send. */
  wake(): void
  /** The node has answered elsewhere: what waits is tried at once. */
  retry(): void
  stop(): Promise<void>
  /** Why the first entry waits; undefined if it was not tried in vain. */
  waitsFor(): string | undefined
}

/** Between attempts while nothing fails; an entry that comes wakes it. */
const IDLE_MS = 60_000

export function createForwarder({ outbox, link, clock, random, tell }: ForwarderOptions): Forwarder {
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let stopped = true
  let failures = 0
  let waitsFor: string | undefined

  /** Whether to go on with the next. */
  const sendOne = async (entry: Entry, body: string): Promise<boolean> => {
    const { id, kind } = entry
    try {
      const became = await send(link, entry, body)
      outbox.settle(entry, { state: 'delivered', delivered_at: clock().toISOString(), ...became })
      tell({ what: 'sent', kind, id })
    } catch (error) {
      const verdict = verdictOn(error)
      if (verdict === undefined) throw error
      if (verdict.verdict === 'again') {
        failures += 1
        waitsFor = verdict.code
        tell({ what: 'not-sent', code: verdict.code, failures })
        return false
      }
      outbox.settle(entry, { state: 'refused', problem: verdict.problem })
      tell({ what: 'refused', kind, id, code: verdict.problem.code })
    }
    failures = 0
    waitsFor = undefined
    return true
  }

  const once = async (): Promise<void> => {
    for (let next = outbox.next(); next !== undefined && !stopped; next = outbox.next())
      if (!(await sendOne(next.entry, next.body))) break
  }

  const plan = (ms: number): void => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(run, ms)
  }

  function run(): void {
    running ??= once()
      .catch((error: unknown) => {
        failures += 1
        waitsFor = 'internal'
        tell({ what: 'fault', route: 'outbox', code: (error as { code?: string }).code ?? 'internal' })
      })
      .finally(() => {
        running = undefined
        plan(failures === 0 && outbox.next() !== undefined ? 0 : pauseAfter(failures, { intervalMs: IDLE_MS, random }))
      })
  }

  return {
    start() {
      stopped = false
      run()
    },
    wake() {
      if (!stopped && failures === 0) run()
    },
    retry() {
      clearTimeout(timer)
      if (!stopped) run()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
      clearTimeout(timer)
    },
    waitsFor: () => waitsFor,
  }
}

type Became = Pick<Entry, 'results' | 'event'>
type Written = Pick<Entry, 'kind' | 'items' | 'sent'>

/** A signed one is known to the node by its `jti`, hits by their counts: sent twice, each changes something once. */
export async function send(link: NodeLink, entry: Written, body: string): Promise<Became> {
  const client = link.client()
  const value: unknown = JSON.parse(body)
  if (entry.kind === 'submission') return submitted(link, entry, await client.submit(value as Submission))
  if (entry.kind === 'feedback') return acted(link, entry, await client.giveFeedback(value as SignedAct))
  return reported(entry, await client.reportHits(value as HitReport))
}

function submitted({ home }: NodeLink, { items, sent }: Written, told: SubmissionResult): Became {
  if (sent !== undefined) noteEvent({ home }, told, sent)
  const results = told.results.map(({ index, signal, status, code, pointer }) => ({
    line: items[index]?.line ?? index,
    ...(signal === undefined ? {} : { signal }),
    status,
    ...(code === undefined ? {} : { code }),
    ...(pointer === undefined ? {} : { pointer }),
  }))
  return { results, event: told.submission }
}

function acted({ home }: NodeLink, { items, sent }: Written, { event, countersignature }: ActResult): Became {
  if (sent !== undefined) noteEvent({ home }, { submission: event, countersignature }, sent)
  return { results: items.map((item) => ({ ...item, status: 201 })), event }
}

function reported({ items }: Written, { results, event }: HitResult): Became {
  const told = results.map(({ index, status, code, case: id }) => ({
    line: items[index]?.line ?? index,
    status,
    ...(id === undefined ? {} : { case: id }),
    ...(code === undefined ? {} : { code }),
  }))
  return { results: told, event }
}
