import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { issueServerCertificate } from '../../src/ca/ca.ts'
import { newTlsKey } from '../../src/ca/csr.ts'
import { AldisError } from '../../src/client/errors.ts'
import {
  ANSWER_MAX,
  type Call,
  collect,
  createTransport,
  problemOf,
  REFUSAL_MAX,
  refusalIn,
  type TlsIdentity,
  type Transport,
} from '../../src/client/transport.ts'
import { BROKEN, brokenServer } from '../support/broken-answers.ts'
import { pemOf, type TestPki, testPki } from '../support/pki.ts'
import { type Answerer, closeServers, identityOf, json, type Seen, serve } from './server.ts'

let pki: TestPki
let aspen: TlsIdentity
const transports: Transport[] = []

beforeAll(async () => {
  pki = await testPki()
  aspen = identityOf(await pki.participant('aspen'))
})
// Full jitter between nothing and the longest pause: here it is nothing.
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const transport of transports.splice(0)) transport.close()
  await closeServers()
})

function transportTo(
  origin: string,
  options: { maxSockets?: number; timeoutMs?: number; as?: TlsIdentity } = {},
): Transport {
  const { as = aspen, ...rest } = options
  const transport = createTransport(origin, as, rest)
  transports.push(transport)
  return transport
}

/** Of a node that says nothing; time enough for a handshake on a busy machine. */
const SILENT_MS = 500
const GET: Call = { method: 'GET', path: '/pears', idempotent: true }

const problem = (code: string, status: number, more: object = {}) => ({ code, status, title: 'A title', ...more })

/** Answers the requests in turn; the last answer stands for all that follow. */
const inTurn = (...answers: Answerer[]): Answerer => {
  let n = 0
  return (request, response) => answers[Math.min(n++, answers.length - 1)]?.(request, response)
}

const refuse =
  (code: string, status: number, headers: Record<string, string> = {}): Answerer =>
  (_, response) =>
    json(response, problem(code, status), status, headers)
const ok: Answerer = (_, response) => json(response, { fruit: 'pear' })
const hangUp: Answerer = ({ socket }) => socket.destroy()

describe('a call', () => {
  test('shows the certificate of the participant and carries path, body and headers', async () => {
    const server = await serve(pki, ok)
    const transport = transportTo(server.origin)
    const answer = await transport.call({
      method: 'POST',
      path: '/pears?ripe=1',
      body: '{"é":1}',
      headers: { 'x-bird': 'robin' },
      idempotent: true,
    })
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([200, { fruit: 'pear' }])
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/pears?ripe=1',
        body: '{"é":1}',
        client: 'aspen',
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          'content-length': '8',
          'x-bird': 'robin',
        },
      },
    ])
  })

  test('without a body names no type of one', async () => {
    const server = await serve(pki, ok)
    await transportTo(server.origin).call(GET)
    expect(server.requests[0]?.headers).not.toHaveProperty('content-type')
  })

  test('goes over the connection of the one before it', async () => {
    const server = await serve(pki, ok)
    const transport = transportTo(server.origin)
    for (let i = 0; i < 5; i++) await transport.call(GET)
    expect([server.requests.length, server.connections()]).toEqual([5, 1])
  })

  test('waits for a connection when as many as allowed are busy', async () => {
    const server = await serve(pki, async (_, response) => {
      await delay(20)
      json(response, {})
    })
    const transport = transportTo(server.origin, { maxSockets: 2 })
    await Promise.all(Array.from({ length: 6 }, () => transport.call(GET)))
    expect([server.requests.length, server.connections()]).toEqual([6, 2])
  })

  test('that is refused is an AldisError with all that the problem says', async () => {
    const errors = [{ pointer: '/items', code: 'items-limit' as const }]
    const body = problem('validation-failed', 422, { detail: 'less of it', errors, request_id: 'r-1' })
    const server = await serve(pki, (_, response) => json(response, body, 422))
    const error = await transportTo(server.origin)
      .call(GET)
      .catch((one: unknown) => one)
    expect(error).toBeInstanceOf(AldisError)
    expect(error).toMatchObject({
      code: 'validation-failed',
      status: 422,
      detail: 'less of it',
      errors,
      requestId: 'r-1',
    })
    expect(server.requests).toHaveLength(1)
  })

  test('that is refused at length is cut off, and so is one that is opened', async () => {
    const long: Answerer = (_, response) => response.writeHead(503).end(Buffer.alloc(REFUSAL_MAX + 1))
    const server = await serve(pki, long)
    const transport = transportTo(server.origin)
    await expect(transport.call(GET)).rejects.toMatchObject({ name: 'AnswerTooLong' })
    const opened = await transport.open({ method: 'GET', path: '/' })
    await expect(refusalIn(opened)).rejects.toMatchObject({ name: 'AnswerTooLong' })
    expect(server.requests).toHaveLength(2)
  })

  test('takes no more of an answer than memory is meant for', async () => {
    const piece = Buffer.alloc(2 ** 20)
    const pieces = Array.from({ length: ANSWER_MAX / piece.length + 9 }, () => piece)
    const message = Readable.from(pieces) as IncomingMessage
    await expect(collect(message)).rejects.toMatchObject({ name: 'AnswerTooLong' })
    expect(message.destroyed).toBe(true)
  })

  test('keeps the order of bytes of a long body in both directions', async () => {
    const long = Array.from({ length: 20_000 }, (_, i) => `fruit ${i}`).join('\n')
    const server = await serve(pki, ({ body }, response) => response.end(body))
    const { body } = await transportTo(server.origin).call({ ...GET, method: 'POST', body: long })
    expect(body.toString()).toBe(long)
  })
})

