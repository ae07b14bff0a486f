import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bodyOf, bytesOf, expectType } from '../../src/bridge/body.ts'
import { BRIDGE_LIMITS } from '../../src/bridge/limits.ts'
import { MatchBody } from '../../src/bridge/schema.ts'
import { type BridgeServer, type Route, startServer } from '../../src/bridge/server.ts'
import { answerStream } from '../../src/bridge/stream.ts'
import { Refusal } from '../../src/kernel/errors.ts'

let server: BridgeServer
const held: (() => void)[] = []
const answered: [string, number][] = []
const faults: [string, unknown][] = []
/** Groups of lines that the stream was asked to answer. */
let groups = 0

const routes: Route[] = [
  { method: 'GET', path: '/livez', probe: true, answer: async () => ({ status: 200, body: '{}' }) },
  {
    ...{ method: 'POST', path: '/v1/match' },
    answer: async (incoming) => {
      expectType(incoming, 'application/json')
      return { status: 200, body: JSON.stringify(bodyOf(MatchBody)(await bytesOf(incoming))) }
    },
  },
  {
    method: 'GET',
    path: '/v1/outbox/:id',
    answer: async (_in, _out, { id }) => ({ status: 200, body: JSON.stringify({ id }) }),
  },
  {
    ...{ method: 'POST', path: '/v1/slow' },
    answer: async (incoming) => {
      await bytesOf(incoming)
      await new Promise<void>((resolve) => held.push(resolve))
      return { status: 200, body: '{}' }
    },
  },
  { method: 'GET', path: '/v1/broken', answer: async () => Promise.reject(new TypeError('plum@mail.example')) },
  {
    ...{ method: 'POST', path: '/v1/stream', stream: true },
    answer: async (incoming, response) => {
      await answerStream(incoming, response, async (queries) => {
        groups += 1
        if (JSON.stringify(queries).includes('stale')) throw new Refusal('mirror-stale')
        return queries.map(() => ({ outcome: 'none', detail: 'x'.repeat(4_096) }))
      })
      return undefined
    },
  },
]

beforeEach(async () => {
  answered.length = 0
  faults.length = 0
  groups = 0
  server = await startServer({
    ...{ routes, place: { host: '127.0.0.1', port: 0 }, hasSecret: (text) => text === 'Bearer pear' },
    requestMs: 300,
    onAnswered: (route, status) => answered.push([route, status]),
    onFault: (route, error) => faults.push([route, error]),
  })
})
afterEach(() => server.close())

interface Sent {
  method?: string
  path?: string
  body?: string | Buffer
  headers?: Record<string, string>
}

/** Status and text of an answer; 0 where the connection ended. */
function send({
  method = 'POST',
  path = '/v1/match',
  body = '',
  headers = {},
}: Sent): Promise<[number, string, string]> {
  const all = { authorization: 'Bearer pear', 'content-type': 'application/json', ...headers }
  return new Promise((resolve) => {
    const out = request(new URL(path, server.origin), { method, headers: all, agent: false }, async (message) => {
      const chunks: Buffer[] = []
      for await (const chunk of message) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      resolve([message.statusCode ?? 0, text, String(message.headers['content-type'])])
    })
    out.on('error', () => resolve([0, '', '']))
    out.end(body)
  })
}
const codeOf = async (sent: Sent): Promise<string> =>
  String((JSON.parse((await send(sent))[1]) as { code?: string }).code)

describe('is refused by name', () => {
  test.each([
    ['a body that is no JSON', { body: 'pear' }, 'invalid-json'],
    ['a key twice', { body: '{"queries":[],"queries":[]}' }, 'json-strict'],
    ['bytes that are no UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]) }, 'json-strict'],
    ['a lone surrogate', { body: '{"queries":["\\ud800"]}' }, 'json-strict'],
    ['a body that is too deep', { body: '['.repeat(9) }, 'json-limit'],
    ['a text that is too long', { body: `{"queries":["${'x'.repeat(BRIDGE_LIMITS.line_bytes + 1)}"]}` }, 'json-limit'],
    ['too many queries', { body: `{"queries":[${'1,'.repeat(BRIDGE_LIMITS.queries)}1]}` }, 'json-limit'],
    ['no query', { body: '{"queries":[]}' }, 'validation-failed'],
    ['an unknown member', { body: '{"queries":[1],"help":1}' }, 'validation-failed'],
    ['another type', { headers: { 'content-type': 'text/plain' } }, 'unsupported-media-type'],
    [
      'a type with more to it',
      { headers: { 'content-type': 'application/json; charset=utf-7' } },
      'unsupported-media-type',
    ],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 'unsupported-media-type'],
    ['a body that is too long', { body: ' '.repeat(BRIDGE_LIMITS.body_bytes + 1) }, 'too-large'],
    ['another path', { path: '/v1/plum' }, 'not-found'],
    ['a path within a path', { path: '/v1/outbox/a/b' }, 'not-found'],
    ['another method', { method: 'PUT' }, 'method-not-allowed'],
    ['another secret', { headers: { authorization: 'Bearer plum' } }, 'bridge-secret'],
    [
      'another secret, at a path that is not there',
      { path: '/v1/plum', headers: { authorization: 'x' } },
      'bridge-secret',
    ],
    ['a query', { path: '/v1/match?value=plum' }, 'invalid-query'],
    ['a page', { headers: { origin: 'http://127.0.0.1' } }, 'bridge-foreign'],
    ['another name', { headers: { host: 'bridge.example:8480' } }, 'bridge-foreign'],
  ] as const)('%s', async (_what, sent, code) => {
    expect(await codeOf(sent)).toBe(code)
  })

  test('a head that is too long: the connection ends', async () => {
    expect((await send({ headers: { pear: 'x'.repeat(BRIDGE_LIMITS.header_bytes) } }))[0]).toBe(431)
  })

  test('one body more than are read at once, and let in again once one is answered', async () => {
    const waiting = Array.from({ length: BRIDGE_LIMITS.bodies_at_once }, () => send({ path: '/v1/slow' }))
    let code = ''
    while (code !== 'busy') code = await codeOf({ body: '{"queries":[1]}' })
    while (held.length < BRIDGE_LIMITS.bodies_at_once) await new Promise((resolve) => setImmediate(resolve))
    for (const release of held.splice(0)) release()
    await Promise.all(waiting)
    expect((await send({ body: '{"queries":[1]}' }))[0]).toBe(200)
  })
})

