import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type EventsPage, type FeedList, NetworkResult } from '../../src/feeds/schema.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { aDigest } from '../signals/factory.ts'
import { anApp, type TestApp } from './app.ts'
import { aWorld, type Party, type World } from './world.ts'

let w: World
let t: TestApp
let apple: Party
let banana: Party
let feed: Uuid
let digest: string

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  const group = await w.group('pair', [apple])
  feed = group.feed
  const items = [1, 2, 3].map(() => w.item({ audience: group.audience }))
  digest = items[1]?.value.sha256 ?? ''
  await w.submit(apple, items)
  await w.project()
  t = await anApp(w)
})
afterAll(async () => {
  await t.app.close()
  await w.end()
})
beforeEach(() => t.connect(apple))

const post = (url: string, payload: object) => t.app.inject({ method: 'POST', url, payload })
const lookup = (change: object = {}) =>
  post('/v1/lookups', {
    ...{ queries: [{ type: 'url', profile: 'url/1', keys: [digest] }], purpose: 'enforcement' },
    ...change,
  })
const READ = /^[0-9a-f-]{36}\.[0-9]+ [A-Za-z0-9_-]{43}$/

describe('GET /v1/feeds', () => {
  test('lists one’s feeds', async () => {
    const { feeds } = (await t.app.inject('/v1/feeds')).json<FeedList>()
    expect(feeds.find((one) => one.feed === feed)).toMatchObject({ label: 'pair', from_seq: '1', last_seq: '3' })
  })
})

describe('GET /v1/feeds/:feed/events', () => {
  const page = (query = '', of: string = feed) => t.app.inject(`/v1/feeds/${of}/events${query}`)

  test('gives out a page with the name of its record, and lets nobody keep a copy', async () => {
    const answer = await page('?limit=2')
    const { events, more, next_cursor } = answer.json<EventsPage>()
    expect([events.map(({ seq }) => seq), more]).toEqual([['1', '2'], true])
    expect(answer.headers).toMatchObject({
      ...{ 'provenance-read': expect.stringMatching(READ), 'cache-control': 'no-store' },
      'content-type': 'application/json; charset=utf-8',
    })
    const rest = await page(`?cursor=${next_cursor}&wait=0`)
    expect(rest.json<EventsPage>().events.map(({ seq }) => seq)).toEqual(['3'])
  })
  test('names no record where nothing was given out', async () => {
    const { next_cursor } = (await page()).json<EventsPage>()
    const answer = await page(`?cursor=${next_cursor}`)
    expect([answer.statusCode, answer.headers['provenance-read']]).toEqual([200, undefined])
  })
  test.for([
    ['?limit=0', 400, 'invalid-query'],
    ['?limit=many', 400, 'invalid-query'],
    ['?wait=31', 400, 'invalid-query'],
    ['?after=1', 400, 'invalid-query'],
    ['?cursor=', 400, 'invalid-query'],
    ['?cursor=x', 400, 'invalid-cursor'],
  ] as const)('with %s is refused', async ([query, status, code]) => {
    const answer = await page(query)
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { code }])
  })
  test.for(['1001', '100000'])('of %s events is larger than a page, and told the limit', async (limit) => {
    const answer = await page(`?limit=${limit}`)
    expect([answer.statusCode, answer.json()]).toMatchObject([422, { code: 'page-limit', limit: 1_000 }])
    expect((await page('?limit=1000')).statusCode).toBe(200)
  })
  test('of a feed of others, of none, or of no id answers the same bytes', async () => {
    t.connect(banana)
    const answers = [await page(), await page('', newId(w.now())), await page('', 'pair')]
    const bodies = answers.map((one) => ({ ...one.json<object>(), request_id: undefined }))
    expect(bodies).toMatchObject(Array(3).fill({ code: 'not-found', status: 404 }))
    expect(bodies[0]).toEqual(bodies[1])
    expect(bodies[0]).toEqual(bodies[2])
  })
  test('is for credentials that may read', async () => {
    t.connect(apple, ['signals:submit', 'lookup:evaluate'])
    for (const url of ['/v1/feeds', `/v1/feeds/${feed}/events`, `/v1/feeds/${feed}/segments/1`])
      expect((await t.app.inject(url)).json()).toMatchObject({ code: 'scope-missing' })
    expect((await post(`/v1/feeds/${feed}/acknowledgements`, {})).json()).toMatchObject({ code: 'scope-missing' })
  })
})

describe('GET /v1/feeds/:feed/segments/:first_seq', () => {
  test('that was not sealed is not found, and neither is one at no number', async () => {
    for (const first of ['1', '0', '-1', 'x', '9999999999999999999'])
      expect((await t.app.inject(`/v1/feeds/${feed}/segments/${first}`)).json(), first).toMatchObject({
        code: 'not-found',
      })
  })
})