describe('an idempotent call is repeated', () => {
  test.for<[string, Answerer]>([
    ['after 429', refuse('rate-limited', 429)],
    ['after 503', refuse('busy', 503)],
    ['while its first try is in flight', refuse('idempotency-in-flight', 409)],
    ['when the connection breaks before the answer', hangUp],
    [
      'when the connection breaks within the answer',
      ({ socket }, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"fruit":', () => socket.destroy())
      },
    ],
  ])('%s', async ([, first]) => {
    const server = await serve(pki, inTurn(first, first, ok))
    const answer = await transportTo(server.origin).call({ ...GET, method: 'POST', body: 'pear' })
    expect(answer.status).toBe(200)
    expect(server.requests.map(({ body }) => body)).toEqual(['pear', 'pear', 'pear'])
  })

  test('when the node closed the connection between two calls', async () => {
    const sockets: Seen['socket'][] = []
    const server = await serve(pki, ({ socket }, response) => {
      sockets.push(socket)
      json(response, {})
    })
    const transport = transportTo(server.origin)
    for (let i = 0; i < 5; i++) {
      await transport.call(GET)
      sockets.at(-1)?.destroy()
    }
    expect(new Set(sockets).size).toBe(5)
  })

  test('five times, then its error is told', async () => {
    const server = await serve(pki, refuse('busy', 503))
    await expect(transportTo(server.origin).call(GET)).rejects.toMatchObject({ code: 'busy', status: 503 })
    expect(server.requests).toHaveLength(6)
  })

  test('not before the seconds of Retry-After', async () => {
    const server = await serve(pki, inTurn(refuse('rate-limited', 429, { 'retry-after': '1' }), ok))
    const before = performance.now()
    await transportTo(server.origin).call(GET)
    expect(performance.now() - before).toBeGreaterThan(990)
  })

  test.for(['600', '3600', '2592000', '1e300'])('not at all if the node asks for %s seconds', async (seconds) => {
    const server = await serve(pki, refuse('rate-limited', 429, { 'retry-after': seconds }))
    const call = transportTo(server.origin).call(GET)
    await expect(call).rejects.toMatchObject({ code: 'rate-limited', retryAfter: Number(seconds) })
    expect(server.requests).toHaveLength(1)
  })
})