test('a body that does not arrive in time is refused, and its place is free again', async () => {
  const { port } = new URL(server.origin)
  const socket = connect(Number(port), '127.0.0.1')
  let got = ''
  socket.on('data', (bytes) => {
    got += bytes.toString()
  })
  const head = `POST /v1/match HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer pear\r\nContent-Type: application/json`
  socket.write(`${head}\r\nContent-Length: 100\r\n\r\n{"queries":`)
  await once(socket, 'close')
  expect(got).toContain('408')
  expect(got).toContain('request-timeout')
})

test('a fault tells its client nothing, and those who watch its class alone', async () => {
  const [status, text, type] = await send({ method: 'GET', path: '/v1/broken' })
  expect([status, type]).toEqual([500, 'application/problem+json'])
  expect(text).not.toContain('plum')
  expect(faults).toMatchObject([['/v1/broken', expect.any(TypeError)]])
})

test('what is counted is the pattern of the route, never the URL', async () => {
  await send({ method: 'GET', path: '/v1/outbox/plum@mail.example' })
  await send({ method: 'GET', path: '/plum@mail.example' })
  await expect
    .poll(() => answered)
    .toEqual([
      ['/v1/outbox/:id', 200],
      ['unknown', 404],
    ])
})

test('probes need no secret, and are closed to pages all the same', async () => {
  expect((await send({ method: 'GET', path: '/livez', headers: { authorization: '' } }))[0]).toBe(200)
  expect((await send({ method: 'GET', path: '/livez', headers: { 'sec-fetch-site': 'cross-site' } }))[0]).toBe(403)
})

describe('a stream', () => {
  const headers = { 'content-type': 'application/x-ndjson' }

  test('that can be answered no longer says so in its last line', async () => {
    const [status, text] = await send({ path: '/v1/stream', headers, body: `1\n\n${'2\n'.repeat(200)}"stale"\n` })
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line?: number; code?: string })
    expect([status, lines.at(-1)]).toEqual([200, { outcome: 'ended', code: 'mirror-stale' }])
    expect(lines.slice(0, 3).map(({ line }) => line)).toEqual([1, 3, 4])
  })

  /** A stream whose answers nobody takes, sent so many pieces and until no more of it is answered. */
  async function untaken(least: number) {
    const { port } = new URL(server.origin)
    const socket = connect(Number(port), '127.0.0.1').pause()
    const head = `POST /v1/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer pear\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n`
    const piece = '1\n'.repeat(4_096)
    const chunk = `${piece.length.toString(16)}\r\n${piece}\r\n`
    socket.write(head)
    // Until nothing more is taken on either side.
    let [sent, before] = [0, -1]
    while (groups !== before || sent < least) {
      before = groups
      sent += 1
      socket.write(chunk)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return { lines: sent * 4_096, socket }
  }

  test('whose answers nobody takes is read no further', async () => {
    const { lines, socket } = await untaken(20)
    expect(groups * BRIDGE_LIMITS.lines_at_once).toBeLessThan(lines)
    socket.destroy()
    await once(socket, 'close')
  })

  test('that its client leaves in the midst of the answers gives its place to another', async () => {
    for (let n = 0; n < BRIDGE_LIMITS.streams_at_once; n++) {
      const { socket } = await untaken(4)
      socket.destroy()
      await once(socket, 'close')
    }
    await expect.poll(async () => (await send({ path: '/v1/stream', headers, body: '1\n' }))[0]).toBe(200)
  })
})
