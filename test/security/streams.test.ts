import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignedSubmission } from '../../src/signals/submission.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { type Answer, CANARY, type Caller, callerOf, changesNothing, received, repeated, signTexts } from './world.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const NDJSON = 'application/x-ndjson'
const MAIL = 'fig.tree@mail.example'

let n: TestNode
let apple: Member
let banana: Member
let client: Caller
let audience: Uuid
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  client = callerOf(n, apple)
  audience = await apple.everybody()
  await apple.item({ type: 'url', raw: 'https://bad.example/a' }, audience)
})
afterAll(async () => {
  client.close()
  await n.end()
})

const good = async (): Promise<string> => {
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, audience)
  return JSON.stringify({ ...item, note: CANARY })
}
const linesOf = ({ jws, items }: SignedSubmission): string[] => [{ jws }, ...items].map((one) => JSON.stringify(one))
const signed = async (...texts: string[]): Promise<string[]> => linesOf(await signTexts(apple, texts))
const send = (lines: readonly string[], upload: string = newId(new Date())): Promise<Answer> =>
  client.ask({
    ...{ method: 'POST', path: '/v1/submissions/stream', body: lines.map((line) => `${line}\n`).join('') },
    headers: { 'content-type': NDJSON, 'upload-id': upload },
  })
const told = ({ text }: Answer): Record<string, unknown>[] =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]))

type Case = readonly [what: string, lines: () => Promise<readonly string[]>, code: ErrorCode]

const replaced = (change: (line: string, all: readonly string[]) => string) => async (): Promise<string[]> => {
  const all = await signed(await good())
  return all.map((line, i) => (i === 1 ? change(line, all) : line))
}

const REFUSED: readonly Case[] = [
  ['no JSON', async () => [CANARY], 'invalid-json'],
  ['an item without a submission', async () => (await signed(await good())).slice(1), 'validation-failed'],
  ['a submission without its items', async () => (await signed(await good())).slice(0, 1), 'validation-failed'],
  [
    'a line of more than 64 KiB',
    replaced((line) => line.replace('"salt"', `${' '.repeat(65_536)}"salt"`)),
    'item-limit',
  ],
  ['an item of more than 16 KiB', async () => signed('p'.repeat(16_385)), 'item-limit'],
  ['an item of more bytes than characters', async () => signed('é'.repeat(9_000)), 'item-limit'],
  ['a member twice', replaced((line) => line.replace('{', '{"salt":"x",')), 'json-strict'],
  ['an address for a member, twice', replaced((line) => line.replace('{', `{"${MAIL}":1,"${MAIL}":1,`)), 'json-strict'],
  ['an unknown member', replaced((line) => line.replace('{', `{"plover":"${CANARY}",`)), 'validation-failed'],
  ['a lone surrogate', replaced((line) => line.replace('"item":"', '"item":"\\ud800')), 'json-strict'],
  ['another item', replaced((line) => line.replace('grooming', 'trafficking')), 'signature-invalid'],
  [
    'the submission of another participant',
    async () => linesOf(await signTexts(banana, [await good()])),
    'wrong-issuer',
  ],
  [
    'one for another node',
    async () => linesOf(await signTexts(apple, [await good()], { aud: CANARY })),
    'wrong-audience',
  ],
  [
    'one of last month',
    async () => linesOf(await signTexts(apple, [await good()], { now: new Date(0) })),
    'submission-stale',
  ],
]

