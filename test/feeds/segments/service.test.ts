import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { brotliCompressSync } from 'node:zlib'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createClient } from '../../../src/client/client.ts'
import { SEGMENT_SIZE, SEGMENTS_MAX, SEGMENTS_TYPE } from '../../../src/feeds/schema.ts'
import type { SegmentFiles } from '../../../src/feeds/segment-files.ts'
import { createSegmentReads } from '../../../src/feeds/segment-read.ts'
import { toHex } from '../../../src/kernel/bytes.ts'
import { encodeCursor } from '../../../src/kernel/cursor.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { closeServers, identityOf, serve } from '../../client/server.ts'
import { testPki } from '../../support/pki.ts'
import { anApp, type TestApp } from '../app.ts'
import { aWorld, type Party, type World } from '../world.ts'

/** Sealed segments of the feed. */
const SEALED = SEGMENTS_MAX + 2

let w: World
let t: TestApp
let apple: Party
let banana: Party
let cherry: Party
let feed: Uuid

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  feed = (await w.group('sealed', [apple, banana])).feed
  for (let i = 0; i < SEALED; i++) await seal(i)
  const sealed_seq = SEALED * SEGMENT_SIZE
  await sql`update feed_head set next_seq = ${sealed_seq + 1}, sealed_seq = ${sealed_seq} where feed_id = ${feed}`.execute(
    w.t.owner,
  )
  t = await anApp(w)
})
afterAll(async () => {
  await t.app.close()
  await closeServers()
  await w.end()
})
beforeEach(() => t.connect(banana))

const firstOf = (i: number): number => 1 + i * SEGMENT_SIZE
/** Of more bytes than a stream reads ahead, whether packed or not. */
const textOf = (i: number, generation = 0): string =>
  `{"seq":"${firstOf(i)}","salt":"${toHex(shake(`${i}.${generation}`, 100_000))}"}\n`
const bytesOf = (i: number, generation = 0): Buffer => brotliCompressSync(textOf(i, generation))
const shake = (seed: string, outputLength: number): Buffer =>
  createHash('shake256', { outputLength }).update(seed).digest()

/** As the sealer would, of a text that a test can make. */
async function seal(i: number, generation = 0): Promise<void> {
  const bytes = bytesOf(i, generation)
  const sets = JSON.stringify([['apple', 1, 'A'.repeat(43)]])
  await sql`insert into feed_segment (feed_id, first_seq, generation, n, digest, set_salt, sets, bytes)
    values (${feed}, ${firstOf(i)}, ${generation}, ${SEGMENT_SIZE}, ${sha256(bytes)}, ${Buffer.alloc(32)}, ${sets}, ${bytes})`.execute(
    w.t.owner,
  )
}

interface Given {
  first_seq: string
  size: number
  cursor: string
  read: string
  bytes: Buffer
}

/** What stands in an answer. */
function givenIn(run: Buffer): Given[] {
  const given: Given[] = []
  for (let at = 0; at < run.length; ) {
    const end = run.indexOf('\n', at)
    const head = JSON.parse(run.toString('utf8', at, end)) as Omit<Given, 'bytes'>
    at = end + 1 + head.size
    given.push({ ...head, bytes: run.subarray(end + 1, at) })
  }
  return given
}

async function untilItEnds(body: Readable): Promise<{ whole: Buffer; error: unknown }> {
  const came: Buffer[] = []
  try {
    for await (const chunk of body) came.push(chunk)
    return { whole: Buffer.concat(came), error: undefined }
  } catch (error) {
    return { whole: Buffer.concat(came), error }
  }
}

const asked = (first: number, count: number | string) =>
  t.app.inject(`/v1/feeds/${feed}/segments/${first}?count=${count}`)
const run = (by: Party, i: number, count: number) =>
  w.feeds.segments(w.reader(by), feed, { first_seq: BigInt(firstOf(i)), count })

/** The first ones, out of files that a test makes. */
const runFrom = (open: SegmentFiles['open'], count: number) =>
  createSegmentReads(
    {
      ...{ db: w.t.app, directory: w.authority, provenance: w.provenance, cursorKey: w.cursorKey },
      segments: { ...w.segments, open },
      deltaKey: { kid: 'receipt', sign: (data) => w.keys.sign('receipt', data) },
    },
    ({ participant }, id) =>
      w.authority.feedsOf(participant).find(({ feed_id }) => feed_id === id) ?? expect.fail('no feed'),
  ).segments(w.reader(banana), feed, { first_seq: 1n, count })

