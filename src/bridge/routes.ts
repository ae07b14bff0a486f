import type { IncomingMessage } from 'node:http'
import { Refusal } from '../kernel/errors.ts'
import { isUuid } from '../kernel/ids.ts'
import type { Told } from './answer.ts'
import { bodyOf, bytesOf, expectType } from './body.ts'
import type { Epochs } from './epochs.ts'
import { BRIDGE_LIMITS } from './limits.ts'
import type { Lookups } from './lookup.ts'
import { identifiersIn, matchAll, NO_TOKENS, readQueries } from './matching.ts'
import { type BridgeMetrics, METRICS_TYPE } from './metrics.ts'
import type { Mirrors } from './mirror.ts'
import type { Entry, Outbox } from './outbox.ts'
import type { EntryKind } from './outbox-rule.ts'
import { FeedbackBody, HitsBody, LookupBody, MatchBody, SubmitBody } from './schema.ts'
import type { BridgeSecret } from './secret.ts'
import type { Answer, Route } from './server.ts'
import { answerStream } from './stream.ts'
import type { Writing, Written } from './writing.ts'

export interface RoutesOptions {
  lookups: Lookups
  mirrors: Mirrors
  epochs: Epochs
  outbox: Outbox
  writing: Writing
  metrics: BridgeMetrics
  secret: Pick<BridgeSecret, 'digest'>
  now(): Date
  /** Throws `mirror-stale`. */
  expectFresh(): void
  /** What answers tell of the mirror. */
  mirror(): { synced_at: string | undefined; signals: number }
  /** Why the bridge is not ready, if it is not. */
  unready(): { code: string; detail: string } | undefined
  outboxWaitsFor(): string | undefined
  /** There is something to send. */
  wake(): void
}

const json = (status: number, value: object): Answer => ({ status, body: JSON.stringify(value) })

export function bridgeRoutes(options: RoutesOptions): Route[] {
  return [...probes(options), ...questions(options), ...writes(options), ...outboxRoutes(options)]
}

function probes({ metrics, unready }: RoutesOptions): Route[] {
  return [
    { method: 'GET', path: '/livez', probe: true, answer: async () => json(200, { status: 'ok' }) },
    {
      ...{ method: 'GET', path: '/readyz', probe: true },
      answer: async () => {
        const why = unready()
        return why === undefined ? json(200, { status: 'ok' }) : json(503, { status: 'unready', ...why })
      },
    },
    {
      ...{ method: 'GET', path: '/metrics' },
      answer: async () => ({ status: 200, type: METRICS_TYPE, body: await metrics.text() }),
    },
  ]
}

function questions(options: RoutesOptions): Route[] {
  const { lookups, mirrors, epochs, metrics, expectFresh, mirror } = options
  const [lookupIn, matchIn] = [bodyOf(LookupBody), bodyOf(MatchBody)]
  const match = async (queries: readonly unknown[]): Promise<Told[]> => {
    expectFresh()
    const asked = readQueries(queries)
    // Keys are read from the disk: only for what needs them.
    const tokened = identifiersIn(asked).length === 0 ? NO_TOKENS : epochs.atHome()
    const told = await mirrors.use((open) => matchAll(open, asked, tokened))
    if (told === undefined) throw new Refusal('mirror-stale', { detail: 'there is no match file yet' })
    metrics.told('match', told)
    return told
  }
  const answered = (told: readonly Told[]): Answer =>
    json(200, { mirror: mirror(), results: told.map((one, index) => ({ index, ...one })) })
  return [
    {
      ...{ method: 'POST', path: '/v1/match' },
      answer: async (request) => {
        expectType(request, 'application/json')
        return answered(await match(matchIn(await bytesOf(request)).queries))
      },
    },
    {
      ...{ method: 'POST', path: '/v1/match/stream', stream: true },
      answer: async (request, response) => {
        expectType(request, 'application/x-ndjson')
        expectFresh()
        await answerStream(request, response, match)
        return undefined
      },
    },
    {
      ...{ method: 'POST', path: '/v1/lookup' },
      answer: async (request) => {
        expectType(request, 'application/json')
        const body = lookupIn(await bytesOf(request))
        const { how = 'mirror' } = body
        // What is asked of the node is as fresh as the node is.
        if (how === 'mirror' || how === 'private') expectFresh()
        const told = await lookups.answer(body)
        metrics.told(how, told)
        return answered(told)
      },
    },
  ]
}

