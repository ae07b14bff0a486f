import { once } from 'node:events'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { requireScopes } from '../../src/http/instance.ts'
import { LIMITS } from '../../src/http/limits.ts'
import type { Peer } from '../../src/http/peer.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { type Instances, instances, problemIn, type TestInstance, untilClosed } from './instances.ts'

const closed = { additionalProperties: false } as const
const CANARY = 'plum-finch-canary'
const open = { scope: 'public' } as const
const json = { 'content-type': 'application/json' }

let all: Instances
beforeAll(async () => {
  all = await instances()
})
afterEach(() => all.closeAll())

/** Answers what it took. */
function anInstance(): TestInstance {
  const made = all.make()
  const { app } = made
  const body = Type.Object(
    { n: Type.Optional(Type.Integer({ maximum: 9 })), text: Type.Optional(Type.String()), deep: Type.Any() },
    closed,
  )
  app.post('/items', { config: open, schema: { body: Type.Partial(body, closed) } }, async ({ body }) => ({ body }))
  app.post('/long', { config: { ...open, jsonString: 5_000 } }, async () => ({}))
  app.get(
    '/items/:item',
    {
      config: open,
      schema: {
        params: Type.Object({ item: Type.String({ maxLength: 8 }) }, closed),
        querystring: Type.Object({ limit: Type.Optional(Type.Integer({ maximum: 5 })) }, closed),
        headers: Type.Object({ 'x-part': Type.Optional(Type.String({ pattern: '^[0-9]$' })) }),
      },
    },
    async ({ params, query }) => ({ params, query }),
  )
  app.get('/fault', { config: open }, async () => {
    throw new Error(CANARY)
  })
  return made
}

const post = async (
  payload: string | Buffer,
  { url = '/items', headers = json }: { url?: string; headers?: object } = {},
) => anInstance().app.inject({ method: 'POST', url, payload, headers: { ...headers } })
const codeOf = (answer: { json(): { code?: string } }) => answer.json().code

