import { afterEach, beforeAll, expect, test } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import { idOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { closeServers, identityOf, json, serve } from './server.ts'
import { aRead, segmentRead } from './source.ts'

let pki: TestPki

beforeAll(async () => {
  pki = await testPki()
})
afterEach(closeServers)

test('a segment whose connection breaks is an error, and no reader waits for its rest', async () => {
  const server = await serve(pki, ({ socket }, response) => {
    response.writeHead(200, { 'content-length': '1000', 'feed-cursor': 'after', 'provenance-read': segmentRead(1) })
    response.write('half', () => socket.destroy())
  })
  const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('aspen')) })
  const { body } = await client.segment(idOf(1), 1n)
  await expect(body()).rejects.toMatchObject({ code: 'ECONNRESET' })
  client.close()
})

const GIVING: readonly (readonly [what: string, ask: (client: Client) => Promise<{ read: string }>, answer: object])[] =
  [
    ['a page of events', (client) => client.events(idOf(1), {}), { events: [{}], submissions: [] }],
    ['a page of a sealed feed', (client) => client.sealedPage(idOf(1), {}), { events: [{}], submissions: [] }],
    ['a look-up', (client) => client.lookUp({ purpose: 'appeal', queries: [] }), { matches: [{}], submissions: [] }],
    ['a network', (client) => client.network(idOf(1)), { members: [{}] }],
    ['an opening', (client) => client.open(idOf(1), idOf(2), 'appeal'), { events: [{}], submissions: [] }],
    ['a reveal', (client) => client.reveal(idOf(1), { purpose: 'appeal' }), { value: 'pear.example' }],
  ]
test.each(GIVING)('%s that gave something out is refused where no read of it is named', async (_, ask, answer) => {
  let headers: Record<string, string> = {}
  const server = await serve(pki, (_request, response) => json(response, answer, 200, headers))
  const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('aspen')) })
  const unnamed = { name: 'VerificationFailed', step: 'read' }
  await expect(ask(client)).rejects.toMatchObject(unnamed)
  headers = { 'provenance-read': `${aRead(1)}=` }
  await expect(ask(client)).rejects.toMatchObject(unnamed)
  headers = { 'provenance-read': aRead(1) }
  expect(await ask(client)).toMatchObject({ read: aRead(1) })
  client.close()
})

test('an answer that gave nothing out needs to name no read, and names none that cannot be read', async () => {
  let headers: Record<string, string> = {}
  const empty = { events: [], matches: [], submissions: [] }
  const server = await serve(pki, (_, response) => json(response, empty, 200, headers))
  const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('aspen')) })
  const asks = GIVING.slice(0, 3).map(([, ask]) => ask)
  for (const ask of asks) expect(await ask(client)).toMatchObject({ read: '' })
  headers = { 'provenance-read': 'none' }
  for (const ask of asks) await expect(ask(client)).rejects.toMatchObject({ step: 'read' })
  client.close()
})

test('each try of a change that nothing names bears one key, another call another one; what names itself bears none', async () => {
  let n = 0
  const server = await serve(pki, ({ socket }, response) => {
    n += 1
    if (n % 2 === 1) socket.destroy()
    else json(response, {})
  })
  const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('aspen')) })
  const [id, body] = [idOf(1), { operator: 'ann' }]
  const calls: readonly (() => Promise<unknown>)[] = [
    () => client.cases.next('ann'),
    () => client.cases.claim(id, body),
    () => client.cases.undoBulk(id, 'ann'),
    () => client.release(id),
    () => client.webhooks.end(id),
  ]
  for (const call of calls) await call()
  const keys = server.requests.map(({ headers }) => headers['idempotency-key'])
  expect(keys).toHaveLength(2 * calls.length)
  expect(keys.filter((key, i) => i % 2 === 1 && key !== keys[i - 1])).toEqual([])
  expect(new Set(keys).size).toBe(calls.length)
  expect(keys).not.toContain(undefined)
  const before = server.requests.length
  await client.cases.decide(id, { ...body, decision: id, version: 1, token: id, verdict: 'outdated', reason: 'other' })
  await client.webhooks.rotate(id, 2)
  await client.cases.figures()
  expect(server.requests.slice(before).flatMap(({ headers }) => headers['idempotency-key'] ?? [])).toEqual([])
  client.close()
})