describe('a stream', () => {
  test.for(REFUSED)('with %s is told so on a line, and nothing changes', async ([, lines, code]) => {
    const sent = await lines()
    const answer = await changesNothing(n.t, () => send(sent))
    expect([answer.status, answer.headers['content-type']]).toEqual([200, NDJSON])
    expect(told(answer).map((line) => line['code'])).toEqual([code])
    expect(repeated(answer.text, [MAIL, 'bad.example'])).toEqual([])
  })

  test('of nothing changes nothing', async () => {
    expect(told(await changesNothing(n.t, () => send([])))).toEqual([])
    expect(told(await changesNothing(n.t, () => send(['', '', ''])))).toEqual([])
  })

  test('has its good lines taken, whatever stands between them', async () => {
    const parts = [
      await signed(await good()),
      [CANARY],
      await signed('{', await good()),
      ['{}'],
      await signed(await good()),
    ]
    const answer = told(await send(parts.flat()))
    const submissions = answer.filter(({ accepted }) => accepted !== undefined)
    expect(submissions.map(({ accepted, refused }) => [accepted, refused])).toEqual([
      [1, 0],
      [1, 1],
      [1, 0],
    ])
    expect(answer.flatMap(({ code }) => code ?? [])).toEqual(['invalid-json', 'invalid-json', 'validation-failed'])
  })

  test('goes on after a refusal at the line that it stopped at, and a repetition changes nothing', async () => {
    const [upload, first] = [newId(new Date()), await signed(await good())]
    const answer = await send(first, upload)
    expect(await apple.client.nextLine(upload)).toBe(3n)
    expect((await changesNothing({ owner: n.t.owner }, () => apple.client.nextLine(upload))).toString()).toBe('3')
    const again = told(await send(first, upload))
    expect(again).toEqual(told(answer))
  })

  test('of another participant’s upload is one’s own', async () => {
    const upload = newId(new Date())
    await send(await signed(await good()), upload)
    expect(await banana.client.nextLine(upload)).toBe(1n)
  })
})

describe('a stream without end', () => {
  /** A connection that sends pieces of a body until it is told to stop or the node has heard enough. */
  async function pour(pieces: (i: number) => Buffer | undefined): Promise<{ text: string; grown: number }> {
    const socket = await client.dial()
    const answer = received(socket, (text) => text.endsWith('0\r\n\r\n'))
    const head = [`host: x`, `content-type: ${NDJSON}`, `upload-id: ${newId(new Date())}`, 'transfer-encoding: chunked']
    socket.write(`POST /v1/submissions/stream HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`)
    const before = inUse()
    let most = before
    const closed = once(socket, 'close').then(() => true)
    for (let i = 0, piece = pieces(0); piece !== undefined; i += 1, piece = pieces(i)) {
      if (i % 16 === 15) most = Math.max(most, inUse())
      if (!write(socket, piece) && (await Promise.race([once(socket, 'drain').then(() => false), closed]))) break
    }
    socket.write('0\r\n\r\n')
    const text = await answer
    socket.destroy()

    return { text, grown: most - before }
  }

  const write = (socket: TLSSocket, piece: Buffer): boolean => {
    socket.write(`${piece.length.toString(16)}\r\n`)
    socket.write(piece)
    return socket.write('\r\n')
  }

  /** Bytes that are in use in this process, in which the node lives; what is only not collected yet is not. */
  function inUse(): number {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }

  test('of empty lines is ended by their number', async () => {
    const lines = Buffer.from('\n'.repeat(65_536))
    const { text } = await pour((i) => (i < 20 ? lines : undefined))
    expect(text).toContain('"code":"too-large"')
  })

  test('of one line takes no memory', async () => {
    const piece = Buffer.alloc(1_048_576, 'p')
    const { text, grown } = await pour((i) => (i < 80 ? piece : undefined))
    expect(text).toContain('"code":"item-limit"')
    expect(grown).toBeLessThan(48 * 1_048_576)
  })

  test('of items that are too large takes the memory of none of them', async () => {
    const { jws } = await signTexts(apple, Array(1_000).fill('"x"'))
    const begin = Buffer.from(`${JSON.stringify({ jws })}\n`)
    const items = Buffer.from(`${JSON.stringify({ salt: 'A'.repeat(22), item: 'p'.repeat(65_000) })}\n`.repeat(10))
    const { text, grown } = await pour((i) => (i >= 202 ? undefined : i % 101 === 0 ? begin : items))
    expect(text.match(/"code":"item-limit"/g)).toHaveLength(2)
    expect(grown).toBeLessThan(48 * 1_048_576)
  })
})

const JSON_BODY = 'content-type: application/json'
const LINES = `content-type: ${NDJSON}`
const CHUNKS = 'transfer-encoding: chunked'