describe('a route', () => {
  test('that names no scope stops the start', () => {
    expect(() => all.make().app.get('/bare', async () => ({}))).toThrow(TypeError)
  })

  test('is closed to a credential without its scope, and says which', async () => {
    const { app } = all.make()
    app.decorateRequest('peer')
    app.addHook('onRequest', async (request) => {
      request.peer = { scopes: String(request.headers['x-scopes'] ?? '').split(' ') } as unknown as Peer
    })
    requireScopes(app)
    app.get('/feed', { config: { scope: 'feed:read' } }, async () => ({}))
    app.get('/whoami', { config: open }, async () => ({}))
    const status = async (url: string, scopes: string) => {
      const answer = await app.inject({ url, headers: { 'x-scopes': scopes } })
      return [answer.statusCode, answer.json().code, answer.json().detail]
    }
    expect(await status('/feed', 'feed:read lookup:open')).toEqual([200, undefined, undefined])
    expect(await status('/feed', 'signals:submit feed:reader')).toEqual([
      403,
      'scope-missing',
      expect.stringContaining('feed:read'),
    ])
    expect((await status('/whoami', ''))[0]).toBe(200)
  })

  test('is served under its methods alone: HEAD would be a read that nobody logs', async () => {
    const { app } = anInstance()
    for (const method of ['HEAD', 'DELETE', 'POST', 'PUT'] as const) {
      const answer = await app.inject({ method, url: '/items/plum' })
      expect([answer.statusCode, answer.headers['allow']], method).toEqual([405, 'GET'])
    }
    const preflight = await app.inject({ method: 'OPTIONS', url: '/items', headers: { origin: 'https://example.com' } })
    expect([preflight.statusCode, codeOf(preflight)]).toEqual([405, 'method-not-allowed'])
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  test('that does not exist is not-found, like an object', async () => {
    const { app } = anInstance()
    for (const url of ['/', '/item', '/items/plum/finch', '/ITEMS/plum', '/items/plum/', '/%E0%A4%A', '/itemsXplum']) {
      const answer = await app.inject(url)
      expect([answer.statusCode, codeOf(answer)], url).toEqual([404, 'not-found'])
    }
  })
})

describe('a body', () => {
  const refused: readonly [what: string, body: string | Buffer, status: number, code: string, pointer?: string][] = [
    ['no JSON', '{"n":1', 400, 'invalid-json'],
    ['nothing', '', 400, 'invalid-json'],
    ['a duplicate key', '{"n":1,"n":1}', 400, 'json-strict', '/n'],
    ['a lone surrogate', '{"text":"\\ud800"}', 400, 'json-strict', '/text'],
    ['bytes that are no UTF-8', Buffer.from('7b2274657874223a22ff227d', 'hex'), 400, 'json-strict'],
    ['a number beyond 2^53', '{"n":9007199254740993}', 400, 'json-strict', '/n'],
    ['nine levels', `{"deep":${'['.repeat(8)}${']'.repeat(8)}}`, 422, 'json-limit', `/deep${'/0'.repeat(7)}`],
    ['65 members', `{"deep":{${Array.from({ length: 65 }, (_, i) => `"m${i}":1`)}}}`, 422, 'json-limit', '/deep'],
    ['4,097 characters', `{"text":"${'p'.repeat(4_097)}"}`, 422, 'json-limit', '/text'],
    ['1,001 items', `{"deep":[${'1,'.repeat(1_000)}1]}`, 422, 'json-limit', '/deep'],
    ['an unknown member', `{"finch":"${CANARY}"}`, 422, 'validation-failed', '/finch'],
    ['a string for a number', '{"n":"1"}', 422, 'validation-failed', '/n'],
    ['a number too high', '{"n":10}', 422, 'validation-failed', '/n'],
  ]
  test.for(refused)('of %s is refused by code and pointer, never by value', async ([, body, status, code, pointer]) => {
    const answer = await post(body)
    expect(answer.json()).toMatchObject({ status, code, type: `/problems/${code}` })
    expect(answer.statusCode).toBe(status)
    if (pointer !== undefined) expect(answer.json().errors).toMatchObject([{ pointer, code }])
    expect(answer.body).not.toContain(CANARY)
  })

  test('at each limit is taken', async () => {
    const { app } = anInstance()
    for (const body of [
      `{"deep":${'['.repeat(7)}${']'.repeat(7)}}`,
      `{"deep":{${Array.from({ length: 64 }, (_, i) => `"m${i}":1`)}}}`,
      `{"text":"${'p'.repeat(4_096)}"}`,
      `{"deep":[${'1,'.repeat(999)}1]}`,
    ]) {
      expect((await app.inject({ method: 'POST', url: '/items', payload: body, headers: json })).statusCode).toBe(200)
    }
  })

  test('may hold longer strings where its route says so, and no longer ones', async () => {
    const text = (length: number) => JSON.stringify('p'.repeat(length))
    expect((await post(text(5_000), { url: '/long' })).statusCode).toBe(200)
    expect(codeOf(await post(text(5_001), { url: '/long' }))).toBe('json-limit')
  })

  test('of 64 KiB is taken and one byte more is not, whether its length is told or not', async () => {
    const fitting = Buffer.from('{}'.padEnd(LIMITS.json_bytes))
    const larger = Buffer.from('{}'.padEnd(LIMITS.json_bytes + 1))
    expect((await post(fitting)).statusCode).toBe(200)
    expect(codeOf(await post(larger))).toBe('too-large')
    const { app } = anInstance()
    const chunked = (payload: Buffer) =>
      app.inject({ method: 'POST', url: '/items', payload: Readable.from([payload]), headers: json })
    expect((await chunked(fitting)).statusCode).toBe(200)
    expect(codeOf(await chunked(larger))).toBe('too-large')
  })

  test('of another type, or encoded, is not taken', async () => {
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-ndjson' },
      { 'content-type': 'multipart/form-data; boundary=x' },
      { 'content-type': '' },
      { ...json, 'content-encoding': 'gzip' },
      { ...json, 'content-encoding': 'identity' },
    ]) {
      const answer = await post('{}', { headers })
      expect([answer.statusCode, codeOf(answer)], JSON.stringify(headers)).toEqual([415, 'unsupported-media-type'])
    }
  })
})

