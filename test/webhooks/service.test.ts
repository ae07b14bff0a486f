import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readWebhook } from '../../src/client/webhooks.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { createNotices } from '../../src/notices/service.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { createDelivering, type Delivering } from '../../src/webhooks/deliver.ts'
import type { FeedHead } from '../../src/webhooks/feeds.ts'
import { createPoster } from '../../src/webhooks/post.ts'
import { ATTEMPTS_MAX, RETRY_DELAYS_MS } from '../../src/webhooks/schedule.ts'
import { ENDPOINTS_MAX } from '../../src/webhooks/schema.ts'
import { createWebhooks, type Webhooks } from '../../src/webhooks/service.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, type ReviewWorld } from '../review/world.ts'
import { testPki } from '../support/pki.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let audience: Uuid
let webhooks: Webhooks
let delivering: Delivering
let server: Server
let url: string
let status = 204
const hosts = new Map([['apple', new Set(['localhost'])]])
let heads: FeedHead[] = []
const away = new Set<Uuid>()
/** Whose rows cannot be read. */
let unread: Uuid | undefined
interface Heard {
  id: string
  path: string
  body: { type: string; data: Record<string, string> }
  text: string
  headers: IncomingHttpHeaders
}
let heard: Heard[] = []
const person = newId(new Date())
const { privateKey } = generateKeyPairSync('ed25519')

