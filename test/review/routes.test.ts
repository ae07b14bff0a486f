import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { feedbackRoutes } from '../../src/feedback/routes.ts'
import { createInstance, requireScopes } from '../../src/http/instance.ts'
import { LIMITS } from '../../src/http/limits.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { reviewRoutes } from '../../src/review/routes.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, keyOf, type ReviewWorld } from './world.ts'

let w: ReviewWorld
let app: FastifyInstance
let apple: Party
let banana: Party
let item: SignalItem

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  item = w.item({ audience: (await w.group('pair', [apple, banana])).audience, severity: 'medium' })
  await w.submit(apple, [item])
  await w.settle()
  app = createInstance({
    https: {},
    onFinished: () => {},
    onFault: (error) => {
      throw error
    },
  })
  app.decorateRequest('peer')
  app.addHook('onRequest', async (request) => {
    const { participant, slug, uri, credential } = banana
    const certificate = { credential, spki: '', leafSha256: '', notAfter: w.now() }
    request.peer = { participant, slug, uri, ...certificate, scopes: ['feedback:write', 'review:work', 'feed:read'] }
  })
  requireScopes(app)
  await app.register(feedbackRoutes, { feedback: w.feedback })
  await app.register(reviewRoutes, { review: w.review })
  await app.ready()
})
afterAll(async () => {
  await app.close()
  await w.end()
})

const NO_RULES = { keyword_patterns: false, critical: false, not_reviewed: false, new_sources: false, categories: [] }
const post = (url: string, payload: object, method: 'POST' | 'PUT' = 'POST') => app.inject({ method, url, payload })
const hitOf = (change: object = {}) => ({
  ...{ source: 'apple', signal: item.signal, key: keyOf(item), count: 1, last_at: '2026-03-01T11:00:00Z' },
  ...change,
})