test.for<[what: string, path: string, headers: string[], code: ErrorCode]>([
  ['announced', '/v1/submissions', [JSON_BODY, 'content-length: 4194305'], 'too-large'],
  ['without end', '/v1/submissions', [JSON_BODY, CHUNKS], 'too-large'],
  ['to nowhere', '/v1/nowhere', [JSON_BODY, CHUNKS], 'too-large'],
  ['encoded', '/v1/submissions', [JSON_BODY, CHUNKS, 'content-encoding: gzip'], 'unsupported-media-type'],
  ['of no upload', '/v1/submissions/stream', [LINES, CHUNKS], 'invalid-header'],
  ['of another type', '/v1/submissions/stream', ['content-type: text/csv', CHUNKS], 'unsupported-media-type'],
])('a body %s is not read to its end', async ([, path, headers, code]) => {
  const socket = await client.dial()
  const answer = received(socket)
  socket.write(`POST ${path} HTTP/1.1\r\n${['host: x', ...headers].join('\r\n')}\r\n\r\n`)
  const piece = Buffer.from(`10000\r\n${'p'.repeat(65_536)}\r\n`)
  const timer = setInterval(() => socket.writable && socket.writableLength < 1e6 && socket.write(piece), 1)
  const text = await answer
  clearInterval(timer)
  expect(text.slice(0, text.indexOf('\r\n\r\n')).toLowerCase()).toContain('connection: close')
  expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ code })
  expect(socket.bytesWritten).toBeLessThan(64 * 1_048_576)
})

test('a credential has as many streams of submissions and uploads open as the limit says; one that ended makes room', async () => {
  const begin = async (path: string): Promise<TLSSocket> => {
    const socket = await client.dial()
    const [method, ...more] = path.endsWith('stream') ? ['POST', `upload-id: ${newId(new Date())}`] : ['PUT']
    socket.write(`${method} ${path} HTTP/1.1\r\n${['host: x', LINES, CHUNKS, ...more].join('\r\n')}\r\n\r\n`)
    return socket
  }
  const openNow = async (): Promise<unknown> => {
    const { text } = await client.ask({ method: 'GET', path: '/v1/limits' })
    const [key] = (JSON.parse(text) as { credentials: { limits: { name: string; used: number }[] }[] }).credentials
    return key?.limits.find(({ name }) => name === 'uploads_per_credential')?.used
  }
  const most = LIMITS.uploads_per_credential
  const paths = Array.from({ length: most }, (_, i) =>
    i % 2 === 0 ? '/v1/submissions/stream' : `/v1/uploads/${newId(new Date())}`,
  )
  const sockets = await Promise.all(paths.map(begin))
  await expect.poll(openNow).toBe(most)
  for (const path of paths.slice(0, 2)) {
    const refused = await begin(path)
    expect(await received(refused)).toMatch(/^HTTP\/1\.1 429 [\s\S]*"code":"stream-limit"/)
    refused.destroy()
  }
  sockets.pop()?.destroy()
  await expect.poll(openNow).toBe(most - 1)
  expect(told(await send(await signed(await good())))).toMatchObject([{ status: 201 }, { accepted: 1 }])
  for (const socket of sockets) socket.destroy()
})

test('a caller that leaves in the middle is no fault of the node', async () => {
  const before = n.logged().length
  const { feeds } = await apple.client.feeds()
  const inbox = feeds.find(({ kind }) => kind === 'inbox')
  const bodies = ['/v1/lookups', '/v1/submissions', '/v1/submissions/stream'].map((path) => {
    const type = path.endsWith('stream') ? NDJSON : 'application/json'
    const headers = `host: x\r\nupload-id: ${newId(new Date())}\r\ncontent-type: ${type}\r\ncontent-length: 100`
    return `POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n{"jws":`
  })
  const waiting = `GET /v1/feeds/${inbox?.feed}/events?wait=30 HTTP/1.1\r\nhost: x\r\n\r\n`
  for (const text of [...bodies, waiting]) {
    const socket = await client.dial()
    socket.write(text)
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.destroy()
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  const errors = n
    .logged()
    .slice(before)
    .split('\n')
    .filter((line) => line.includes('"level":"error"'))
  // A loop that found the database busy is no matter of any caller's.
  expect(errors.filter((line) => !line.includes('"event":"a loop failed"'))).toEqual([])
})