describe('what is got as it comes', () => {
  test.for<[string, Answerer]>([
    ['after 503', refuse('busy', 503)],
    ['when the connection breaks before the answer', hangUp],
  ])('is asked for again %s', async ([, first]) => {
    const server = await serve(pki, inTurn(first, first, ok))
    const message = await transportTo(server.origin).stream('/pears', { accept: 'text/plain' })
    expect(JSON.parse(await text(message))).toEqual({ fruit: 'pear' })
    expect(server.requests.map(({ path, headers }) => [path, headers.accept])).toEqual(
      Array.from({ length: 3 }, () => ['/pears', 'text/plain']),
    )
  })

  test('is refused as a call is, and not asked for again once it has begun', async () => {
    const server = await serve(
      pki,
      inTurn(refuse('pear', 404), ({ socket }, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"fruit":', () => socket.destroy())
      }),
    )
    const transport = transportTo(server.origin)
    await expect(transport.stream('/pears')).rejects.toMatchObject({ code: 'pear', status: 404 })
    await expect(transport.stream('/pears').then(text)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(server.requests).toHaveLength(2)
  })
})

describe('a call is not repeated', () => {
  test.for<[string, Answerer]>([
    ['after 429', refuse('rate-limited', 429)],
    ['after 503', refuse('outcome-unknown', 503)],
    ['after a broken connection', hangUp],
  ])('%s unless it is idempotent', async ([, answer]) => {
    const server = await serve(pki, answer)
    const call = transportTo(server.origin).call({ method: 'POST', path: '/pears', body: '{}', idempotent: false })
    await expect(call).rejects.toThrow()
    expect(server.requests).toHaveLength(1)
  })

  test.for([400, 401, 403, 404, 409, 410, 413, 422, 500, 502])('after %i', async (status) => {
    const server = await serve(pki, refuse('pear', status))
    await expect(transportTo(server.origin).call(GET)).rejects.toMatchObject({ status, code: 'pear' })
    expect(server.requests).toHaveLength(1)
  })

  test.for([301, 302, 303, 304, 307, 308])(
    'after %i, and a redirect is an error that nobody follows',
    async (status) => {
      const server = await serve(pki, (_, response) => response.writeHead(status, { location: '/plums' }).end())
      const call = transportTo(server.origin).call(GET)
      await expect(call).rejects.toMatchObject({ name: 'AldisError', status, detail: undefined, message: /redirect/ })
      expect(server.requests.map(({ path }) => path)).toEqual([GET.path])
    },
  )

  test('ends with its transport, and is not tried again: while it waits for an answer, or for its next attempt', async () => {
    const arrived = Promise.withResolvers<void>()
    const server = await serve(
      pki,
      inTurn(() => arrived.resolve(), refuse('busy', 503, { 'retry-after': '30' })),
    )
    const [silent, busy] = [transportTo(server.origin), transportTo(server.origin)]
    const waiting = silent.call(GET)
    await arrived.promise
    silent.close()
    await expect(waiting).rejects.toThrow()
    const pausing = busy.call(GET)
    await vi.waitUntil(() => server.requests.length === 2, 20_000)
    setImmediate(() => busy.close())
    await expect(pausing).rejects.toThrow()
    expect(server.requests).toHaveLength(2)
  })

  test('once its signal is aborted, and the wait for the next try ends too', async () => {
    const server = await serve(pki, refuse('busy', 503, { 'retry-after': '30' }))
    const abort = new AbortController()
    const call = transportTo(server.origin).call({ ...GET, signal: abort.signal })
    await vi.waitFor(() => expect(server.requests).toHaveLength(1), 20_000)
    await delay(20)
    abort.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(server.requests).toHaveLength(1)
  })

  test('if its signal aborts it while the node thinks', async () => {
    const server = await serve(pki, () => {})
    const abort = new AbortController()
    const call = transportTo(server.origin).call({ ...GET, signal: abort.signal })
    await vi.waitFor(() => expect(server.requests).toHaveLength(1), 20_000)
    abort.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    expect(server.requests).toHaveLength(1)
  })
})

describe('no request is sent', () => {
  test('to a node of another authority, and there is no second try', async () => {
    const other = await testPki()
    const server = await serve(other, ok)
    await expect(transportTo(server.origin).call(GET)).rejects.toMatchObject({
      code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    })
    expect([server.requests.length, server.connections()]).toEqual([0, 1])
  })

  test('to a node whose certificate is for another name', async () => {
    const key = newTlsKey()
    const now = new Date()
    const { chain } = await issueServerCertificate(pki.ca.signer, { key, dnsNames: ['pear.example'], ips: [], now })
    const server = await serve(pki, ok, { key: pemOf(key), cert: chain })
    await expect(transportTo(server.origin).call(GET)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    expect(server.requests).toHaveLength(0)
  })

  test("to a node that shows a participant's certificate", async () => {
    const { key, cert } = await pki.odd({ slug: 'node', uris: [], dnsNames: ['localhost'] })
    const server = await serve(pki, ok, { key, cert })
    const local = server.origin.replace('127.0.0.1', 'localhost')
    await expect(transportTo(local).call(GET)).rejects.toMatchObject({ code: 'INVALID_PURPOSE' })
    expect(server.requests).toHaveLength(0)
  })

  test('under a TLS older than 1.3', async () => {
    const server = await serve(pki, ok, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
    await expect(transportTo(server.origin).call(GET)).rejects.toThrow()
    expect(server.requests).toHaveLength(0)
  })

  test('in the clear', async () => {
    await expect(transportTo('http://127.0.0.1:1').call(GET)).rejects.toMatchObject({ code: 'ERR_INVALID_PROTOCOL' })
  })
})

describe('to a node that breaks off in place of an answer, a call fails and does not wait for ever:', () => {
  test.each(Object.entries(BROKEN))('one that %s', async (_what, act) => {
    const { key, chain: cert } = pki.material
    const broken = await brokenServer(act, { key, cert })
    const transport = transportTo(`https://localhost:${broken.port}`)
    const failed = { code: 'ECONNRESET' }
    try {
      await expect(transport.call(GET)).rejects.toMatchObject(failed)
      // As often as any call whose connection broke.
      expect(broken.asked()).toBe(6)
      await expect(transport.open({ method: 'GET', path: '/' })).rejects.toMatchObject(failed)
    } finally {
      await broken.close()
    }
  })
})

describe('an open answer', () => {
  test('comes as it is, whatever its status, while the node still writes it', async () => {
    const rest = Promise.withResolvers<void>()
    const server = await serve(pki, async (_, response) => {
      response.writeHead(503, { 'feed-cursor': 'c' })
      response.write('one\n')
      await rest.promise
      response.end('two\n')
    })
    const message = await transportTo(server.origin).open({ method: 'GET', path: '/segments' })
    expect([message.statusCode, message.headers['feed-cursor']]).toEqual([503, 'c'])
    rest.resolve()
    expect(await text(message)).toBe('one\ntwo\n')
    expect(server.requests).toHaveLength(1)
  })

  test('takes a body that is written bit by bit', async () => {
    const server = await serve(pki, ({ body }, response) => response.end(body))
    const message = await transportTo(server.origin).open({
      method: 'POST',
      path: '/stream',
      type: 'application/x-ndjson',
      headers: { 'upload-line': '1' },
      write: async (out) => {
        for (const fruit of ['pear', 'plum', 'quince']) {
          await delay(5)
          out.write(`${fruit}\n`)
        }
      },
    })
    expect(await text(message)).toBe('pear\nplum\nquince\n')
    expect(server.requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'upload-line': '1',
      'transfer-encoding': 'chunked',
    })
  })

  test('fails with the error of whoever writes, and the node sees no whole request', async () => {
    const server = await serve(pki, ok)
    const fault = new Error('the file went away')
    const opened = transportTo(server.origin).open({
      method: 'POST',
      path: '/stream',
      write: async (out) => {
        out.write('pear\n')
        await delay(5)
        throw fault
      },
    })
    await expect(opened).rejects.toBe(fault)
  })

  test('that does not begin in time ends with the error of one that timed out', async () => {
    const server = await serve(pki, () => {})
    const opened = transportTo(server.origin, { timeoutMs: SILENT_MS }).open({ method: 'GET', path: '/' })
    await expect(opened).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    expect(server.requests).toHaveLength(1)
  })

  test('in which the node falls silent ends with the same error', async () => {
    const server = await serve(pki, (_, response) => response.writeHead(200).write('one\n'))
    const message = await transportTo(server.origin, { timeoutMs: SILENT_MS }).open({ method: 'GET', path: '/' })
    await expect(text(message)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  })

  test('waits for a reader of its own that is slow', async () => {
    const server = await serve(pki, (_, response) => response.end('pear'.repeat(100_000)))
    const message = await transportTo(server.origin, { timeoutMs: SILENT_MS }).open({ method: 'GET', path: '/' })
    await delay(2 * SILENT_MS)
    expect(await text(message)).toHaveLength(400_000)
  })

  test('that was read gives its connection to the next one', async () => {
    const sockets: Seen['socket'][] = []
    const server = await serve(pki, ({ socket }, response) => {
      sockets.push(socket)
      response.end('pear')
    })
    const transport = transportTo(server.origin, { timeoutMs: 20_000 })
    for (let i = 0; i < 3; i++) await text(await transport.open({ method: 'GET', path: '/' }))
    expect(new Set(sockets).size).toBe(1)
  })

  test('is not tried again', async () => {
    const server = await serve(pki, hangUp)
    await expect(transportTo(server.origin).open({ method: 'GET', path: '/' })).rejects.toThrow()
    expect(server.requests).toHaveLength(1)
  })
})

test('to close ends the connections that are kept', async () => {
  const server = await serve(pki, ok)
  const transport = transportTo(server.origin)
  await transport.call(GET)
  expect(server.open()).toBe(1)
  transport.close()
  await vi.waitFor(() => expect(server.open()).toBe(0), 20_000)
})

describe('a refusal', () => {
  const refusal = (body: string, headers: Record<string, string> = {}) =>
    problemOf({ status: 502, headers, body: Buffer.from(body) })

  test.for(['', '<html>', '[]', 'null', '"pear"', '7', '{'])('without a problem document is internal: %j', (body) => {
    expect(refusal(body)).toMatchObject({ code: 'internal', status: 502, errors: [] })
  })

  test('has the status of the answer, not the one its document claims', () => {
    expect(refusal('{"code":"busy","status":200}')).toMatchObject({ code: 'busy', status: 502 })
  })

  test.for<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['3', 3],
    ['0', 0],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['soon', undefined],
    ['Infinity', undefined],
  ])('with the Retry-After %j waits for %j seconds', ([header, seconds]) => {
    expect(refusal('{}', header === undefined ? {} : { 'retry-after': header }).retryAfter).toBe(seconds)
  })
})