describe('a request', () => {
  const get = (url: string, headers: Record<string, string> = {}) => anInstance().app.inject({ url, headers })

  test('has its query read by the schema: numbers from text, and nothing unknown', async () => {
    expect((await get('/items/plum?limit=5')).json()).toEqual({ params: { item: 'plum' }, query: { limit: 5 } })
    for (const query of [
      'limit=6',
      'limit=plum',
      'limit=1&limit=2',
      'limit=1.5',
      'limit=',
      'limit=true',
      'limit=1e0',
      'limit=%2B1',
      'limit=01',
      'finch=1',
      '__proto__=1',
    ]) {
      const answer = await get(`/items/plum?${query}`)
      expect([answer.statusCode, codeOf(answer)], query).toEqual([400, 'invalid-query'])
    }
  })

  test('whose path does not fit the schema asks for nothing that there is', async () => {
    const answer = await get('/items/plumfinches')
    expect([answer.statusCode, codeOf(answer), answer.json().errors]).toEqual([404, 'not-found', undefined])
    expect(codeOf(await get(`/items/${'p'.repeat(LIMITS.parameter_characters + 1)}`))).toBe('not-found')
  })

  test('whose header does not fit is refused as such', async () => {
    const answer = await get('/items/plum', { 'x-part': 'plum' })
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'invalid-header'])
  })

  test('has a URL of 2 KiB at most', async () => {
    const url = (length: number) => '/items/plum?limit=1&'.padEnd(length, '&')
    expect((await get(url(LIMITS.url_bytes))).statusCode).toBe(200)
    const answer = await get(url(LIMITS.url_bytes + 1))
    expect(answer.json()).toMatchObject({ status: 414, code: 'uri-too-long', limit: LIMITS.url_bytes })
  })

  test('that fails through us says no more than internal, and the node learns why', async () => {
    const { app, faults, finished } = anInstance()
    const answer = await app.inject('/fault')
    expect([answer.statusCode, codeOf(answer)]).toEqual([500, 'internal'])
    expect(answer.body + JSON.stringify(answer.headers)).not.toContain(CANARY)
    expect(faults).toEqual([[new Error(CANARY), answer.json().request_id]])
    expect(finished).toMatchObject([{ status: 500, code: 'internal' }])
  })

  test('that is refused is no fault of ours', async () => {
    const { app, faults } = all.make()
    app.get('/busy', { config: open }, async () => {
      throw new Refusal('busy', { cause: new Error(CANARY), retryAfter: 7 })
    })
    const answer = await app.inject('/busy')
    expect([answer.statusCode, answer.headers['retry-after'], faults]).toEqual([503, '7', []])
    expect(answer.body).not.toContain(CANARY)
  })

  test('is reported by the pattern of its route and never by what came with it', async () => {
    const { app, finished } = anInstance()
    const answers = [
      await app.inject(`/items/${CANARY.slice(0, 8)}?limit=2`),
      await app.inject(`/items/plum?${CANARY}=2`),
      await app.inject(`/${CANARY}`),
      await app.inject({ method: 'POST', url: '/items', payload: `{"${CANARY}":1}`, headers: json }),
    ]
    expect(finished.map(({ method, route, status, code }) => [method, route, status, code])).toEqual([
      ['GET', '/items/:item', 200, undefined],
      ['GET', '/items/:item', 400, 'invalid-query'],
      ['GET', 'unknown', 404, 'not-found'],
      ['POST', '/items', 422, 'validation-failed'],
    ])
    expect(JSON.stringify(finished)).not.toContain(CANARY.slice(0, 8))
    expect(new Set(finished.map(({ id }) => id)).size).toBe(4)
    expect(answers.slice(1).map((answer) => answer.json().request_id)).toEqual(finished.slice(1).map(({ id }) => id))
    expect(finished.every(({ took, participant }) => Number.isInteger(took) && participant === undefined)).toBe(true)
  })
})