describe('over HTTP', () => {
  test('a case is found, claimed, let go, and its page is a read', async () => {
    const { results } = (await post('/v1/hits', { hits: [hitOf()] })).json<{ results: { case: Uuid }[] }>()
    const id = results[0]?.case
    const page = await app.inject('/v1/cases')
    expect(page.headers).toMatchObject({
      ...{ 'provenance-read': expect.stringMatching(/^[0-9a-f-]{36}\.\d+ /), 'cache-control': 'no-store' },
    })
    expect(page.json()).toMatchObject({
      cases: [{ case: id, priority: ['Medium.', '1 hit here.', 'Due in 3 days.'] }],
      next: null,
    })
    const lease = (await post(`/v1/cases/${id}/lease`, { operator: 'ann' })).json<{ token: Uuid }>()
    const other = await post(`/v1/cases/${id}/lease`, { operator: 'bob' })
    expect([other.statusCode, other.json()]).toMatchObject([409, { code: 'lease-held', holder: 'ann' }])
    const left = await post(`/v1/cases/${id}/lease/end`, { operator: 'ann', token: lease.token })
    expect([left.statusCode, left.body]).toEqual([204, ''])
    expect((await app.inject('/v1/review/figures')).json()).toMatchObject({ open: 1, acted: 0 })
  })

  test('a plan of a filter names its read, and one of named cases is none', async () => {
    const { results } = (await post('/v1/hits', { hits: [hitOf()] })).json<{ results: { case: Uuid }[] }>()
    const plan = (asked: object) => post('/v1/bulk-jobs/plan', { operator: 'ann', ...asked })
    const found = await plan({ filter: { source: 'apple' } })
    expect(found.headers).toMatchObject({
      ...{ 'provenance-read': expect.stringMatching(/^[0-9a-f-]{36}\.\d+ /), 'cache-control': 'no-store' },
    })
    const [{ case: id = newId(w.now()) } = {}] = found.json<{ cases: { case?: Uuid }[] }>().cases
    const named = await plan({ cases: [results[0]?.case ?? id] })
    expect([named.statusCode, named.headers['provenance-read']]).toEqual([200, undefined])
    expect(named.json()).toMatchObject({ cases: [{ case: id }] })
  })

  test.each([
    ['an unknown member', { plum: 1 }, 422, 'validation-failed'],
    ['no hit at all', { count: 0 }, 422, 'validation-failed'],
    ['a key that is none', { key: 'AB' }, 422, 'validation-failed'],
    ['an address as a reference', { own_ref: 'fig@mail.example' }, 422, 'validation-failed'],
  ])('a report with %s is refused', async (_, change, status, code) => {
    const answer = await post('/v1/hits', { hits: [hitOf(change)] })
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { code }])
  })

  test('a report that is larger than its limit is refused', async () => {
    const answer = await post('/v1/hits', { hits: [], pad: 'x'.repeat(LIMITS.hits_bytes) })
    expect([answer.statusCode, answer.json()]).toMatchObject([413, { code: 'too-large' }])
  })

  test.each([
    ['/v1/cases?cursor=plum', 400, 'invalid-cursor'],
    ['/v1/cases?state=open&cursor=i.01890000-0000-7000-8000-000000000000', 400, 'invalid-cursor'],
    ['/v1/cases?limit=101', 400, 'invalid-query'],
    ['/v1/cases?state=plum', 400, 'invalid-query'],
    ['/v1/disputes', 400, 'invalid-query'],
    ['/v1/cases/01890000-0000-7000-8000-000000000000', 404, 'not-found'],
    ['/v1/signals/01890000-0000-7000-8000-000000000000/opinions?source=apple', 404, 'not-found'],
    ['/v1/signals/01890000-0000-7000-8000-000000000000/opinions?source=nobody', 404, 'not-found'],
  ])('%s is refused with %i %s', async (url, status, code) => {
    const answer = await app.inject(url)
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { code }])
  })

  test('a note is as long as it may be, and a name is no pseudonym', async () => {
    const [id, decision] = [newId(w.now()), newId(w.now())]
    const body = { operator: 'ann', decision, version: 1, token: id, verdict: 'outdated', reason: 'other' }
    const long = await post(`/v1/cases/${id}/decisions`, {
      ...body,
      note_shared: 'x'.repeat(LIMITS.note_characters + 1),
    })
    expect([long.statusCode, long.json()]).toMatchObject([422, { errors: [{ pointer: '/note_shared' }] }])
    const named = await post(`/v1/cases/${id}/decisions`, { ...body, operator: 'Ann Lee' })
    expect([named.statusCode, named.json()]).toMatchObject([422, { errors: [{ pointer: '/operator' }] }])
  })

  test.each(['353861234567', '10.0.0.1'])(
    '%s is no pseudonym, neither of who works nor of whom it goes to',
    async (raw) => {
      const [id, token] = [newId(w.now()), newId(w.now())]
      const claimed = await post(`/v1/cases/${id}/lease`, { operator: raw })
      expect([claimed.statusCode, claimed.json()]).toMatchObject([
        ...[422, { code: 'raw-identifier', errors: [{ pointer: '/operator' }] }],
      ])
      const handed = await post(`/v1/cases/${id}/hand-over`, { operator: 'ann', token, version: 1, to: raw })
      expect([handed.statusCode, handed.json()]).toMatchObject([422, { errors: [{ pointer: '/to' }] }])
    },
  )

  test('rules of routing name categories that the programme knows', async () => {
    const rules = {
      keyword_patterns: true,
      critical: true,
      not_reviewed: false,
      new_sources: false,
      categories: ['plum'],
    }
    const refused = await post('/v1/review/routing', rules, 'PUT')
    expect([refused.statusCode, refused.json()]).toMatchObject([422, { errors: [{ pointer: '/categories/0' }] }])
    await post('/v1/review/routing', { ...rules, categories: ['grooming'] }, 'PUT')
    expect((await app.inject('/v1/review/routing')).json()).toEqual({ ...rules, categories: ['grooming'] })
  })

  test.each([
    ['/v1/review/routing', (on: boolean) => ({ ...NO_RULES, critical: on })],
    ['/v1/review/settings', (on: boolean) => ({ hours: null, sample_percent: on ? 7 : 3 })],
  ])('%s is replaced with If-Match only while it is what that names', async (url, settings) => {
    const put = (body: object, match?: string) =>
      app.inject({ method: 'PUT', url, payload: body, headers: match === undefined ? {} : { 'if-match': match } })
    // Nobody has set it: two that begin with the same get one through.
    const before = String((await app.inject(url)).headers.etag)
    const first = await Promise.all([put(settings(true), before), put(settings(false), before)])
    expect(first.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 412])
    const refused = await put(settings(true), before)
    expect([refused.statusCode, refused.json().code]).toEqual([412, 'precondition-failed'])
    await put(settings(false))
    const { headers, body } = await app.inject(url)
    const etag = String(headers.etag)
    expect(JSON.parse(body)).toEqual(settings(false))
    expect((await app.inject({ url, headers: { 'if-none-match': etag } })).statusCode).toBe(304)
    const replaced = await put(settings(true), etag)
    expect(replaced.statusCode).toBe(200)
    expect(replaced.headers.etag).toBe((await app.inject(url)).headers.etag)
    expect((await put(settings(false), `W/${String(replaced.headers.etag)}`)).statusCode).toBe(412)
    expect((await put(settings(false), '*')).statusCode).toBe(200)
  })
})
