import { execFile } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Client, createClient, type Received } from '../../src/client/client.ts'
import { type SyncOptions, syncFeeds } from '../../src/client/mirror.ts'
import type { MirrorLine } from '../../src/client/mirror-lines.ts'
import type { TlsIdentity } from '../../src/client/transport.ts'
import { createVerifier, type Verifier } from '../../src/client/verify.ts'
import { newId } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { anItem, idOf, NOON, textOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { aFeed, asked, serveFeeds, type TestFeed } from './feed-node.ts'
import { closeServers, identityOf, json, serve, type TestServer } from './server.ts'
import { aNode, aRead, aSource, FEED, received, segmentRead } from './source.ts'

const SOURCES = join(import.meta.dirname, '../../src/client')

const apple = aSource('apple')
const node = aNode()
const verifier = createVerifier([apple.info], node.home)

let pki: TestPki
let aspen: TlsIdentity
let dir: string
const clients: Client[] = []

beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-mirror-'))
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await closeServers()
  rmSync(dir, { recursive: true })
})

/** Events in sequence from `seq` on, two and two under one signature. */
async function events(n: number, seq = 1, feed = FEED): Promise<Received[]> {
  const made: Received[] = []
  for (let i = 0; i < n; i += 2) {
    const items = Array.from({ length: Math.min(2, n - i) }, () => textOf(anItem()))
    made.push(...(await received(node, apple, items, { seq: seq + i, feed })))
  }
  return made
}

/** What the node says by itself. */
const anExpiry = (seq: number): Received => {
  const said = { signal: newId(NOON), revision: 1, event: newId(NOON), reason: 'expired' }
  const at = NOON.toISOString()
  return {
    event: { seq: String(seq), type: 'signal.expired', at, feed: FEED, source: 'apple', ...said },
    proof: undefined,
  }
}

function syncWith(server: TestServer, options: Partial<SyncOptions> = {}): Promise<number> {
  const client = createClient({ origin: server.origin, ...aspen })
  clients.push(client)
  return syncFeeds({ client, verifier, dir, ...options })
}