describe('a connection', () => {
  const HOST = 'host: localhost\r\n'

  async function refusalTo(text: string): Promise<{ head: string; problem: unknown }> {
    const socket = await all.dial(anInstance().app)
    const answered = untilClosed(socket)
    socket.write(text)
    const answer = await answered
    return { head: answer.slice(0, answer.indexOf('\r\n\r\n')), problem: problemIn(answer) }
  }

  test('whose head is too large is told so and closed', async () => {
    const fill = (names: number, length: number) =>
      Array.from({ length: names }, (_, i) => `x-${i}: ${CANARY.padEnd(length, 'p')}\r\n`).join('')
    for (const headers of [fill(LIMITS.headers + 1, 20), fill(1, LIMITS.header_bytes)]) {
      const { head, problem } = await refusalTo(`GET /items/plum HTTP/1.1\r\n${HOST}${headers}\r\n`)
      expect(head).toMatch(/^HTTP\/1\.1 431 /)
      expect(head.toLowerCase()).toContain('\r\ncontent-type: application/problem+json')
      expect(problem).toMatchObject({ status: 431, code: 'headers-too-large', request_id: expect.any(String) })
      expect(JSON.stringify(problem)).not.toContain(CANARY)
    }
  })

  test('that speaks no HTTP is told so and closed', async () => {
    for (const text of [`${CANARY}\r\n\r\n`, `GET /items/plum HTTP/1.1\r\n${HOST}x : 1\r\n\r\n`]) {
      const { head, problem } = await refusalTo(text)
      expect(head).toMatch(/^HTTP\/1\.1 400 /)
      expect(head.toLowerCase()).toContain('\r\ncache-control: no-store')
      expect(problem).toMatchObject({ status: 400, code: 'invalid-header' })
      expect(JSON.stringify(problem)).not.toContain(CANARY)
    }
  })

  test('whose head does not end in time is told so and closed within a second or two', async () => {
    const { app } = anInstance()
    const socket = await all.dial(app)
    app.server.headersTimeout = 100
    const answered = untilClosed(socket)
    const began = Date.now()
    socket.write(`GET /items/plum HTTP/1.1\r\n${HOST}`)
    const answer = await answered
    // Long before the half minute after which a server looks by itself.
    expect(Date.now() - began).toBeLessThan(15_000)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(problemIn(answer)).toMatchObject({ status: 408, code: 'request-timeout' })
  })

  test('whose body does not end in time is told so and closed; one that streams has longer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    try {
      const { app } = anInstance()
      const began = Promise.withResolvers<void>()
      app.addHook('onRequest', async () => began.resolve())
      app.removeContentTypeParser('application/x-ndjson')
      app.addContentTypeParser('application/x-ndjson', (_request, payload, done) => done(null, payload))
      app.post('/stream', { config: { ...open, stream: true } }, async () => ({}))
      const socket = await all.dial(app)
      const answered = untilClosed(socket)
      socket.write(`POST /items HTTP/1.1\r\n${HOST}content-type: application/json\r\ncontent-length: 9\r\n\r\n{"n"`)
      await began.promise
      vi.advanceTimersByTime(LIMITS.request_seconds * 1_000)
      expect(problemIn(await answered)).toMatchObject({ status: 408, code: 'request-timeout' })

      const streaming = await all.dial(app)
      const type = 'content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n'
      streaming.write(`POST /stream HTTP/1.1\r\n${HOST}${type}`)
      await once(streaming, 'data')
      vi.advanceTimersByTime(LIMITS.request_seconds * 1_000)
      expect(streaming.closed).toBe(false)
      streaming.destroy()
    } finally {
      vi.useRealTimers()
    }
  })

  test('whose body has come may be worked on for longer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    try {
      const { app } = anInstance()
      const [began, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      app.post('/slow', { config: open }, async () => {
        began.resolve()
        await over.promise
        return {}
      })
      const socket = await all.dial(app)
      socket.write(`POST /slow HTTP/1.1\r\n${HOST}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`)
      await began.promise
      vi.advanceTimersByTime(2 * LIMITS.request_seconds * 1_000)
      over.resolve()
      const [answer] = (await once(socket, 'data')) as [Buffer]
      expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /)
      socket.destroy()
    } finally {
      vi.useRealTimers()
    }
  })

  test('has every limit set: what is left at the default of the server has none', () => {
    const { server } = anInstance().app
    expect(server).toMatchObject({
      requestTimeout: LIMITS.stream_seconds * 1_000,
      headersTimeout: LIMITS.header_seconds * 1_000,
      keepAliveTimeout: LIMITS.keep_alive_seconds * 1_000,
      maxRequestsPerSocket: LIMITS.requests_per_connection,
      maxHeadersCount: LIMITS.headers,
    })
  })
})