describe('POST /v1/feeds/:feed/acknowledgements', () => {
  const ack = (payload: object) => post(`/v1/feeds/${feed}/acknowledgements`, payload)
  test('answers what is acknowledged now', async () => {
    const body = { upto: '2', stage: 'client_reached' }
    expect((await ack(body)).json()).toEqual({ feed, upto: '2' })
    expect((await ack({ ...body, upto: '1' })).json()).toEqual({ feed, upto: '2' })
  })
  test.for([
    [{ upto: '4', stage: 'client_reached' }, '/upto'],
    [{ upto: '01', stage: 'client_reached' }, '/upto'],
    [{ upto: 1, stage: 'client_reached' }, '/upto'],
    [{ upto: '1', stage: 'done' }, '/stage'],
    [{ stage: 'client_reached' }, '/upto'],
    [{ upto: '1', stage: 'client_reached', note: '' }, '/note'],
  ] as const)('with %j is refused there', async ([body, pointer]) => {
    const answer = await ack(body)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      422,
      { code: 'validation-failed', errors: [{ pointer }] },
    ])
  })
})

describe('POST /v1/lookups', () => {
  test('answers what matches, with the name of its record', async () => {
    const answer = await lookup()
    expect(answer.json()).toMatchObject({ asked: 1, matches: [{ key: digest, event: { seq: '2' } }] })
    expect(answer.headers).toMatchObject({
      'provenance-read': expect.stringMatching(READ),
      'cache-control': 'no-store',
    })
  })
  test('names a record for an answer of nothing too: the question was one', async () => {
    const answer = await lookup({ queries: [{ type: 'ip', profile: 'ip/1@spring', keys: [aDigest()] }] })
    expect(answer.json()).toMatchObject({ asked: 1, matches: [], submissions: [] })
    expect(answer.headers['provenance-read']).toMatch(READ)
  })
  test.for([
    [{ purpose: 'curiosity' }, 'validation-failed'],
    [{ purpose: undefined }, 'validation-failed'],
    [{ queries: [] }, 'validation-failed'],
    [{ queries: [{ type: 'tactic', profile: 'tactic', keys: [] }] }, 'validation-failed'],
    [{ queries: [{ type: 'url', profile: 'url/1', keys: [] }] }, 'validation-failed'],
    [{ queries: [{ type: 'url', profile: 'url/1', keys: ['AB'.repeat(32)] }] }, 'validation-failed'],
    [{ queries: [{ type: 'url', profile: 'url/1', keys: ['ab'.repeat(31)] }] }, 'validation-failed'],
    [{ note: 'x' }, 'validation-failed'],
  ] as const)('with %j is refused', async ([change, code]) => {
    const answer = await lookup(change)
    expect([answer.statusCode, answer.json()]).toMatchObject([422, { code }])
  })
  test('of more than 1,000 keys in several queries is refused with the limit', async () => {
    const keys = Array.from({ length: 501 }, aDigest)
    const query = { type: 'url', profile: 'url/1', keys }
    const answer = await lookup({ queries: [query, query] })
    expect([answer.statusCode, answer.json()]).toMatchObject([422, { code: 'page-limit', limit: 1_000 }])
  })
  test('is for credentials that may look up', async () => {
    t.connect(apple, ['feed:read', 'signals:submit'])
    expect((await lookup()).json()).toMatchObject({ code: 'scope-missing' })
  })
})

