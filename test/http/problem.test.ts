import { PassThrough } from 'node:stream'
import Fastify, { errorCodes } from 'fastify'
import { describe, expect, test } from 'vitest'
import { PROBLEM_TYPE, problemOf, refusalOf, refuseUnread, sendProblem } from '../../src/http/problem.ts'
import { CATALOGUE, type ErrorCode, Refusal } from '../../src/kernel/errors.ts'

const CANARY = 'plum-finch-canary'
const codes = Object.keys(CATALOGUE) as ErrorCode[]

describe('the refusal that an error is', () => {
  test('is itself if it is one', () => {
    const refusal = new Refusal('busy', { retryAfter: 3 })
    expect(refusalOf(refusal)).toBe(refusal)
  })

  const framework: readonly [error: Error, code: ErrorCode][] = [
    [new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE(), 'too-large'],
    [new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(CANARY), 'unsupported-media-type'],
    [new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH(), 'invalid-header'],
    [new errorCodes.FST_ERR_CTP_EMPTY_JSON_BODY(), 'invalid-json'],
    [new errorCodes.FST_ERR_BAD_URL(CANARY), 'not-found'],
  ]
  test.for(framework)('of the framework (%s) is one of ours, and quotes nothing', ([error, code]) => {
    const refusal = refusalOf(error)
    expect(refusal.code).toBe(code)
    expect(JSON.stringify(problemOf(refusal, 'r'))).not.toContain(CANARY)
  })

  test('is internal for whatever else was thrown, which is kept for the log alone', () => {
    const nasty = [new Error(CANARY), new TypeError(CANARY), { code: CANARY }, CANARY, 7, null, undefined]
    for (const thrown of nasty) {
      const refusal = refusalOf(thrown)
      expect([refusal.code, refusal.cause]).toEqual(['internal', thrown])
      expect(JSON.stringify(problemOf(refusal, 'r'))).not.toContain(CANARY)
    }
  })
})

describe('a problem document', () => {
  test('of every code has a type that ends in it, its status and its title (RFC 9457)', () => {
    for (const code of codes) {
      const [status, title] = CATALOGUE[code]
      expect(problemOf(new Refusal(code), 'r1')).toEqual({
        ...{ type: `/problems/${code}`, title, status, code, request_id: 'r1' },
      })
      expect(status, code).toBeGreaterThanOrEqual(400)
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
    }
  })

  test('has what to do next, the offending members and the facts where there are any', () => {
    const errors = [{ pointer: '/items/0', code: 'item-limit' as const }]
    const refusal = new Refusal('item-limit', { detail: 'less', errors, extra: { limit: 9 }, cause: new Error(CANARY) })
    const problem = problemOf(refusal, 'r1')
    expect(problem).toMatchObject({ detail: 'less', errors, limit: 9 })
    expect(JSON.stringify(problem)).not.toContain(CANARY)
  })

  test('is sent under its type and status, kept by nobody, and says when to come again', async () => {
    const app = Fastify()
    app.get('/busy', (request, reply) => sendProblem(request, reply, new Refusal('busy', { retryAfter: 3 })))
    app.get('/gone', (request, reply) => sendProblem(request, reply, new Refusal('not-found')))
    const busy = await app.inject('/busy')
    expect(busy.statusCode).toBe(503)
    expect(busy.headers).toMatchObject({ 'retry-after': '3', 'cache-control': 'no-store' })
    expect(busy.headers['content-type']?.split(';')[0]).toBe(PROBLEM_TYPE)
    expect(busy.json()).toMatchObject({ code: 'busy', request_id: expect.any(String) })
    expect((await app.inject('/gone')).headers).not.toHaveProperty('retry-after')
    await app.close()
  })
})

describe('what could not be read as a request', () => {
  type Ended = Parameters<typeof refuseUnread>[1]
  const socket = () => new PassThrough().on('error', () => {})
  const errorOf = (code: string) => Object.assign(new Error(CANARY), { code })

  test.for<[code: string, status: number, ours: ErrorCode]>([
    ['HPE_HEADER_OVERFLOW', 431, 'headers-too-large'],
    ['ERR_HTTP_REQUEST_TIMEOUT', 408, 'request-timeout'],
    ['HPE_INVALID_METHOD', 400, 'invalid-header'],
    ['ERR_SSL_HTTP_REQUEST', 400, 'invalid-header'],
  ])('because of %s is answered %s %s, and ended', ([code, status, ours]) => {
    const stream = socket()
    refuseUnread(errorOf(code), stream as unknown as Ended, 'r1')
    const text = String(stream.read())
    const [head = '', body = ''] = text.split('\r\n\r\n')
    expect(head.startsWith(`HTTP/1.1 ${status} `)).toBe(true)
    expect(head).toContain(`\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`)
    expect(JSON.parse(body)).toMatchObject({ status, code: ours, request_id: 'r1' })
    expect(text).not.toContain(CANARY)
    expect(stream.destroyed).toBe(true)
  })

  test('because the other side is gone gets no answer', () => {
    const reset = socket()
    refuseUnread(errorOf('ECONNRESET'), reset as unknown as Ended, 'r1')
    expect(reset.read()).toBe(null)
    const gone = socket()
    gone.destroy()
    refuseUnread(errorOf('HPE_INVALID_METHOD'), gone as unknown as Ended, 'r1')
    expect(gone.read()).toBe(null)
  })
})