/** Rows of a participant in the journal, each written by one commit: how many reads each holds. */
const journalOf = ({ participant }: Party) =>
  w.t.owner.selectFrom('read_journal').select(['journal_id', 'n']).where('participant_id', '=', participant).execute()

describe('a run of segments', () => {
  test('gives each behind a head of its own: its bytes as stored, its record, and the cursor behind it', async () => {
    const answer = await asked(1, 3)
    expect(answer.headers).toMatchObject({
      ...{ 'content-type': SEGMENTS_TYPE, 'cache-control': 'no-store' },
      'content-length': String(answer.rawPayload.length),
    })
    const given = givenIn(answer.rawPayload)
    expect(given.map(({ first_seq, cursor }) => [first_seq, cursor])).toEqual(
      [0, 1, 2].map((i) => [
        String(firstOf(i)),
        encodeCursor(w.cursorKey, { feed, seq: BigInt(firstOf(i) + SEGMENT_SIZE - 1) }),
      ]),
    )
    expect(given.map(({ bytes }) => bytes)).toEqual([0, 1, 2].map((i) => bytesOf(i)))
    for (const { read } of given) expect(read).toMatch(/^[0-9a-f-]{36}\.[0-9]+ [A-Za-z0-9_-]{43}$/)
    expect(new Set(given.map(({ read }) => read)).size).toBe(3)
  })
  test('is journaled by one commit before its first byte, as many reads as segments', async () => {
    const before = new Set((await journalOf(banana)).map(({ journal_id }) => journal_id))
    const { body } = await run(banana, 1, 4)
    const rows = (await journalOf(banana)).filter(({ journal_id }) => !before.has(journal_id))
    body.destroy()
    expect(rows.map(({ n }) => n)).toEqual([4])
  })
  test('is told of once it is written, so that its memory serves the next', async () => {
    let told = 0
    const feeds: World['feeds'] = {
      ...w.feeds,
      segments: async (...run) => {
        const disclosed = await w.feeds.segments(...run)
        const written = () => {
          told += 1
        }
        return { ...disclosed, written }
      },
    }
    const own = await anApp({ ...w, feeds })
    own.connect(banana)
    expect((await own.app.inject(`/v1/feeds/${feed}/segments/1?count=3`)).statusCode).toBe(200)
    expect(told).toBe(1)
    await own.app.close()
  })
  test('ends with the last that is sealed, and has no more than are asked for', async () => {
    expect(givenIn((await asked(firstOf(SEALED - 2), 5)).rawPayload)).toHaveLength(2)
    expect(givenIn((await asked(1, SEGMENTS_MAX)).rawPayload)).toHaveLength(SEGMENTS_MAX)
    expect(givenIn((await asked(1, 1)).rawPayload)).toHaveLength(1)
  })
  test.for([0, SEGMENTS_MAX + 1, -1, 'x', '1.5', ''])('of %s is refused and journals nothing', async (count) => {
    const before = await journalOf(banana)
    const answer = await asked(1, count)
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'invalid-query' }])
    expect(await journalOf(banana)).toEqual(before)
  })
  test('that begins at no segment, or in a feed of others, is not found', async () => {
    expect((await asked(2, 3)).json()).toMatchObject({ code: 'not-found' })
    expect((await asked(firstOf(SEALED), 3)).json()).toMatchObject({ code: 'not-found' })
    t.connect(cherry)
    expect((await asked(1, 3)).json()).toMatchObject({ code: 'not-found' })
  })
  test('is not given out while the log is behind', async () => {
    w.weather.healthy = false
    expect((await asked(1, 3)).json()).toMatchObject({ code: 'log-behind' })
    w.weather.healthy = true
  })
  test('has of each segment the newest generation alone, and ends at one that an erasure replaced meanwhile', async () => {
    await seal(6, 1)
    const at = SEALED - 1
    const { body, size } = await run(banana, 6, SEGMENTS_MAX)
    await sql`delete from feed_segment where feed_id = ${feed} and first_seq = ${firstOf(at)}`.execute(w.t.owner)
    await seal(at, 1)
    const { whole, error } = await untilItEnds(body)
    expect([error, whole.length < size]).toMatchObject([{ code: 'not-found' }, true])
    const given = givenIn(whole)
    expect(given.map(({ first_seq }) => first_seq)).toEqual(
      Array.from({ length: at - 6 }, (_, i) => String(firstOf(6 + i))),
    )
    expect(given[0]?.bytes).toEqual(bytesOf(6, 1))
  })
  test('ends where its feed is paused', async () => {
    const { body, size } = await run(banana, 0, 3)
    await once(body, 'readable')
    await w.decide('feed.pause', { feed, reason: 'anomaly' })
    const { whole, error } = await untilItEnds(body)
    expect([error, whole.length < size]).toMatchObject([{ code: 'feed-paused' }, true])
    expect(givenIn(whole).map(({ first_seq }) => first_seq)).toEqual(['1'])
    expect((await asked(1, 3)).json()).toMatchObject({ code: 'feed-paused' })
    await w.decide('feed.resume', { feed })
  })
  test('opens one while the one before it is given out, not all at once, and closes what its reader leaves', async () => {
    const opened: Readable[] = []
    const { body } = await runFrom(async ({ size }) => {
      opened.push(Readable.from([Buffer.alloc(size)], { objectMode: false }))
      return opened.at(-1)
    }, 5)
    const parts = body[Symbol.asyncIterator]()
    await parts.next()
    await vi.waitFor(() => expect(opened.length).toBeGreaterThanOrEqual(2), 20_000)
    // A head, and what stands behind it; the answer itself is ahead of its reader by one.
    expect(opened.length).toBeLessThanOrEqual(3)
    body.destroy()
    await vi.waitFor(() => expect(opened.filter(({ destroyed }) => !destroyed)).toEqual([]), 20_000)
    expect(opened.length).toBeLessThanOrEqual(3)
  })
  test('whose file cannot be read on ends there, with what stood before it', async () => {
    let n = 0
    const { body } = await runFrom(async ({ size }) => {
      n += 1
      const fails = n === 2
      return new Readable({
        read() {
          if (fails) this.destroy(new RangeError('no such sector'))
          else {
            this.push(Buffer.alloc(size))
            this.push(null)
          }
        },
      })
    }, 3)
    // It fails while the one before it is still being taken, when nobody reads it yet.
    await once(body, 'readable')
    await vi.waitFor(() => expect(n).toBe(2), 20_000)
    await new Promise((resolve) => setImmediate(resolve))
    const { whole, error } = await untilItEnds(body)
    expect(error).toBeInstanceOf(RangeError)
    expect(whole.length).toBeGreaterThan(bytesOf(0).length)
    expect(n).toBeLessThanOrEqual(3)
  })
  test('that its reader leaves closes what was opened ahead, also when opening it took longer', async () => {
    const late = Promise.withResolvers<void>()
    const opened: Readable[] = []
    const { body } = await runFrom(async ({ size }) => {
      if (opened.length === 1) await late.promise
      opened.push(Readable.from([Buffer.alloc(size)], { objectMode: false }))
      return opened.at(-1)
    }, 3)
    await once(body, 'readable')
    body.destroy()
    late.resolve()
    await vi.waitFor(() => expect(opened.map(({ destroyed }) => destroyed)).toEqual([true, true]), 20_000)
  })
  test('is written over by no other answer while whoever sends it still holds it', async () => {
    const count = SEGMENTS_MAX
    // So that each is a file by now.
    expect((await asked(1, count)).statusCode).toBe(200)
    const sent = async (): Promise<string[]> => {
      const came: Buffer[] = []
      const sender = new Writable({
        highWaterMark: 1e9,
        write: (chunk: Buffer, _, done) =>
          void setTimeout(() => {
            came.push(Buffer.from(chunk))
            done()
          }, 2),
      })
      const unsent = () => sender.writableLength
      const { body } = await w.feeds.segments(w.reader(banana), feed, { first_seq: 1n, count, unsent })
      await pipeline(body, sender)
      return givenIn(Buffer.concat(came)).map(({ bytes }) => toHex(sha256(bytes)))
    }
    const { rows } = await sql<{ digest: Buffer }>`select distinct on (first_seq) digest from feed_segment
      where feed_id = ${feed} order by first_seq, generation desc limit ${count}`.execute(w.t.owner)
    const digests = rows.map(({ digest }) => toHex(digest))
    expect(await Promise.all([sent(), sent(), sent()])).toEqual([digests, digests, digests])
  })
  test('is read by a client as its segments, one after the other', async () => {
    const answer = await asked(1, 5)
    const pki = await testPki()
    const server = await serve(pki, (_, response) => {
      response.writeHead(200, { 'content-type': SEGMENTS_TYPE })
      response.end(answer.rawPayload)
    })
    const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('aspen')) })
    const segments = await client.segments(feed, 1n, 5)
    const read: string[] = []
    for (let one = await segments.next(); one !== undefined; one = await segments.next())
      read.push(String(await one.body()))
    expect(read).toEqual([0, 1, 2, 3, 4].map((i) => textOf(i)))
    expect(server.requests.map(({ path }) => path)).toEqual([`/v1/feeds/${feed}/segments/1?count=5`])
    client.close()
  })
})
