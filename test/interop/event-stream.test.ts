import { once } from 'node:events'
import { request } from 'node:https'
import { Readable } from 'node:stream'
import { EventSource } from 'eventsource'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createVerifier } from '../../src/client/verify.ts'
import { type EventsPage, STREAMS_MAX } from '../../src/feeds/schema.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

let n: TestNode
let apple: Member
let banana: Member
let date: Member
let fig: Member
let shared: Uuid
let feed: Uuid
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  date = await n.member('date')
  fig = await n.member('fig')
  shared = await apple.audience('the orchard', 'banana', 'date', 'fig')
  feed = await feedOf(banana)
})
afterAll(() => n.end())

async function feedOf({ client }: Member): Promise<Uuid> {
  const found = await vi.waitFor(async () => {
    const { feeds } = await client.feeds()
    const one = feeds.find(({ audience }) => audience === shared)
    if (one === undefined) throw new Error('no feed yet')
    return one
  }, 20_000)
  return found.feed
}

let sites = 0
/** Apple shares a link; its signal. */
async function share(): Promise<Uuid> {
  sites += 1
  const item = await apple.item({ type: 'url', raw: `https://bad.example/${sites}` }, shared)
  expect(await apple.client.submit(await apple.sign([item]))).toMatchObject({ accepted: 1 })
  return item.signal
}

/** As an EventSource takes it, by mutual TLS. */
function fetchAs({ home }: Member) {
  const { key, cert, ca } = home.identity()
  return async (url: string | URL, { headers, signal }: { headers: Record<string, string>; signal: unknown }) => {
    const out = request(url, { key, cert, ca, headers, signal: signal as AbortSignal })
    out.end()
    const [message] = (await once(out, 'response')) as [import('node:http').IncomingMessage]
    const body = Readable.toWeb(message) as ReadableStream
    return new Response(body, { status: message.statusCode ?? 0, headers: message.headers as Record<string, string> })
  }
}

interface Seen {
  pages: { id: string; page: EventsPage }[]
  reads: string[]
  problems: string[]
  source: EventSource
}

function listen(member: Member, url: string): Seen {
  const source = new EventSource(url, { fetch: fetchAs(member) as never })
  onTestFinished(() => source.close())
  const seen: Seen = { pages: [], reads: [], problems: [], source }
  source.addEventListener('events', ({ data, lastEventId }) =>
    seen.pages.push({ id: lastEventId, page: JSON.parse(data) as EventsPage }),
  )
  source.addEventListener('read', ({ data }) => seen.reads.push((JSON.parse(data) as { read: string }).read))
  source.addEventListener('problem', ({ data }) => seen.problems.push(String(data)))
  return seen
}

const urlOf = (of: Uuid = feed): string => `${n.partner}/v1/feeds/${of}/stream`
const signalsOf = ({ pages }: Pick<Seen, 'pages'>): string[] =>
  pages.flatMap(({ page }) => page.events.map(({ signal }) => signal))

