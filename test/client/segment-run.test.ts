import { once } from 'node:events'
import { brotliCompressSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import { unpacked } from '../../src/client/segment-body.ts'
import type { SegmentRun } from '../../src/client/segment-run.ts'
import { SEGMENTS_TYPE } from '../../src/feeds/schema.ts'
import { idOf } from '../signals/factory.ts'
import { type TestPki, testPki } from '../support/pki.ts'
import { type Answerer, closeServers, identityOf, serve } from './server.ts'
import { segmentRead } from './source.ts'

const clients: Client[] = []
let pki: TestPki

beforeAll(async () => {
  pki = await testPki()
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await closeServers()
})

/** What a client is answered when it asks for a run. */
async function runOf(answer: Answerer): Promise<SegmentRun> {
  const server = await serve(pki, answer)
  const client = createClient({ origin: server.origin, ...identityOf(await pki.participant('aspen')) })
  clients.push(client)
  return client.segments(idOf(1), 1n, 16)
}

const headOf = (size: number, n: number): string =>
  `${JSON.stringify({ first_seq: `${n}`, size, cursor: `c${n}`, read: segmentRead(n) })}\n`
/** A run of texts, each packed behind its head. */
const packed = (texts: readonly string[]): Buffer =>
  Buffer.concat(
    texts.flatMap((text, n) => {
      const body = brotliCompressSync(text)
      return [Buffer.from(headOf(body.length, n)), body]
    }),
  )
const answering =
  (pieces: readonly Buffer[]): Answerer =>
  async (_, response) => {
    response.writeHead(200, { 'content-type': SEGMENTS_TYPE })
    for (const piece of pieces) if (!response.write(piece)) await once(response, 'drain')
    response.end()
  }

async function textsIn(run: SegmentRun): Promise<[string, string, string][]> {
  const texts: [string, string, string][] = []
  for (let one = await run.next(); one !== undefined; one = await run.next())
    texts.push([one.cursor, one.read, String(await one.body())])
  return texts
}

describe('a run of segments', () => {
  test('is the same however its bytes are cut on their way', async () => {
    const cases = fc.record({
      texts: fc.array(fc.string({ maxLength: 200 }), { maxLength: 6 }),
      cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
    })
    await fc.assert(
      fc.asyncProperty(cases, async ({ texts, cuts }) => {
        const whole = packed(texts)
        const places = [0, ...cuts.filter((at) => at < whole.length).sort((a, b) => a - b), whole.length]
        const pieces = places.slice(1).map((end, i) => whole.subarray(places[i], end))
        expect(await textsIn(await runOf(answering(pieces)))).toEqual(
          texts.map((text, n) => [`c${n}`, segmentRead(n), text]),
        )
      }),
      { numRuns: 40 },
    )
  })
  test('is its one segment where an older node knows of no runs', async () => {
    const run = await runOf((_, response) => {
      response.writeHead(200, { 'feed-cursor': 'after', 'provenance-read': segmentRead(1) })
      response.end(brotliCompressSync('lines'))
    })
    expect(await textsIn(run)).toEqual([['after', segmentRead(1), 'lines']])
  })
  test.for([
    ['feed-cursor', 'feed'],
    ['provenance-read', 'read'],
  ] as const)('fails by name and ends its connection where one segment has no %s', async ([left, step]) => {
    let ended = false
    const answer: Answerer = ({ socket }, response) => {
      socket.once('close', () => {
        ended = true
      })
      const headers = { 'feed-cursor': 'after', 'provenance-read': segmentRead(1) }
      response.writeHead(200, Object.fromEntries(Object.entries(headers).filter(([name]) => name !== left)))
      response.write(brotliCompressSync('lines'))
    }
    await expect(runOf(answer)).rejects.toMatchObject({
      ...{ name: 'VerificationFailed', step },
    })
    await vi.waitFor(() => expect(ended).toBe(true), 20_000)
  })
  test('is refused where a segment names no read', async () => {
    const head = (read: string) => Buffer.from(`${JSON.stringify({ size: 4, cursor: 'c', read })}\nbody`)
    for (const read of ['', 'none']) {
      const run = await runOf(answering([head(read)]))
      await expect(run.next()).rejects.toMatchObject({ name: 'VerificationFailed', step: 'read' })
    }
  })
  test('takes the next once the one before was taken, whether that was read or not', async () => {
    const run = await runOf(answering([packed(['one', 'two'])]))
    await run.next()
    expect(String(await (await run.next())?.body())).toBe('two')
    expect(await run.next()).toBeUndefined()
  })
  test('that is not read further ends its connection', async () => {
    let ended = false
    const run = await runOf(({ socket }, response) => {
      socket.once('close', () => {
        ended = true
      })
      response.writeHead(200, { 'content-type': SEGMENTS_TYPE })
      response.write(packed(['one']))
    })
    await (await run.next())?.body()
    run.cancel()
    await vi.waitFor(() => expect(ended).toBe(true), 20_000)
  })
  test('is refused as the node refuses it', async () => {
    await expect(
      runOf((_, response) => {
        response.writeHead(404, { 'content-type': 'application/problem+json' })
        response.end('{"code":"not-found","title":"There is no such object","status":404}')
      }),
    ).rejects.toMatchObject({ code: 'not-found' })
  })

  const unread = {
    name: 'VerificationFailed',
    step: 'feed',
    message: expect.stringMatching(/head that cannot be read/),
  }
  test.for([
    ['no JSON', 'size 4\n'],
    ['no object', 'null\n'],
    ['no size', '{"cursor":"c","read":"r"}\n'],
    ['a size that is no number', '{"size":"4","cursor":"c","read":"r"}\n'],
    ['a size below nothing', '{"size":-1,"cursor":"c","read":"r"}\n'],
    ['a part of a byte', '{"size":0.5,"cursor":"c","read":"r"}\n'],
    ['more bytes than a segment may have', '{"size":268435457,"cursor":"c","read":"r"}\n'],
    ['no cursor', '{"size":4,"read":"r"}\n'],
    ['no record of its read', '{"size":4,"cursor":"c"}\n'],
    ['nothing', '\n'],
  ])('whose head has %s fails by name', async ([, head]) => {
    const run = await runOf(answering([Buffer.from(`${head}text`)]))
    await expect(run.next()).rejects.toMatchObject(unread)
  })

  const cut = { name: 'VerificationFailed', step: 'feed', message: expect.stringMatching(/ends before its end/) }
  test('that ends within a head fails by name', async () => {
    const run = await runOf(answering([Buffer.from('{"size":4,')]))
    await expect(run.next()).rejects.toMatchObject(cut)
  })
  test('whose head has no end within 4,096 bytes is read no further', async () => {
    const run = await runOf((_, response) => {
      response.writeHead(200, { 'content-type': SEGMENTS_TYPE })
      response.write(Buffer.alloc(20_000, ' '))
    })
    await expect(run.next()).rejects.toMatchObject({ name: 'VerificationFailed', step: 'feed' })
  })
  test('that ends within a segment fails by name at that one, and there is no next', async () => {
    const run = await runOf(answering([packed(['one']), Buffer.from(`${headOf(100, 1)}half`)]))
    expect(String(await (await run.next())?.body())).toBe('one')
    const second = await run.next()
    await expect(second?.body()).rejects.toMatchObject(cut)
    await expect(run.next()).rejects.toMatchObject(cut)
  })
  test('whose connection breaks is an error, and no reader waits for its rest', async () => {
    const run = await runOf(({ socket }, response) => {
      response.writeHead(200, { 'content-type': SEGMENTS_TYPE, 'content-length': '10000' })
      response.write(`${headOf(100, 0)}half`, () => socket.destroy())
    })
    await expect((await run.next())?.body()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

test('a segment that unpacks to more than one can have is not unpacked', async () => {
  const body = brotliCompressSync('pear')
  expect(String(await unpacked(body, 4))).toBe('pear')
  await expect(unpacked(body, 3)).rejects.toMatchObject({ name: 'AnswerTooLong' })
})
