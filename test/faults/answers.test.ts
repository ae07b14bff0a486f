import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collect, createTransport } from '../../src/client/transport.ts'
import type { LookupResult } from '../../src/feeds/schema.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { aHistory, faultsOf, type History, movingIn, readFound } from './history.ts'
import { seededRandom } from './random.ts'
import { anItem, type Prepared, prepare, send } from './sender.ts'

const random = seededRandom('answers.test.ts')
let n: TestNode
let apple: Member
let banana: Member
let audience: Uuid
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  audience = await apple.everybody()
})
afterAll(() => n.end())

const still = (): Promise<void> => expect.poll(() => movingIn(n.t.owner), { timeout: 20_000 }).toEqual([])

/** The database refuses one kind of write while the work goes on. */
async function without(what: string, role: string, work: () => Promise<void>): Promise<void> {
  await sql.raw(`revoke ${what} from ${role}`).execute(n.t.owner)
  await work().finally(() => sql.raw(`grant ${what} to ${role}`).execute(n.t.owner))
}

const upload = (items: number, history: History, largest = 40): Promise<Prepared> =>
  prepare({ home: apple.home, audience, random, items, history, largest })

/** What a look-up or a page was answered with, errors too, after one try. */
async function answered(path: string, body?: object): Promise<{ status: number; text: string }> {
  const call = body === undefined ? { method: 'GET' as const } : { method: 'POST' as const, body: JSON.stringify(body) }
  return banana.client.transport.call({ ...call, path, idempotent: false }).then(
    (answer) => ({ status: answer.status, text: answer.body.toString() }),
    (error: { status: number; message: string }) => ({ status: error.status, text: error.message }),
  )
}

describe('a request that comes twice', () => {
  const leavesOf = async (submission: string | null): Promise<number> => {
    await still()
    const { leaves } = await readFound(n.t.owner, 'apple')
    return leaves.filter(({ event }) => event === submission).length
  }

  test('one after the other, has the same answer and one leaf', async () => {
    const signed = await apple.sign([anItem(audience), anItem(audience)])
    const first = await apple.client.submit(signed)
    expect(await apple.client.submit(signed)).toEqual(first)
    expect(await leavesOf(first.submission)).toBe(1)
  })

  test('many times at once, has the same answer and one leaf', async () => {
    const signed = await apple.sign([anItem(audience)])
    const answers = await Promise.all(Array.from({ length: 12 }, () => apple.client.submit(signed)))
    expect(answers[0]).toMatchObject({ accepted: 1, refused: 0 })
    for (const answer of answers) expect(answer).toEqual(answers[0])
    expect(await leavesOf(answers[0]?.submission ?? null)).toBe(1)
  })

  test('as a whole stream on two connections, stores every line once and says of each that it is durable', async () => {
    const history = aHistory()
    const prepared = await upload(100, history)
    const both = [1n, 1n].map((from) => send({ client: apple.client, prepared, from, history }))
    expect(await Promise.all(both)).toEqual([undefined, undefined])
    expect(history.acknowledged.length).toBe(2 * history.sent.length)
    await still()
    const found = await readFound(n.t.owner, 'apple')
    const own = new Set(history.sent.map(({ signal }) => signal))
    const revisions = found.revisions.filter(({ signal }) => own.has(signal as Uuid))
    const faults = faultsOf(history, { ...found, revisions, feed: [] })
    expect(faults.filter(({ code }) => code !== 'feed-lost')).toEqual([])
  })
})

test('what becomes durable in one commit reaches the feed in the order in which it was sent', async () => {
  const history = aHistory()
  // Small submissions, each of which may revise or end what the one before it created.
  const prepared = await upload(60, history, 3)
  expect(await send({ client: apple.client, prepared, from: 1n, history })).toBeUndefined()
  await still()
  const feed = (await banana.client.feeds()).feeds.find((one) => one.audience === audience)
  const { events } = await banana.client.events(feed?.feed ?? audience, { limit: 1_000 })
  const own = new Set(history.sent.map(({ signal }) => signal))
  const steps = events.filter(({ signal }) => own.has(signal)).map(({ signal, revision }) => `${signal} ${revision}`)
  expect(steps).toEqual(history.sent.map(({ signal, revision }) => `${signal} ${revision}`))
})

describe('a stream that the node breaks off', () => {
  test('says so, and the same upload goes on when the fault is over', async () => {
    const history = aHistory()
    const prepared = await upload(200, history)
    await without('insert on submission', 'aldis_app', async () => {
      await expect(send({ client: apple.client, prepared, from: 1n, history })).resolves.toMatchObject({ status: 500 })
      expect(await apple.client.nextLine(prepared.upload)).toBe(1n)
    })
    expect(history.acknowledged).toEqual([])
    expect(await send({ client: apple.client, prepared, from: 1n, history })).toBeUndefined()
    expect(history.acknowledged.length).toBe(history.sent.length)
  })

  test('leaves no connection behind on which the next request would wait for ever', async () => {
    const { upload: id, lines } = await upload(200, aHistory())
    const identity = {
      key: apple.home.tlsKey(),
      cert: apple.home.certificate(),
      ca: readFileSync(join(apple.home.dir, 'ca.crt'), 'utf8'),
    }
    const transport = createTransport(n.partner, identity, { maxSockets: 1 })
    await without('insert on submission', 'aldis_app', async () => {
      const message = await transport.open({
        ...{
          method: 'POST',
          path: '/v1/submissions/stream',
          type: 'application/x-ndjson',
          headers: { 'upload-id': id },
        },
        write: async (out) => {
          for (const line of lines) out.write(`${line}\n`)
          // A client that goes on for a while after the answer has ended.
          await delay(500)
        },
      })
      expect((await collect(message)).toString()).toContain('"internal"')
      const answer = await transport.call({ method: 'GET', path: '/v1/whoami', idempotent: true })
      expect(answer.status).toBe(200)
    })
    transport.close()
  })
})

test('while the read journal cannot be written, neither look-up nor page is answered, and no refusal holds a signal', async () => {
  const item = anItem(audience)
  await apple.client.submit(await apple.sign([item]))
  await still()
  const { sha256 } = item.value as { sha256: string }
  const lookup = { queries: [{ type: 'url', profile: 'url/1', keys: [sha256] }], purpose: 'investigation' }
  const found = ({ text }: { text: string }) =>
    (JSON.parse(text) as LookupResult).matches.map(({ event }) => event.signal)
  const feed = (await banana.client.feeds()).feeds.find((one) => one.audience === audience)
  expect(found(await answered('/v1/lookups', lookup))).toEqual([item.signal])
  await without('insert on read_journal', 'aldis_app', async () => {
    for (const answer of [await answered('/v1/lookups', lookup), await answered(`/v1/feeds/${feed?.feed}/events`)]) {
      expect(answer.status).toBe(500)
      expect(answer.text).not.toContain(item.signal)
    }
  })
  expect(found(await answered('/v1/lookups', lookup))).toEqual([item.signal])
})