describe('a feed as server-sent events, read by the EventSource of npm', () => {
  test('gives what is there, then what comes, each page with the name of its read', async () => {
    const before = await share()
    await vi.waitFor(
      async () => expect((await banana.client.events(feed, {})).events.length).toBeGreaterThan(0),
      20_000,
    )
    const seen = listen(banana, urlOf())
    await vi.waitFor(() => expect(signalsOf(seen)).toContain(before), 20_000)
    const after = await share()
    await vi.waitFor(() => expect(signalsOf(seen)).toContain(after), { timeout: 20_000 })
    expect(seen.reads).toHaveLength(seen.pages.length)
    expect(seen.reads.every((read) => /^[0-9a-f-]{36}\.[0-9]+ /.test(read))).toBe(true)
    const { participants } = await banana.client.participants()
    const { node_origin, programme } = banana.home.membership()
    const verifier = createVerifier(participants, { node_origin, programme, receipt_keys: banana.home.receiptKeys() })
    for (const { page } of seen.pages) {
      for (const event of page.events) {
        const proof = page.submissions.find((one) => one.event === event.event)
        expect(verifier.event({ event, proof }).authority).toBe('origin')
      }
    }
  })

  test('goes on behind the last id that was seen, without a gap or a repetition', async () => {
    const [first, second] = [await share(), await share()]
    const whole = listen(banana, urlOf())
    await vi.waitFor(() => expect(signalsOf(whole)).toEqual(expect.arrayContaining([first, second])), 20_000)
    const place = whole.pages[0]
    const rest = listen(banana, `${urlOf()}?cursor=${place?.id}`)
    const third = await share()
    await vi.waitFor(() => expect(signalsOf(rest)).toContain(third), { timeout: 20_000 })
    const seqs = [...(place?.page.events ?? []), ...rest.pages.flatMap(({ page }) => page.events)].map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.map((_, i) => String(Number(seqs[0]) + i)))
  })

  test('is refused to whom the feed does not exist, and with a cursor that is none', async () => {
    const cherry = await n.member('cherry')
    for (const [who, url, status] of [
      [cherry, urlOf(), 404],
      [banana, `${urlOf()}?cursor=x`, 400],
      [banana, `${urlOf()}?after=1`, 400],
    ] as const) {
      const answer = await fetchAs(who)(url, { headers: {}, signal: undefined })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        status,
        'application/problem+json; charset=utf-8',
      ])
    }
  })

  test(`takes ${STREAMS_MAX} of a credential at a time, and one more once one has ended`, async () => {
    const ends: AbortController[] = []
    const open = async () => {
      const end = new AbortController()
      ends.push(end)
      return fetchAs(fig)(urlOf(), { headers: {}, signal: end.signal })
    }
    onTestFinished(() => {
      for (const end of ends) end.abort()
    })
    for (let i = 0; i < STREAMS_MAX; i++) expect((await open()).status).toBe(200)
    const refused = await open()
    expect([refused.status, await refused.json()]).toMatchObject([429, { code: 'stream-limit' }])
    ends[0]?.abort()
    await vi.waitFor(async () => expect((await open()).status).toBe(200), { timeout: 20_000, interval: 200 })
  })

  test('ends with the key that listens', async () => {
    const { credential } = await date.client.whoami()
    const answer = await fetchAs(date)(urlOf(), { headers: {}, signal: undefined })
    expect(answer.status).toBe(200)
    const over = answer.text().catch(() => 'cut')
    await n.parts.participants.revokeCredential(n.ada, { credential: credential.id, reason: 'key_theft' })
    expect(await Promise.race([over, new Promise((resolve) => setTimeout(() => resolve('alive'), 8_000))])).not.toBe(
      'alive',
    )
  })
})

describe('the stream of the SDK', () => {
  test('yields pages as they come, and goes on by itself where the connection broke', async () => {
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const got: string[] = []
    const done = (async () => {
      for await (const page of banana.client.stream(feed, { signal: abort.signal })) {
        expect(page.read).not.toBe('')
        got.push(...page.events.map(({ seq }) => seq))
      }
    })()
    done.catch(() => {})
    const one = await share()
    await vi.waitFor(() => expect(got.length).toBeGreaterThan(0), { timeout: 20_000 })
    n.node.shutdown.listeners[0]?.server.closeAllConnections()
    const two = await share()
    const { events } = await vi.waitFor(async () => {
      const page = await banana.client.events(feed, {})
      expect(page.events.map(({ signal }) => signal)).toEqual(expect.arrayContaining([one, two]))
      return page
    }, 20_000)
    await vi.waitFor(() => expect(got).toEqual(events.map(({ seq }) => seq)), { timeout: 20_000 })
    abort.abort()
    await expect(done).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('throws what the node refuses for good', async () => {
    const stream = apple.client.stream('01890000-0000-7000-8000-000000000000' as Uuid)
    await expect(stream.next()).rejects.toMatchObject({ code: 'not-found' })
  })
})
