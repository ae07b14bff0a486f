import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EventsPage, FeedList } from '../../src/feeds/schema.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
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