describe('a sealed audience', () => {
  let hidden: { audience: Uuid; feed: Uuid }
  let signal: Uuid
  beforeAll(async () => {
    hidden = await w.group('hidden', [apple, banana], 'sealed')
    const item = w.item({ audience: hidden.audience }, 'email')
    signal = item.signal
    await w.submit(apple, [item])
    await w.project()
    await w.divide()
  })
  const get = (url: string, headers: Record<string, string> = {}) => t.app.inject({ method: 'GET', url, headers })
  const bucket = (prefix = '0', query = '?purpose=appeal', headers = {}) =>
    get(`/v1/lookup/${hidden.audience}/1/${prefix}${query}`, headers)
  const opened = (query = '?purpose=appeal') => get(`/v1/audiences/${hidden.audience}/signals/${signal}${query}`)

  test('is listed with its mode, and its pages are signed by the node', async () => {
    const { feeds } = (await get('/v1/feeds')).json<FeedList>()
    expect(feeds.map(({ label, mode }) => [label, mode])).toEqual(
      expect.arrayContaining([
        ['hidden', 'sealed'],
        ['pair', 'full'],
        ['inbox', 'full'],
      ]),
    )
    const page = await get(`/v1/feeds/${hidden.feed}/events`)
    expect(page.headers['feed-signature']).toMatch(/^receipt [A-Za-z0-9_-]{86}$/)
    expect((await get(`/v1/feeds/${feed}/events`)).headers).not.toHaveProperty('feed-signature')
  })
  test('is asked by the prefixes of its snapshot', async () => {
    const answer = await get(`/v1/lookup/${hidden.audience}`)
    expect(answer.json()).toEqual({ audience: hidden.audience, snapshot: '1', bits: 0, entries: 1 })
  })
  test('gives a bucket as bytes, with its digest and the name of its record, also to whoever has it already', async () => {
    const answer = await bucket()
    expect(answer.rawPayload).toHaveLength(72)
    expect(answer.headers).toMatchObject({
      ...{ 'content-type': 'application/octet-stream', 'cache-control': 'private, no-cache' },
      ...{ 'provenance-read': expect.stringMatching(READ), etag: `"${sha256(answer.rawPayload).toString('hex')}"` },
    })
    const again = await bucket('0', undefined, { 'if-none-match': String(answer.headers.etag) })
    expect([again.statusCode, again.rawPayload.length]).toEqual([304, 0])
    expect(again.headers['provenance-read']).toMatch(READ)
    expect(again.headers['provenance-read']).not.toBe(answer.headers['provenance-read'])
  })
  test('gives a signal out by its id, for a purpose, and lets nobody keep a copy', async () => {
    const answer = await opened()
    expect(answer.json()).toMatchObject({ events: [{ signal, source: 'apple' }], submissions: [{ source: 'apple' }] })
    expect(answer.headers).toMatchObject({
      ...{ 'provenance-read': expect.stringMatching(READ), 'cache-control': 'no-store' },
    })
  })
  test.each(['', '?purpose=curiosity', '?purpose=appeal&note=x'])(
    'without a purpose that is one (%s) nothing is told',
    async (query) => {
      for (const answer of [await bucket('0', query), await opened(query)])
        expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'invalid-query' }])
    },
  )
  test.each(['1', '00', 'f0000', 'G', '%30%30'])('has no bucket %s', async (prefix) => {
    expect((await bucket(prefix)).json()).toMatchObject({ code: 'not-found', status: 404 })
  })
  test('is opened by credentials that may open, and asked by those that may look up', async () => {
    t.connect(apple, ['feed:read', 'lookup:evaluate'])
    expect([(await bucket()).statusCode, (await opened()).json()]).toMatchObject([200, { code: 'scope-missing' }])
    t.connect(apple, ['feed:read', 'lookup:open'])
    expect([(await opened()).statusCode, (await bucket()).json()]).toMatchObject([200, { code: 'scope-missing' }])
  })
})

describe('GET /v1/signals/:signal/network', () => {
  let centre: Uuid
  let members: Uuid[]
  beforeAll(async () => {
    const { audience } = await w.group('tied', [apple])
    const items = Array.from({ length: 52 }, () => w.item({ audience }))
    const [first, ...others] = items
    if (first === undefined) throw new Error('a signal')
    centre = first.signal
    members = others.map(({ signal }) => signal).sort()
    const relations = members.map((to) =>
      w.item({ audience, value: { relation: 'redirects_to', from: centre, to } }, 'relation'),
    )
    await w.submit(apple, [...items, ...relations])
    await w.project()
  })
  const network = (query = '', of: string = centre) => t.app.inject(`/v1/signals/${of}/network${query}`)

  test('gives out 50 members a page, with the name of its record, and lets nobody keep a copy', async () => {
    const answer = await network()
    const page = answer.json<NetworkResult>()
    expect(page.members.map(({ signal }) => signal)).toEqual(members.slice(0, 50))
    expect(page.next).toBe(members[49])
    expect(answer.headers).toMatchObject({
      ...{ 'provenance-read': expect.stringMatching(READ), 'cache-control': 'no-store' },
      'content-type': 'application/json; charset=utf-8',
    })
    const rest = (await network(`?after=${page.next}`)).json<NetworkResult>()
    expect([rest.members.map(({ signal }) => signal), rest.next]).toEqual([members.slice(50), null])
  })
  test('is what its schema says', async () => {
    expect(Compile(NetworkResult).Check((await network()).json())).toBe(true)
  })
  test.for(['?limit=51', '?after=plum', '?after=', '?depth=2'])('with %s is refused', async (query) => {
    const answer = await network(query)
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'invalid-query' }])
  })
  test('of a signal of others, of none, or of no id answers the same bytes', async () => {
    t.connect(banana)
    const answers = [await network(), await network('', newId(w.now())), await network('', 'pair')]
    const bodies = answers.map((one) => ({ ...one.json<object>(), request_id: undefined }))
    expect(bodies).toMatchObject(Array(3).fill({ code: 'not-found', status: 404 }))
    expect(bodies[0]).toEqual(bodies[1])
    expect(bodies[0]).toEqual(bodies[2])
    for (const { headers } of answers) expect(headers['provenance-read']).toBeUndefined()
  })
  test('is for credentials that may read', async () => {
    t.connect(apple, ['signals:submit', 'lookup:evaluate'])
    expect((await network()).json()).toMatchObject({ code: 'scope-missing' })
  })
})