const rawOf = (feed: string = FEED): MirrorLine[] =>
  readFileSync(join(dir, `${feed}.ndjson`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MirrorLine)

/** Each event with what proves it. */
function linesOf(feed: string = FEED): Received[] {
  let last: Received['proof']
  return rawOf(feed).flatMap(({ event, proof }) => {
    last = proof ?? last
    return event === undefined ? [] : [{ event, proof: event.event === last?.event ? last : undefined }]
  })
}

const seqsOf = (feed: string = FEED): number[] => linesOf(feed).map(({ event }) => Number(event.seq))
const upTo = (n: number, from = 1): number[] => Array.from({ length: n - from + 1 }, (_, i) => from + i)

describe('a mirror', () => {
  test('holds every event with its proof, as it came and in its order', async () => {
    const feed = aFeed({ events: [...(await events(5)), anExpiry(6)], page: 2 })
    const server = await serveFeeds(pki, [feed])
    expect(await syncWith(server)).toBe(6)
    expect(linesOf()).toEqual(feed.events)
    expect(asked(server.requests)).toEqual(['events 0', 'events 2', 'events 4'])
  })

  test('asks once what the node lists since where a source is not known, and refuses what is not on that list either', async () => {
    const late = aSource('banana')
    const third = await received(node, late, [textOf(anItem())], { seq: 3 })
    const feed = aFeed({ events: [...(await events(2)), ...third, ...(await events(2, 4))], page: 2 })
    const server = await serveFeeds(pki, [feed])
    const asks: string[] = []
    const relisted = (by: Verifier | undefined) => async () => {
      asks.push('list')
      return by
    }
    for (const by of [undefined, createVerifier([aSource('banana').info], node.home)])
      await expect(syncWith(server, { relisted: relisted(by) })).rejects.toMatchObject({ step: 'source' })
    expect([seqsOf(), asks]).toEqual([
      [1, 2],
      ['list', 'list'],
    ])
    const came: number[] = []
    const anew = createVerifier([apple.info, late.info], node.home)
    const onProgress = ({ events: n }: { events: number }) => void came.push(n)
    rmSync(join(dir, `${FEED}.ndjson`))
    expect(await syncWith(server, { relisted: relisted(anew), onProgress })).toBe(5)
    expect([seqsOf(), asks.length, came]).toEqual([upTo(5), 3, [2, 4, 5]])
  })

  test('has what proves a submission once for what came at once, before the first of its events', async () => {
    const [one, other] = [await events(2), await events(2, 3)]
    const feed = aFeed({ events: [...one, ...other, anExpiry(5)], page: 3 })
    await syncWith(await serveFeeds(pki, [feed]))
    const kinds = rawOf().map(({ event, proof }) => event?.seq ?? `proof ${proof?.event}`)
    const [a, b] = [one[0]?.proof?.event, other[0]?.proof?.event]
    expect(kinds).toEqual([`proof ${a}`, '1', '2', `proof ${b}`, '3', `proof ${b}`, '4', '5'])
  })

  test('tells where what came stands in its file, so that nothing has to be read from there', async () => {
    const feed = aFeed({ events: [...(await events(4)), anExpiry(5)], page: 2 })
    const spans: [number, number, string][] = []
    await syncWith(await serveFeeds(pki, [feed]), { onMirrored: (_, from, to) => spans.push([from, to.bytes, to.seq]) })
    const size = statSync(join(dir, `${FEED}.ndjson`)).size
    expect(spans.map(([, , seq]) => seq)).toEqual(['2', '4', '5'])
    expect(spans.map(([from]) => from)).toEqual([0, ...spans.slice(0, -1).map(([, to]) => to)])
    expect(spans.at(-1)?.[1]).toBe(size)
  })

  test('takes sealed segments first and then pages', async () => {
    const feed = aFeed({
      events: await events(7),
      sealed: [
        [1, 2],
        [3, 6],
      ],
    })
    const server = await serveFeeds(pki, [feed])
    expect(await syncWith(server)).toBe(7)
    expect(linesOf()).toEqual(feed.events)
    expect(asked(server.requests)).toEqual(['segments 1', 'segments 3', 'events 6'])
  })

  test('asks for the next segment ahead, and goes on by pages where there is none', async () => {
    const sealed: TestFeed['sealed'] = [
      [1, 2],
      [4, 5],
    ]
    const server = await serveFeeds(pki, [aFeed({ events: await events(5), sealed })])
    expect(await syncWith(server)).toBe(5)
    expect(seqsOf()).toEqual(upTo(5))
    expect(asked(server.requests)).toEqual(['segments 1', 'segments 3', 'events 2'])
  })

  test('goes on where it stands', async () => {
    const feed = aFeed({ events: await events(3) })
    const server = await serveFeeds(pki, [feed])
    expect([await syncWith(server), await syncWith(server)]).toEqual([3, 0])
    feed.events.push(...(await events(2, 4)))
    expect(await syncWith(server)).toBe(2)
    expect(seqsOf()).toEqual(upTo(5))
    expect(asked(server.requests)).toEqual(['events 0', 'events 3', 'events 3'])
  })

  test('goes on with the other feeds where one is paused, and says so', async () => {
    const feeds = Array.from({ length: 3 }, (_, i) => aFeed({ feed: idOf(920 + i), events: [] }))
    const [first, paused, last] = feeds
    for (const [i, feed] of [first, paused, last].entries()) feed?.events.push(...(await events(2, 1, idOf(920 + i))))
    if (paused !== undefined) paused.paused = true
    const server = await serveFeeds(pki, feeds)
    const said: string[] = []
    expect(await syncWith(server, { onPaused: ({ feed }) => said.push(feed) })).toBe(4)
    expect(said).toEqual([paused?.feed])
    expect(await syncWith(server, { wait: 1, onPaused: ({ feed }) => said.push(feed) })).toBe(0)
    expect(said).toEqual([paused?.feed, paused?.feed])
    if (paused !== undefined) paused.paused = false
    expect(await syncWith(server)).toBe(2)
    expect(seqsOf(paused?.feed)).toEqual([1, 2])
  })

  test('counts what came of a feed before it was paused', async () => {
    const feed = aFeed({ events: await events(3), page: 1 })
    const server = await serveFeeds(pki, [feed])
    const pauseIt = (): void => {
      feed.paused = true
    }
    expect(await syncWith(server, { onEvents: pauseIt })).toBe(1)
    feed.paused = false
    expect(await syncWith(server)).toBe(2)
  })

  test('waits on every feed at once, and what comes in one ends the wait', async () => {
    const feeds = Array.from({ length: 4 }, (_, i) => aFeed({ feed: idOf(910 + i), events: [] }))
    const server = await serveFeeds(pki, feeds)
    const synced = syncWith(server, { wait: 30 })
    await vi.waitFor(
      () => expect(server.requests.filter(({ path }) => path.includes('wait=30'))).toHaveLength(4),
      20_000,
    )
    const [, , third] = feeds
    third?.events.push(...(await events(2, 1, idOf(912))))
    expect(await synced).toBe(2)
    expect(seqsOf(third?.feed)).toEqual([1, 2])
  })

  test('that waits says what goes wrong in one feed, and waits on none any longer', async () => {
    const feeds = [aFeed({ feed: idOf(910) }), aFeed({ feed: idOf(911) })]
    const server = await serveFeeds(pki, feeds)
    const synced = syncWith(server, { wait: 20 })
    await vi.waitFor(
      () => expect(server.requests.filter(({ path }) => path.includes('wait=20'))).toHaveLength(2),
      20_000,
    )
    feeds[1]?.events.push(...(await events(2, 2, idOf(911))))
    await expect(synced).rejects.toMatchObject({ name: 'VerificationFailed', step: 'feed' })
  })

  test('that stands within a segment comes to its end by pages', async () => {
    const feed = aFeed({ events: await events(3) })
    const server = await serveFeeds(pki, [feed])
    await syncWith(server)
    feed.events.push(...(await events(3, 4)))
    feed.sealed = [[1, 5]]
    expect(await syncWith(server)).toBe(3)
    expect(seqsOf()).toEqual(upTo(6))
  })

  test('of a reader who was admitted later begins where that reader may', async () => {
    const feed = aFeed({ events: await events(3, 5), from: 5 })
    const server = await serveFeeds(pki, [feed])
    expect(await syncWith(server)).toBe(3)
    expect(seqsOf()).toEqual([5, 6, 7])
  })

  test('is kept for each feed, and each says how far it is', async () => {
    const plums = idOf(901)
    const feeds = [
      aFeed({ events: await events(2) }),
      aFeed({ feed: plums, events: await events(3, 1, plums), page: 2 }),
    ]
    const progress: string[] = []
    const told: string[] = []
    const reads: string[] = []
    const n = await syncWith(await serveFeeds(pki, feeds), {
      onProgress: (at) => progress.push(`${at.feed === FEED ? 'pears' : 'plums'} ${at.events} ${at.seq}/${at.last}`),
      onEvents: (feed, some) =>
        told.push(`${feed.label} ${some.map(({ authority, event }) => `${event.seq} ${authority}`)}`),
      onRead: (read) => reads.push(read),
    })
    expect(n).toBe(5)
    expect([seqsOf(), seqsOf(plums)]).toEqual([upTo(2), upTo(3)])
    expect(progress).toEqual(['pears 2 2/2', 'plums 2 2/3', 'plums 3 3/3'])
    expect(told).toEqual(['orchard 1 origin,2 origin', 'orchard 1 origin,2 origin', 'orchard 3 origin'])
    expect(reads).toEqual([aRead(1), aRead(1), aRead(3)])
  })

  test('names each read that gave something out with the digest of its text, and none that did not', async () => {
    const server = await serveFeeds(pki, [aFeed({ events: await events(3), sealed: [[1, 3]] })])
    const reads: unknown[] = []
    const onRead = (...named: unknown[]) => void reads.push(named)
    await syncWith(server, { onRead })
    await syncWith(server, { onRead })
    const client = createClient({ origin: server.origin, ...aspen })
    clients.push(client)
    const text = await (await (await client.segments(FEED, 1n, 1)).next())?.body()
    expect(reads).toEqual([[segmentRead(1), sha256(text ?? '').toString('base64url')]])
  })

  test('can be read by its owner alone', async () => {
    const inner = join(dir, 'feeds')
    await syncWith(await serveFeeds(pki, [aFeed({ events: await events(1) })]), { dir: inner })
    expect([statSync(inner).mode & 0o777, statSync(join(inner, `${FEED}.ndjson`)).mode & 0o777]).toEqual([0o700, 0o600])
  })

  test('waits for something new as long as it is told', async () => {
    const server = await serveFeeds(pki, [aFeed()])
    await syncWith(server, { wait: 1 })
    expect(server.requests.map(({ path }) => new URL(path, 'https://node').searchParams.get('wait'))).toContain('1')
  })

  test('ends its waiting when it is told to', async () => {
    const feed = aFeed({ events: await events(1) })
    const listing = await serveFeeds(pki, [feed])
    const abort = new AbortController()
    const silent = await serve(pki, ({ path }, response) => {
      if (path === '/v1/feeds') return json(response, { feeds: [{ ...FEED_LISTED, feed: feed.feed }] })
      abort.abort()
    })
    await expect(syncWith(silent, { signal: abort.signal })).rejects.toMatchObject({ name: 'AbortError' })
    expect(listing.requests).toEqual([])
  })
})

const FEED_LISTED = {
  kind: 'audience',
  audience: null,
  label: 'orchard',
  from_seq: '1',
  last_seq: '0',
  sealed_seq: '0',
  start: '0',
}

describe('after a crash', () => {
  async function synced(n: number): Promise<{ feed: TestFeed; server: TestServer }> {
    const feed = aFeed({ events: await events(n), page: 2 })
    const server = await serveFeeds(pki, [feed])
    await syncWith(server)
    return { feed, server }
  }
  const file = (ending: string): string => join(dir, `${FEED}.${ending}`)

  test('what stands behind the noted place comes again, once', async () => {
    const { feed, server } = await synced(4)
    appendFileSync(file('ndjson'), '{"event":{"seq":"5","ty')
    feed.events.push(...(await events(2, 5)))
    expect(await syncWith(server)).toBe(2)
    expect(linesOf()).toEqual(feed.events)
  })

  test('events that were written and not noted come again, once', async () => {
    const { feed, server } = await synced(2)
    const noted = readFileSync(file('json'))
    feed.events.push(...(await events(2, 3)))
    await syncWith(server)
    writeFileSync(file('json'), noted)
    expect(await syncWith(server)).toBe(2)
    expect(linesOf()).toEqual(feed.events)
  })

  test('what was verified before an answer that does not hold is noted, and does not come again', async () => {
    const feed = aFeed({ events: await events(4), page: 2 })
    const [, , third] = feed.events
    const good = third?.event
    if (third === undefined || good === undefined) throw new Error('four events')
    third.event = { ...good, item: `${good.item} ` }
    const server = await serveFeeds(pki, [feed])
    await expect(syncWith(server)).rejects.toMatchObject({ step: 'source' })
    third.event = good
    expect(await syncWith(server)).toBe(2)
    expect(linesOf()).toEqual(feed.events)
  })

  test('before anything was noted it begins anew', async () => {
    writeFileSync(file('ndjson'), '{"event":{"seq":"1"')
    const { feed } = await synced(3)
    expect(linesOf()).toEqual(feed.events)
  })

  test('a mirror that stands beyond its feed, which a restored backup set back, is filled anew', async () => {
    const { feed, server } = await synced(4)
    feed.events = [...feed.events.slice(0, 2), ...(await events(1, 3))]
    expect(await syncWith(server)).toBe(3)
    expect(linesOf()).toEqual(feed.events)
    expect(await syncWith(server)).toBe(0)
  })

  test.for<[string, () => void]>([
    ['was lost', () => rmSync(file('ndjson'))],
    ['lost its end', () => truncateSync(file('ndjson'), 10)],
  ])('a mirror whose file %s is filled anew, and never with blanks', async ([, lose]) => {
    const { feed, server } = await synced(4)
    lose()
    expect(await syncWith(server)).toBe(4)
    expect(linesOf()).toEqual(feed.events)
  })
})

test('a disk that is full ends the run, and what did not fit comes with the next', async () => {
  const feed = aFeed({ events: await events(20) })
  const server = await serveFeeds(pki, [feed])
  const program = `
    import { createClient } from ${JSON.stringify(join(SOURCES, 'client.ts'))}
    import { syncFeeds } from ${JSON.stringify(join(SOURCES, 'mirror.ts'))}
    const client = createClient(${JSON.stringify({ origin: server.origin, ...aspen })})
    const verifier = { event: ({ event }) => ({ event, authority: 'node', item: undefined }) }
    await syncFeeds({ client, verifier, dir: ${JSON.stringify(dir)} })
  `
  // No file of the child may grow beyond 4 or 8 KiB, and the events are more: its first write ends there.
  const limited = 'ulimit -f 8 && exec "$0" --input-type=module-typescript --eval "$1"'
  await expect(promisify(execFile)('/bin/sh', ['-c', limited, process.execPath, program])).rejects.toThrow('EFBIG')
  expect(await syncWith(server)).toBe(20)
  expect(linesOf()).toEqual(feed.events)
}, 20_000)

describe('nothing is kept of an answer', () => {
  const FEED_STEP = expect.objectContaining({ step: 'feed' })

  async function kept(feed: TestFeed, expected: unknown): Promise<number[]> {
    await expect(syncWith(await serveFeeds(pki, [feed]))).rejects.toThrow(expected as Error)
    return seqsOf()
  }

  test('with an event that does not verify', async () => {
    const all = await events(4)
    const [, , third] = all
    if (third !== undefined) third.event = { ...third.event, item: `${third.event.item} ` }
    expect(await kept(aFeed({ events: all, page: 2 }), expect.objectContaining({ step: 'source' }))).toEqual([1, 2])
  })

  test('that carries the event of another feed', async () => {
    const all = await events(2, 1, idOf(777))
    expect(await kept(aFeed({ events: all }), FEED_STEP)).toEqual([])
  })
  test('that carries a signal which its source shared with another audience', async () => {
    const all = await received(node, apple, [textOf(anItem({ audience: idOf(778) }))], { seq: 1, feed: FEED })
    expect(await kept(aFeed({ events: all }), FEED_STEP)).toEqual([])
  })
  test('with an event whose submission is missing', async () => {
    const all = (await events(2)).map(({ event }) => ({ event, proof: undefined }))
    expect(await kept(aFeed({ events: all }), expect.objectContaining({ step: 'source' }))).toEqual([])
  })

  test('that passes over an event', async () => {
    const all = await events(4)
    expect(await kept(aFeed({ events: all.toSpliced(1, 1) }), FEED_STEP)).toEqual([])
  })

  test('that passes over an event between two pages', async () => {
    const all = await events(4)
    expect(await kept(aFeed({ events: all.toSpliced(2, 1), page: 2 }), FEED_STEP)).toEqual([1, 2])
  })

  test('that passes over the first event that the reader may see', async () => {
    const all = await events(4)
    expect(await kept(aFeed({ events: all.slice(1) }), FEED_STEP)).toEqual([])
  })

  test('that passes over an event in a sealed segment', async () => {
    const all = await events(6)
    const sealed: TestFeed['sealed'] = [
      [1, 2],
      [3, 6],
    ]
    expect(await kept(aFeed({ events: all.toSpliced(3, 1), sealed }), FEED_STEP)).toEqual([1, 2])
  })

  test('that passes over an event in a sealed segment while the next one is under way', async () => {
    const all = await events(8)
    const sealed: TestFeed['sealed'] = [
      [1, 2],
      [3, 6],
      [7, 8],
    ]
    const server = await serveFeeds(pki, [aFeed({ events: all.toSpliced(3, 1), sealed })])
    await expect(syncWith(server)).rejects.toThrow(FEED_STEP)
    expect(seqsOf()).toEqual([1, 2])
  })

  test('that gives an event twice', async () => {
    const all = await events(2)
    expect(await kept(aFeed({ events: [...all, ...all.slice(1)] }), FEED_STEP)).toEqual([])
  })

  test('that turns the order', async () => {
    const all = await events(2)
    expect(await kept(aFeed({ events: all.toReversed() }), FEED_STEP)).toEqual([])
  })

  test('that is a sealed segment without events', async () => {
    const all = await events(3)
    const sealed: TestFeed['sealed'] = [[1, 3]]
    const feed = aFeed({ events: all, sealed })
    const server = await serve(pki, ({ path }, response) => {
      if (path === '/v1/feeds') return json(response, { feeds: [{ ...FEED_LISTED, feed: FEED, sealed_seq: '3' }] })
      response.writeHead(200, { 'feed-cursor': '3', 'provenance-read': segmentRead(1) })
      // The empty stream of brotli.
      response.end(Buffer.of(0x06))
    })
    await expect(syncWith(server)).rejects.toThrow(FEED_STEP)
    expect([asked(server.requests), seqsOf(), feed.sealed]).toEqual([['segments 1'], [], sealed])
  })

  test('of a feed whose name would leave the folder', async () => {
    const inner = join(dir, 'feeds')
    mkdirSync(inner)
    writeFileSync(join(dir, 'membership.json'), 'pear')
    for (const feed of ['../membership', '..', '/tmp/pear', '']) {
      const server = await serve(pki, (_, response) => json(response, { feeds: [{ ...FEED_LISTED, feed }] }))
      await expect(syncWith(server, { dir: inner })).rejects.toThrow(FEED_STEP)
    }
    expect(readFileSync(join(dir, 'membership.json'), 'utf8')).toBe('pear')
    expect(readdirSync(dir).toSorted()).toEqual(['feeds', 'membership.json'])
    expect(readdirSync(inner)).toEqual([])
  })
})

test('what the node refuses is told with its code', async () => {
  const server = await serve(pki, ({ path }, response) => {
    if (path === '/v1/feeds') return json(response, { feeds: [{ ...FEED_LISTED, feed: FEED, sealed_seq: '3' }] })
    if (path.includes('/events')) return json(response, { events: [], submissions: [], next_cursor: '3', more: false })
    json(response, { code: 'scope-missing', title: 'The credential lacks the scope', status: 403 }, 403)
  })
  await expect(syncWith(server)).rejects.toMatchObject({ code: 'scope-missing', status: 403 })
  expect(asked(server.requests)).toEqual(['segments 1'])
})