function writes({ outbox, writing, secret, now, wake }: RoutesOptions): Route[] {
  const [submitIn, feedbackIn, hitsIn] = [bodyOf(SubmitBody), bodyOf(FeedbackBody), bodyOf(HitsBody)]
  type Made = { written: Written; refused?: { line: number; reason: string }[] }
  const write = (path: string, kind: EntryKind, make: (bytes: Buffer) => Promise<Made>): Route => {
    const under = new Map<string, Promise<Answer>>()
    const once = async (id: string, bytes: Buffer): Promise<Answer> => {
      const digest = secret.digest(kind, bytes)
      const known = outbox.find(id, digest)
      if (known !== undefined) return json(202, { entry: toldEntry(known), replayed: true })
      const { written, refused = [] } = await make(bytes)
      const entry = outbox.add({ id, at: now().toISOString(), digest, ...written })
      wake()
      return json(202, { entry: toldEntry(entry), refused })
    }
    const answer: Route['answer'] = async (request) => {
      expectType(request, 'application/json')
      const id = keyOf(request)
      const bytes = await bytesOf(request)
      // Two with one key at once: the second finds what the first made.
      await under.get(id)?.catch(() => {})
      const answering = once(id, bytes).finally(() => under.get(id) === answering && under.delete(id))
      under.set(id, answering)
      return answering
    }
    return { method: 'POST', path, answer }
  }
  return [
    write('/v1/submit', 'submission', (bytes) => writing.submission(submitIn(bytes))),
    write('/v1/feedback', 'feedback', async (bytes) => ({ written: await writing.feedback(feedbackIn(bytes)) })),
    write('/v1/hits', 'hits', async (bytes) => ({ written: writing.hits(hitsIn(bytes)) })),
  ]
}

function outboxRoutes({ outbox, outboxWaitsFor }: RoutesOptions): Route[] {
  return [
    {
      ...{ method: 'GET', path: '/v1/outbox', query: true },
      answer: async (_request, _response, { query }) => {
        const after = afterIn(query)
        const entries = outbox.list(after, BRIDGE_LIMITS.outbox_page)
        const next = entries.length < BRIDGE_LIMITS.outbox_page ? null : (entries.at(-1)?.seq ?? null)
        const waits_for = outboxWaitsFor() ?? null
        return json(200, { ...outbox.counts(), waits_for, entries: entries.map(toldEntry), next })
      },
    },
    {
      ...{ method: 'GET', path: '/v1/outbox/:id' },
      answer: async (_request, _response, { id }) => {
        const entry = outbox.get(id)
        if (entry === undefined) throw new Refusal('not-found')
        return json(200, toldEntry(entry))
      },
    },
    {
      ...{ method: 'DELETE', path: '/v1/outbox/:id' },
      answer: async (_request, _response, { id }) => {
        outbox.remove(id)
        return json(200, { removed: id })
      },
    },
  ]
}

/** Without what only the bridge needs. */
const toldEntry = ({ digest: _, sent: __, ...entry }: Entry): object => entry

/** By which a repeated request is known; a change names itself. */
function keyOf({ headers }: IncomingMessage): string {
  const key = headers['idempotency-key']
  if (typeof key === 'string' && isUuid(key)) return key
  throw new Refusal('invalid-header', { detail: 'Idempotency-Key is a UUID of your choice, in lower case' })
}

function afterIn(query: URLSearchParams): number {
  const names = [...query.keys()]
  const text = query.get('after') ?? '0'
  if (names.some((name) => name !== 'after') || names.length > 1 || !/^[0-9]{1,12}$/.test(text))
    throw new Refusal('invalid-query', { detail: 'after: the `next` of the page before' })
  return Number(text)
}
