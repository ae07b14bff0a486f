import { setTimeout as delay } from 'node:timers/promises'
import { brotliCompressSync } from 'node:zlib'
import type { Received } from '../../src/client/client.ts'
import type { FeedList } from '../../src/feeds/schema.ts'
import { SEGMENTS_TYPE } from '../../src/feeds/schema.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { AUDIENCE } from '../signals/factory.ts'
import type { TestPki } from '../support/pki.ts'
import { json, type Seen, serve, type TestServer } from './server.ts'
import { aRead, FEED, segmentRead } from './source.ts'

/** What one feed holds and how it is given out; a test changes it between two synchronisations. */
export interface TestFeed {
  feed: string
  events: Received[]
  /** First and last sequence of each sealed segment. */
  sealed: [first: number, last: number][]
  /** First sequence that this reader may see. */
  from: number
  /** Events of a page. */
  page: number
  /** Two persons of the programme have paused it. */
  paused: boolean
}

export const aFeed = (change: Partial<TestFeed> = {}): TestFeed => ({
  ...{ feed: FEED, events: [], sealed: [], from: 1, page: 1_000, paused: false },
  ...change,
})

const seqOf = ({ event }: Received): number => Number(event.seq)

/** A server with the three routes that a mirror asks, over real TLS. Its cursors are plain sequences. */
export function serveFeeds(pki: TestPki, feeds: readonly TestFeed[]): Promise<TestServer> {
  return serve(pki, (request, response) => {
    const url = new URL(request.path, 'https://node')
    const [, , , id, what, first] = url.pathname.split('/')
    if (id === undefined) return json(response, { feeds: feeds.map(listed) })
    const feed = feeds.find((one) => one.feed === decodeURIComponent(id))
    if (feed?.paused === true) return refusePaused(response)
    if (feed !== undefined && what === 'events') return void answerPage(feed, url.searchParams, response)
    const segment = feed?.sealed.find(([at]) => String(at) === first)
    if (feed === undefined || segment === undefined) return refuse(response)
    response.writeHead(200, { 'content-type': SEGMENTS_TYPE })
    response.end(runFrom(feed, segment, Number(url.searchParams.get('count'))))
  })
}

/** Up to so many segments, each where the one before ends. */
function runFrom(feed: TestFeed, [first, last]: [number, number], count: number): Buffer {
  const lines = linesOf(feed.events.filter((one) => seqOf(one) >= first && seqOf(one) <= last))
  const body = brotliCompressSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const head = { first_seq: String(first), size: body.length, cursor: String(last), read: segmentRead(first) }
  const next = count > 1 ? feed.sealed.find(([at]) => at === last + 1) : undefined
  const rest = next === undefined ? [] : [runFrom(feed, next, count - 1)]
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body, ...rest])
}

type Response = Parameters<typeof json>[0]

const refuse = (response: Response): void =>
  json(response, { code: 'not-found', title: 'There is no such object', status: 404 }, 404)

const refusePaused = (response: Response): void =>
  json(response, { code: 'feed-paused', title: 'The feed is paused', status: 503 }, 503, { 'retry-after': '300' })

/** Waits as the node does: until something comes, for as many seconds as were asked. */
async function answerPage(feed: TestFeed, query: URLSearchParams, response: Response): Promise<void> {
  const after = Number(query.get('cursor'))
  const until = performance.now() + Number(query.get('wait') ?? 0) * 1_000
  const isOver = (): boolean => response.destroyed || performance.now() >= until
  while (!feed.events.some((one) => seqOf(one) > after) && !isOver()) await delay(5)
  if (response.destroyed) return
  const rest = feed.events.filter((one) => seqOf(one) > after)
  const page = rest.slice(0, feed.page)
  const last = page.at(-1)
  const body = {
    events: page.map(({ event }) => event),
    submissions: proofsOf(page),
    next_cursor: last === undefined ? String(after) : last.event.seq,
    more: rest.length > page.length,
  }
  json(response, body, 200, page.length === 0 ? {} : { 'provenance-read': aRead(Number(page[0]?.event.seq)) })
}

function listed({ feed, events, sealed, from }: TestFeed): FeedList['feeds'][number] {
  const last_seq = events.at(-1)?.event.seq ?? '0'
  const sealed_seq = String(sealed.at(-1)?.[1] ?? 0)
  const kinds = { kind: 'audience' as const, mode: 'full' as const }
  const names = { feed: feed as Uuid, ...kinds, audience: AUDIENCE, label: 'orchard' }
  return { ...names, from_seq: String(from), last_seq, sealed_seq, start: String(from - 1) }
}

/** Each submission before the first event that it proves. */
function linesOf(events: readonly Received[]): object[] {
  const proofs = proofsOf(events)
  return [...proofs.map((submission) => ({ submission })), ...events.map(({ event }) => event)]
}

const proofsOf = (events: readonly Received[]) => [
  ...new Map(events.flatMap(({ proof }) => (proof === undefined ? [] : [[proof.event, proof]]))).values(),
]

/** What was asked, without the host: `events 0`, `segments 1`. */
export const asked = (requests: readonly Seen[]): string[] =>
  requests.flatMap(({ path }) => {
    const url = new URL(path, 'https://node')
    const [, , , id, what, first] = url.pathname.split('/')
    return id === undefined ? [] : [`${what} ${first ?? url.searchParams.get('cursor')}`]
  })