beforeAll(async () => {
  w = await aReviewWorld()
  const pki = await testPki()
  server = createServer({ key: pki.material.key, cert: pki.material.chain }, async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { headers } = request
    const path = (request.url ?? '').slice(1)
    heard.push({ id: String(headers['webhook-id']), path, body: JSON.parse(text), text, headers })
    if (request.url === '/slow') return
    if (request.url === '/switch')
      return void request.socket.write('HTTP/1.1 101 Fig\r\nConnection: Upgrade\r\nUpgrade: fig\r\n\r\n')
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://localhost:${(server.address() as AddressInfo).port}/aldis`
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  audience = (await w.group('fruit', [apple, banana])).audience
  const { clock, provenance, t } = w
  const secretOf = (endpoint: Uuid, number: number): Buffer =>
    createHash('sha256').update(`${endpoint} ${number}`).digest()
  webhooks = createWebhooks({
    ...{ db: t.app, clock, provenance, hosts, secretOf, onWaiting: () => {} },
    headsOf: async () => heads,
  })
  const { feedback, review } = w
  const notices = createNotices({ clock, review, feedback, credentialsOf: () => [] })
  delivering = createDelivering({
    ...{ app: t.app, projector: t.projector, clock, hosts, random: () => 0 },
    noticesOf: (participant) => readable(participant) ?? notices.of(participant),
    slugOf: (participant) => w.authority.slugOf(participant),
    isActive: (participant) => !away.has(participant),
    poster: createPoster({ allowInside: true, ca: pki.ca.root, timeoutMs: 20_000 }),
    headsOf: async (participant) => readable(participant) ?? heads,
    onGone: (participant, endpoint) => webhooks.endAsAsked({ participant, slug: 'apple' }, endpoint),
    keysOf: (endpoint, numbers) => ({
      secrets: numbers.map((number) => secretOf(endpoint, number)),
      sign: async (data) => sign(null, data, privateKey),
    }),
  })
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await w.end()
})
beforeEach(async () => {
  for (const { endpoint } of await webhooks.endpoints(apple.participant)) await webhooks.end(owner(), endpoint)
  heads = []
  w.pass(1_000)
  heard = []
  status = 204
})

const readable = (participant: Uuid): undefined => {
  if (participant === unread) throw new Error('cannot be read')
}
const owner = (by = apple) => ({ participant: by.participant, slug: by.slug, person })
const add = (kinds: readonly ['question.asked'] | readonly ['dispute.opened'] = ['question.asked']) =>
  webhooks.add(owner(), { url, kinds: [...kinds] })

/** A signal of apple's that banana asks about. */
async function asked(): Promise<SignalItem> {
  const item = w.item({ audience })
  await w.submit(apple, [item])
  await w.settle()
  w.pass(1_000)
  const question = { outcome: 'needs_information', reason: 'context', note: 'where was it seen' }
  await w.give(banana, { ...w.about(apple, item), ...question })
  await w.settle()
  return item
}

async function delivered(): Promise<void> {
  while ((await delivering.post()) > 0);
}

describe('an endpoint', () => {
  test('is logged with its host and kinds, and its secret is in no row', async () => {
    const { endpoint, secret } = await add()
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const row = await w.t.owner
      .selectFrom('webhook_endpoint')
      .selectAll()
      .where('endpoint_id', '=', endpoint)
      .executeTakeFirstOrThrow()
    expect(await w.opened(row.last_event)).toMatchObject({ type: 'webhook.added', endpoint, person, actor: 'apple' })
    expect(JSON.stringify(row)).not.toContain(secret.slice('whsec_'.length))
  })
  test('is refused elsewhere than on an enrolled host, and beyond the limit', async () => {
    const elsewhere = webhooks.add(owner(), { url: 'https://evil.example/', kinds: ['question.asked'] })
    await expect(elsewhere).rejects.toMatchObject({ code: 'webhook-refused', errors: [{ pointer: '/url' }] })
    await expect(webhooks.add(owner(banana), { url, kinds: ['question.asked'] })).rejects.toMatchObject({
      code: 'webhook-refused',
    })
    for (let i = 0; i < ENDPOINTS_MAX; i++) await add()
    await expect(add()).rejects.toMatchObject({ code: 'webhook-limit' })
  })
  test('of another organisation is not there', async () => {
    const { endpoint } = await add()
    await expect(webhooks.end(owner(banana), endpoint)).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('a notice', () => {
  test('is posted once, with ids and kinds and no words', async () => {
    await add()
    const item = await asked()
    expect(await delivering.gather()).toBe(1)
    expect(await delivering.gather()).toBe(0)
    await delivered()
    expect(heard.map(({ body }) => [body.type, body.data])).toEqual([['question.asked', { signal: item.signal }]])
    expect(heard[0]?.text).not.toMatch(/banana|where was it seen/)
    await delivered()
    expect(heard).toHaveLength(1)
    expect((await webhooks.deliveries(apple.participant))[0]?.delivered_at).toBeDefined()
  })
  test('of before the endpoint, and of another kind, is not posted', async () => {
    await asked()
    w.pass(1_000)
    await add()
    await add(['dispute.opened'])
    w.pass(1_000)
    await asked()
    expect(await delivering.gather()).toBe(1)
  })
  test('that is not taken comes again under the same id until it is', async () => {
    await add()
    await asked()
    await delivering.gather()
    status = 503
    await delivered()
    expect((await webhooks.deliveries(apple.participant))[0]).toMatchObject({ attempts: 1, fault: 'refused' })
    expect(await delivering.post()).toBe(0)
    w.pass(RETRY_DELAYS_MS[0])
    status = 200
    await delivered()
    expect(heard.map(({ id }) => id)).toEqual([heard[0]?.id, heard[0]?.id])
    expect((await webhooks.deliveries(apple.participant))[0]).toMatchObject({ attempts: 2, fault: undefined })
  })
  test('is not posted to a host that the operator took away, until it is enrolled again', async () => {
    await add()
    await asked()
    await delivering.gather()
    hosts.set('apple', new Set(['hooks.example.com']))
    await delivered()
    expect(heard).toEqual([])
    expect((await webhooks.deliveries(apple.participant))[0]).toMatchObject({ attempts: 1, fault: 'not-enrolled' })
    hosts.set('apple', new Set(['localhost']))
    w.pass(RETRY_DELAYS_MS[0])
    await delivered()
    expect(heard).toHaveLength(1)
  })
  test('reaches the others where those of one organisation cannot be read, of notices as of feeds', async () => {
    hosts.set('banana', new Set(['localhost']))
    const feed = anId()
    const endpoints = [apple, banana].map((by) => [by, anId()] as const)
    heads = [head(feed, 4n)]
    for (const [by, endpoint] of endpoints)
      await webhooks.addForFeeds({ ...owner(by), credential: person }, endpoint, { url, feeds: [feed] })
    for (const [last, [by]] of endpoints.entries()) {
      unread = by.participant
      heads = [head(feed, 5n + BigInt(last))]
      for (const gather of [delivering.gather, delivering.gatherFeeds])
        await expect(gather()).rejects.toThrow('cannot be read')
    }
    unread = undefined
    await delivered()
    expect(
      toldOf()
        .map(({ to_seq }) => to_seq)
        .sort(),
    ).toEqual(['5', '6'])
    for (const [by, endpoint] of endpoints) await webhooks.end(owner(by), endpoint)
    hosts.delete('banana')
  })
  test('is neither made nor posted while its organisation is suspended', async () => {
    await add()
    await asked()
    await delivering.gather()
    await asked()
    away.add(apple.participant)
    expect(await delivering.gather()).toBe(0)
    await delivered()
    expect(heard).toEqual([])
    expect((await webhooks.deliveries(apple.participant))[0]).toMatchObject({ attempts: 1, fault: 'not-active' })
    away.clear()
    expect(await delivering.gather()).toBe(1)
    w.pass(RETRY_DELAYS_MS[0])
    await delivered()
    expect(heard).toHaveLength(2)
  })
  test('is given up after the last attempt', async () => {
    await add()
    await asked()
    await delivering.gather()
    status = 500
    for (const delay of [0, ...RETRY_DELAYS_MS]) {
      w.pass(delay)
      await delivered()
    }
    expect(heard).toHaveLength(ATTEMPTS_MAX)
    w.pass(7 * 86_400_000)
    await delivered()
    expect(heard).toHaveLength(ATTEMPTS_MAX)
    expect((await webhooks.deliveries(apple.participant))[0]).toMatchObject({ next_at: undefined, fault: 'refused' })
  })
  test('is not posted again to whoever answers 410, which ends the endpoint, nor to one that was ended', async () => {
    await add()
    await asked()
    await delivering.gather()
    status = 410
    await delivered()
    expect((await webhooks.deliveries(apple.participant))[0]).toMatchObject({ next_at: undefined, fault: 'gone' })
    expect(await webhooks.endpoints(apple.participant)).toEqual([])
    const { endpoint } = await add()
    await asked()
    await delivering.gather()
    await webhooks.end(owner(), endpoint)
    await delivered()
    expect(heard).toHaveLength(1)
  })
})

/** A program of apple's, by its credential. */
const program = (credential = person) => ({ participant: apple.participant, slug: apple.slug, credential })
const anId = (): Uuid => newId(new Date())
const head = (feed: Uuid, last: bigint, from = 1n): FeedHead => ({ feed, from_seq: from, last_seq: last })
const toldOf = () => heard.map(({ body }) => body.data)

async function addedFor(...feeds: Uuid[]): Promise<{ endpoint: Uuid; secret: string }> {
  return webhooks.addForFeeds(program(), anId(), { url, feeds })
}

describe('an endpoint for feeds', () => {
  const [plums, pears] = [anId(), anId()]
  test('is told where its feeds grew from then on, once, with places and nothing else', async () => {
    heads = [head(plums, 7n), head(pears, 3n)]
    await addedFor(plums)
    expect(await delivering.gatherFeeds()).toBe(0)
    heads = [head(plums, 9n), head(pears, 5n)]
    expect([await delivering.gatherFeeds(), await delivering.gatherFeeds()]).toEqual([1, 0])
    await delivered()
    expect(heard.map(({ body }) => body.type)).toEqual(['feed.advanced'])
    expect(toldOf()).toEqual([{ feed: plums, from_seq: '8', to_seq: '9', count: 2 }])
  })
  test('is not told of what came before it might read, nor of a feed that it lost', async () => {
    heads = [head(plums, 7n)]
    await addedFor(plums)
    heads = [head(plums, 20n, 15n)]
    await delivering.gatherFeeds()
    heads = []
    await delivering.gatherFeeds()
    await delivered()
    expect(toldOf()).toEqual([{ feed: plums, from_seq: '15', to_seq: '20', count: 6 }])
  })
  test('is told by one message of what came while many waited', async () => {
    heads = [head(plums, 1n)]
    await addedFor(plums)
    for (let seq = 2n; seq < 40n; seq++) {
      heads = [head(plums, seq)]
      await delivering.gatherFeeds()
    }
    await delivered()
    heads = [head(plums, 40n)]
    await delivering.gatherFeeds()
    await delivered()
    expect(heard).toHaveLength(17)
    expect(toldOf().at(-1)).toEqual({ feed: plums, from_seq: '18', to_seq: '40', count: 23 })
  })
  test('is repeated under its id by who made it, and refused for other content, feeds or hosts', async () => {
    heads = [head(plums, 1n)]
    const id = anId()
    const first = await webhooks.addForFeeds(program(), id, { url, feeds: [plums] })
    expect(first.created).toBe(true)
    expect(await webhooks.addForFeeds(program(), id, { url, feeds: [plums] })).toEqual({ ...first, created: false })
    const conflict = { code: 'state-conflict' }
    await expect(webhooks.addForFeeds(program(anId()), id, { url, feeds: [plums] })).rejects.toMatchObject(conflict)
    await expect(webhooks.addForFeeds(program(), id, { url, feeds: [pears] })).rejects.toMatchObject(conflict)
    await expect(addedFor(pears)).rejects.toMatchObject({ errors: [{ pointer: '/feeds/0' }] })
    const elsewhere = webhooks.addForFeeds(program(), anId(), { url: 'https://evil.example/', feeds: [plums] })
    await expect(elsewhere).rejects.toMatchObject({ errors: [{ pointer: '/url' }] })
  })
  test('is listed with its messages for a day, those that wait for as long as they do', async () => {
    heads = [head(plums, 1n)]
    const { endpoint } = await addedFor(plums)
    const advance = async (to: bigint): Promise<void> => {
      heads = [head(plums, to)]
      await delivering.gatherFeeds()
    }
    await advance(2n)
    await delivered()
    await webhooks.test(program(), endpoint, anId())
    await delivered()
    status = 503
    await advance(3n)
    await delivered()
    w.pass(25 * 3_600_000)
    await delivering.gather()
    const left = await webhooks.deliveries(apple.participant, endpoint)
    expect(left.map(({ kind, delivered_at }) => [kind, delivered_at !== undefined]).sort()).toEqual([
      ['feed.advanced', false],
      ['webhook.test', true],
    ])
  })
  test('is listed no longer once its day is over, though the endpoint is too', async () => {
    heads = [head(plums, 1n)]
    const { endpoint } = await addedFor(plums)
    heads = [head(plums, 2n)]
    await delivering.gatherFeeds()
    await delivered()
    await webhooks.end(program(), endpoint)
    expect(await webhooks.deliveries(apple.participant, endpoint)).toHaveLength(1)
    w.pass(25 * 3_600_000)
    await delivering.gather()
    expect(await webhooks.deliveries(apple.participant, endpoint)).toEqual([])
  })
  test('leaves endpoints of people alone', async () => {
    const { endpoint } = await add()
    const refused = { code: 'not-found' }
    await expect(webhooks.end(program(), endpoint)).rejects.toMatchObject(refused)
    await expect(webhooks.rotate(program(), endpoint, 2)).rejects.toMatchObject(refused)
  })
  test('that is tried gets a message that says nothing, once for each id, and again when it is asked for', async () => {
    heads = [head(plums, 1n)]
    const { endpoint, secret } = await addedFor(plums)
    const test = anId()
    const message = await webhooks.test(program(), endpoint, test)
    expect(await webhooks.test(program(), endpoint, test)).toBe(message)
    await delivered()
    expect(heard.map(({ body }) => body)).toEqual([expect.objectContaining({ type: 'webhook.test', data: {} })])
    const [got] = heard
    if (got === undefined) throw new Error('nothing was heard')
    const read = readWebhook({ headers: got.headers, body: got.text }, { secret }, w.clock())
    expect(read).toMatchObject({ id: message, type: 'webhook.test' })
    await webhooks.redeliver(program(), endpoint, message)
    await delivered()
    expect(heard.map(({ id }) => id)).toEqual([message, message])
    await expect(webhooks.redeliver(program(), endpoint, 'msg_none')).rejects.toMatchObject({ code: 'not-found' })
    await expect(webhooks.deliveries(banana.participant, endpoint)).rejects.toMatchObject({ code: 'not-found' })
  })
  test('has the next secret after a rotation, and is signed for by both for a day', async () => {
    heads = [head(plums, 1n)]
    const { endpoint, secret: former } = await addedFor(plums)
    const { secret } = await webhooks.rotate(program(), endpoint, 2)
    expect((await webhooks.rotate(program(), endpoint, 2)).secret).toBe(secret)
    await expect(webhooks.rotate(program(), endpoint, 4)).rejects.toMatchObject({ code: 'state-conflict' })
    expect(await rotated(endpoint)).toMatchObject({ type: 'webhook.rotated', endpoint, secret_no: 2, cred: person })
    const holds = async (): Promise<boolean[]> => {
      await webhooks.test(program(), endpoint, anId())
      await delivered()
      const got = heard.at(-1)
      return [former, secret].map((one) => {
        try {
          readWebhook({ headers: got?.headers ?? {}, body: got?.text ?? '' }, { secret: one }, w.clock())
          return true
        } catch {
          return false
        }
      })
    }
    expect(await holds()).toEqual([true, true])
    w.pass(24 * 3_600_000)
    expect(await holds()).toEqual([false, true])
  })
  test('is changed once of two that come at the same time', async () => {
    heads = [head(plums, 1n)]
    const id = anId()
    const added = () => webhooks.addForFeeds(program(), id, { url, feeds: [plums] })
    const made = await Promise.all([added(), added()])
    expect(made.map(({ created }) => created).sort()).toEqual([false, true])
    const ends = await Promise.allSettled([webhooks.end(program(), id), webhooks.end(program(), id)])
    expect(ends.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected'])
  })
  test('that does not answer holds up its own messages and no others', async () => {
    heads = [head(plums, 1n)]
    const stuck = await webhooks.addForFeeds(program(), anId(), { url: url.replace('/aldis', '/slow'), feeds: [plums] })
    const { endpoint } = await addedFor(plums)
    for (let i = 0; i < 4; i++) await webhooks.test(program(), stuck.endpoint, anId())
    await delivering.post()
    await webhooks.test(program(), endpoint, anId())
    await delivering.post()
    expect((await webhooks.deliveries(apple.participant, endpoint))[0]?.delivered_at).toBeDefined()
    expect(
      (await webhooks.deliveries(apple.participant, stuck.endpoint)).filter((one) => one.attempts > 0),
    ).toHaveLength(2)
    server.closeAllConnections()
    await delivering.settled()
  })
  test('that switches protocols has failed, and keeps no place from others', async () => {
    heads = [head(plums, 1n)]
    const { endpoint } = await webhooks.addForFeeds(program(), anId(), {
      ...{ url: url.replace('/aldis', '/switch'), feeds: [plums] },
    })
    for (let i = 0; i < 4; i++) await webhooks.test(program(), endpoint, anId())
    await delivered()
    await delivering.settled()
    expect(
      (await webhooks.deliveries(apple.participant, endpoint)).map(({ attempts, fault }) => [attempts, fault]),
    ).toEqual(Array(4).fill([1, 'unreachable']))
  })
})

describe('what waits for one endpoint keeps no other waiting:', () => {
  const feed = anId()
  const got = new Map<string, string[]>()
  const added = async (name: string, by = program()): Promise<Uuid> => {
    const { endpoint } = await webhooks.addForFeeds(by, anId(), { url: url.replace('aldis', name), feeds: [feed] })
    return endpoint
  }
  const waitsFor = async (endpoint: Uuid, messages: number, by = program()): Promise<string[]> => {
    const sent: string[] = []
    for (let i = 0; i < messages; i++) {
      sent.push(await webhooks.test(by, endpoint, anId()))
      w.pass(1)
    }
    return sent
  }
  /** To whom so many messages went in a round. */
  const round = async (): Promise<Record<string, number>> => {
    heard = []
    await delivering.post()
    const own = Map.groupBy(heard, ({ path }) => path)
    for (const [path, messages] of own) got.set(path, [...(got.get(path) ?? []), ...messages.map(({ id }) => id)])
    return Object.fromEntries([...own].map(([path, messages]) => [path, messages.length]))
  }

  test('a message goes out in the next round, however many older ones another endpoint has', async () => {
    heads = [head(feed, 1n)]
    const [many, one] = [await added('many'), await added('one')]
    await waitsFor(many, 130)
    await waitsFor(one, 1)
    expect(await round()).toEqual({ many: 2, one: 1 })
    expect(await round()).toEqual({ many: 2 })
    await webhooks.end(program(), many)
  })
  test('nobody has a second turn before the others had one, and each has its own in their order', async () => {
    heads = [head(feed, 1n)]
    hosts.set('banana', new Set(['localhost']))
    const names = Array.from({ length: 2 * ENDPOINTS_MAX }, (_, n) => `fig${n}`)
    const sent = new Map<string, string[]>()
    const endpoints: [ReturnType<typeof program>, Uuid][] = []
    for (const [n, name] of names.entries()) {
      const by = n < ENDPOINTS_MAX ? program() : { ...owner(banana), credential: person }
      const endpoint = await added(name, by)
      endpoints.push([by, endpoint])
      sent.set(name, await waitsFor(endpoint, 5, by))
    }
    const [first, second, last] = [names.slice(0, 6), names.slice(6, 8), names.slice(8)]
    const each = (own: readonly string[], messages: number) => Object.fromEntries(own.map((name) => [name, messages]))
    expect(await round()).toEqual(each([...first, ...second], 2))
    expect(await round()).toEqual(each([...last, ...first], 2))
    expect(await round()).toEqual({ ...each([...second, ...last], 2), ...each(first, 1) })
    expect(await round()).toEqual(each([...second, ...last], 1))
    expect(await round()).toEqual({})
    const parts = [0, 2, 4].map((from) => (own: readonly string[]) => own.slice(from, from + 2).toSorted())
    for (const name of names)
      for (const part of parts) expect(part(got.get(name) ?? []), name).toEqual(part(sent.get(name) ?? []))
    for (const [by, endpoint] of endpoints) await webhooks.end(by, endpoint)
    hosts.delete('banana')
  })
})

async function rotated(endpoint: Uuid): Promise<object> {
  const row = await w.t.owner
    .selectFrom('webhook_endpoint')
    .select('last_event')
    .where('endpoint_id', '=', endpoint)
    .executeTakeFirstOrThrow()
  return w.opened(row.last_event)
}
