import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../src/kernel/errors.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { Submission, UploadJob, UploadLine } from '../../src/signals/schema.ts'
import { createUploadJobs } from '../../src/signals/upload-jobs.ts'
import { JOBS_LIVE, RESULT_DAYS } from '../../src/signals/upload-limits.ts'
import { TRIES_MAX } from '../../src/signals/upload-work.ts'
import { anApp, type TestApp } from '../feeds/app.ts'
import { aWorld, type Party, type World } from '../feeds/world.ts'
import { leafText, textOf } from './factory.ts'

let w: World
let t: TestApp
let apple: Party
let audience: Uuid

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  audience = (await w.group('pair', [apple])).audience
  t = await anApp(w)
})
afterAll(async () => {
  await t.app.close()
  await w.end()
})
beforeEach(() => t.connect(apple))

const item = (change: object = {}) => w.item({ audience, ...change })
const post = (payload: unknown, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
  t.app.inject({
    ...{ method: 'POST', url: '/v1/submissions', headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  })
const lines = ({ jws, items }: Submission): string =>
  [{ jws }, ...items].map((line) => `${JSON.stringify(line)}\n`).join('')
const stream = (payload: string, headers: Record<string, string | undefined> = {}) => {
  const given = { 'content-type': 'application/x-ndjson', 'upload-id': newId(w.now()), ...headers }
  const kept = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return t.app.inject({
    ...{ method: 'POST', url: '/v1/submissions/stream', payload },
    headers: Object.fromEntries(kept),
  })
}
const told = (body: string): UploadLine[] =>
  body
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as UploadLine)

describe('POST /v1/submissions', () => {
  test('answers 201 with the receipt’s address where something was stored', async () => {
    const one = item()
    const answer = await post(await w.sign(apple, [one, 'no json']))
    expect(answer.statusCode, answer.body).toBe(201)
    expect(answer.json()).toMatchObject({
      ...{ accepted: 1, refused: 1 },
      results: [
        { index: 0, signal: one.signal, revision: 1, status: 201 },
        { index: 1, status: 400, code: 'invalid-json' },
      ],
    })
    expect(answer.headers['location']).toBe(answer.json().receipt)
  })
  test('answers 200 and no receipt where every item was refused', async () => {
    const answer = await post(await w.sign(apple, ['no json']))
    expect([answer.statusCode, answer.headers['location']]).toEqual([200, undefined])
    expect(answer.json()).toMatchObject({ submission: null, accepted: 0, refused: 1 })
  })
  test('takes an item of 16 KiB, longer than any other string', async () => {
    const text = textOf(item()).replace('{', `{${' '.repeat(16_000 - textOf(item()).length)}`)
    const answer = await post(await w.sign(apple, [text]))
    expect(answer.json()).toMatchObject({ accepted: 1 })
  })
  test.for([
    ['an unprotected header', { header: {} }, '/jws/header'],
    ['a signature that is no text', { signature: 1 }, '/jws/signature'],
    ['a header beyond 1,024 characters', { protected: 'A'.repeat(1_025) }, '/jws/protected'],
  ] as const)('refuses a JWS with %s by its place', async ([, change, pointer]) => {
    const { jws, items } = await w.sign(apple, [item()])
    const answer = await post({ items, jws: { ...jws, ...change } })
    expect([answer.statusCode, answer.json()]).toMatchObject([
      422,
      { code: 'validation-failed', errors: [{ pointer }] },
    ])
  })
  test('refuses no items, 1,001 of them, and any member beside', async () => {
    const { jws, items } = await w.sign(apple, [item()])
    for (const body of [{ jws }, { jws, items: [] }, { jws, items, x: 1 }])
      expect((await post(body)).json()).toMatchObject({ code: 'validation-failed' })
    expect((await post({ jws, items: Array(1_001).fill(items[0]) })).json()).toMatchObject({ code: 'json-limit' })
  })
  test('refuses a name that comes twice', async () => {
    const body = JSON.stringify(await w.sign(apple, [item()]))
    expect((await post(body.replace('{', '{"items":[],'))).json()).toMatchObject({ code: 'json-strict' })
  })
  test('is for credentials that may submit', async () => {
    t.connect(apple, ['feed:read'])
    const answer = await post(await w.sign(apple, [item()]))
    expect([answer.statusCode, answer.json()]).toMatchObject([403, { code: 'scope-missing' }])
  })
})

describe('POST /v1/submissions/stream', () => {
  test('answers lines as they become durable, and says where the upload stands', async () => {
    const upload = newId(w.now())
    const [first, second] = [item(), item()]
    const body = lines(await w.sign(apple, [first])) + lines(await w.sign(apple, [second, 'no json']))
    const answer = await stream(body, { 'upload-id': upload })
    expect(answer.headers['content-type']).toBe('application/x-ndjson')
    expect(told(answer.body)).toMatchObject([
      { line: 2, status: 201, signal: first.signal },
      { line: 2, first: 1, status: 200, accepted: 1 },
      { line: 4, status: 201, signal: second.signal },
      { line: 5, status: 400, code: 'invalid-json' },
      { line: 5, first: 3, status: 200, accepted: 1, refused: 1 },
    ])
    const place = await t.app.inject(`/v1/uploads/${upload}`)
    expect(place.json()).toEqual({ next_line: '6' })
  })
  test('goes on at the line that is named', async () => {
    const upload = newId(w.now())
    const answer = await stream(lines(await w.sign(apple, [item()])), { 'upload-id': upload, 'upload-line': '901' })
    expect(told(answer.body).map(({ line }) => line)).toEqual([902, 902])
    expect((await t.app.inject(`/v1/uploads/${upload}`)).json()).toEqual({ next_line: '903' })
  })
  test('may revise in a later submission what an earlier one creates', async () => {
    const one = item()
    const created = await w.sign(apple, [one])
    const prev = leafText(created.items[0] ?? { salt: '', item: '' })
    const revised = await w.sign(apple, [{ ...one, revision: 2, prev }])
    const answer = await stream(lines(created) + lines(revised))
    expect(told(answer.body).map(({ status }) => status)).toEqual([201, 200, 200, 200])
  })
  test.for([
    [{ 'upload-id': undefined }, 400, 'invalid-header'],
    [{ 'upload-id': 'mine' }, 400, 'invalid-header'],
    [{ 'upload-line': '0' }, 400, 'invalid-header'],
    [{ 'upload-line': '01' }, 400, 'invalid-header'],
    [{ 'upload-line': '1e3' }, 400, 'invalid-header'],
    [{ 'upload-line': '1'.repeat(16) }, 400, 'invalid-header'],
    [{ 'content-type': 'application/json' }, 415, 'unsupported-media-type'],
    [{ 'content-type': 'text/plain' }, 415, 'unsupported-media-type'],
  ] as const)('with %j is refused', async ([headers, status, code]) => {
    const answer = await stream('{}', headers)
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { code }])
  })
  test('is for credentials that may submit', async () => {
    t.connect(apple, [])
    expect((await stream('')).json()).toMatchObject({ code: 'scope-missing' })
  })
})

describe('GET', () => {
  test('/v1/uploads/:upload_id begins at 1 and takes no other id than a UUID', async () => {
    expect((await t.app.inject(`/v1/uploads/${newId(w.now())}`)).json()).toEqual({ next_line: '1' })
    expect((await t.app.inject('/v1/uploads/mine')).json()).toMatchObject({ code: 'not-found' })
  })
  test('/v1/signals/:signal tells one’s own', async () => {
    const one = item()
    await w.submit(apple, [one])
    const answer = await t.app.inject(`/v1/signals/${one.signal}`)
    expect(answer.json()).toMatchObject({ signal: one.signal, revision: 1, state: 'live', item: textOf(one) })
    expect((await t.app.inject(`/v1/signals/${newId(w.now())}`)).statusCode).toBe(404)
  })
})

describe('an upload that is worked off after its sender has gone', () => {
  const put = (upload: string, payload: string, headers: Record<string, string> = {}) =>
    t.app.inject({
      ...{ method: 'PUT', url: `/v1/uploads/${upload}`, payload },
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    })
  const ask = (path: string) => t.app.inject(`/v1/uploads${path}`)
  const jobOf = async (upload: string): Promise<UploadJob | undefined> => (await ask(`/${upload}`)).json().job
  async function anUpload(...of: unknown[][]): Promise<{ upload: Uuid; body: string; n: number }> {
    const bodies = []
    for (const items of of) bodies.push(lines(await w.sign(apple, items)))
    const body = bodies.join('')
    return { upload: newId(w.now()), body, n: body.split('\n').length - 1 }
  }
  const worked = async () => {
    while ((await w.uploads.round()) > 0);
  }

  test('is durable once it is answered, then worked off, and its results are those of a stream', async () => {
    const one = item()
    const { upload, body, n } = await anUpload([one, 'no json'], [item()])
    const broken = `${body}{"salt":"x","item":"{}"}\n`
    const answer = await put(upload, broken)
    expect([answer.statusCode, answer.headers['location']], answer.body).toEqual([202, `/v1/uploads/${upload}`])
    expect(answer.json()).toMatchObject({
      ...{ upload, state: 'waiting', bytes: String(broken.length), lines: String(n + 1), accepted: '0' },
    })
    expect((await ask(`/${upload}/results`)).json()).toMatchObject({ code: 'state-conflict' })
    await worked()
    expect(await jobOf(upload)).toMatchObject({ state: 'done', accepted: '2', refused: '1' })
    expect((await ask(`/${upload}`)).json()).toMatchObject({ next_line: String(n + 1) })
    const results = await ask(`/${upload}/results`)
    expect(results.headers['content-type']).toBe('application/x-ndjson')
    expect(told(results.body)).toMatchObject([
      { line: 2, status: 201, signal: one.signal },
      { line: 3, status: 400, code: 'invalid-json' },
      { line: 3, first: 1, status: 200, accepted: 1, refused: 1, countersignature: expect.any(Object) },
      { line: 5, status: 201 },
      { line: 5, first: 4, status: 200 },
      { line: 6, first: 6, status: 422 },
    ])
    expect((await ask('')).json().uploads).toContainEqual(await jobOf(upload))
    // As a stream the same would have been told.
    const streamed = told((await stream(broken, { 'upload-id': newId(w.now()) })).body)
    expect(streamed.map(({ line, status }) => [line, status])).toEqual(
      told(results.body).map(({ line, status }) => [line, status]),
    )
  })
  test('sent again says what became of it, and is not worked off twice', async () => {
    const { upload, body } = await anUpload([item()])
    await put(upload, body)
    expect((await put(upload, body)).json()).toMatchObject({ state: 'waiting' })
    await worked()
    const before = await jobOf(upload)
    expect((await put(upload, 'anything else\n')).json()).toEqual(before)
    expect(await w.uploads.round()).toBe(0)
  })
  test('that broke off while it was sent leaves nothing, and may be sent anew', async () => {
    const { upload, body } = await anUpload([item()])
    const cut = async function* () {
      yield Buffer.from(body.slice(0, 40))
      throw new Refusal('request-timeout')
    }
    await expect(w.uploads.receive(apple, upload, cut())).rejects.toMatchObject({ code: 'request-timeout' })
    expect(await jobOf(upload)).toBe(undefined)
    expect((await put(upload, body)).json()).toMatchObject({ state: 'waiting' })
    await worked()
    expect(await jobOf(upload)).toMatchObject({ state: 'done', accepted: '1' })
  })
  test('that is durable stays, whatever becomes of its sender then', async () => {
    const { upload, body } = await anUpload([item()])
    const { t: database, clock, signals } = w
    const uploads = createUploadJobs({
      ...{ db: database.app, projector: database.projector, clock, signals, submitter: () => undefined },
      wake: () => {
        throw new Refusal('outcome-unknown')
      },
    })
    const whole = async function* () {
      yield Buffer.from(body)
    }
    await expect(uploads.receive(apple, upload, whole())).rejects.toMatchObject({ code: 'outcome-unknown' })
    expect(await jobOf(upload)).toMatchObject({ state: 'waiting' })
    await worked()
    expect(await jobOf(upload)).toMatchObject({ state: 'done', accepted: '1', bytes: String(body.length) })
  })
  test('of a sender that was taken for dead cannot go on beside the next', async () => {
    const { upload, body } = await anUpload([item()])
    const gate = Promise.withResolvers<void>()
    const slow = async function* () {
      yield Buffer.alloc(2 ** 20, 0x20)
      await gate.promise
      yield Buffer.alloc(2 ** 20, 0x20)
    }
    const first = w.uploads.receive(apple, upload, slow())
    const failed = expect(first).rejects.toMatchObject({ code: 'state-conflict' })
    while ((await jobOf(upload)) === undefined) await new Promise((resolve) => setImmediate(resolve))
    await put(upload, body)
    gate.resolve()
    await failed
    await worked()
    expect(await jobOf(upload)).toMatchObject({ state: 'done', accepted: '1', bytes: String(body.length) })
  })
  test('that the node could not work off is begun again, and tells nothing twice', async () => {
    const { upload, body } = await anUpload([item()], [item()])
    await put(upload, body)
    let failures = 1
    w.weather.beforeCountersignature = () => {
      if (failures-- === 0) throw new Error('the node fails')
    }
    await expect(w.uploads.round()).rejects.toMatchObject({ status: 500 })
    w.weather.beforeCountersignature = () => {}
    expect(await jobOf(upload)).toMatchObject({ state: 'running' })
    await worked()
    expect(await jobOf(upload)).toMatchObject({ state: 'done', accepted: '2' })
    expect(told((await ask(`/${upload}/results`)).body).filter(({ submission }) => submission)).toHaveLength(2)
  })
  test('that fails again and again is given up, by name', async () => {
    const { upload, body } = await anUpload([item()])
    await put(upload, body)
    w.weather.beforeCountersignature = () => {
      throw new Error('the node fails')
    }
    for (let n = 1; n < TRIES_MAX; n++) await expect(w.uploads.round()).rejects.toMatchObject({ status: 500 })
    await w.uploads.round()
    w.weather.beforeCountersignature = () => {}
    expect(await jobOf(upload)).toMatchObject({ state: 'failed', code: 'internal' })
    const none = (await ask(`/${upload}/results`)).json()
    expect(none).toMatchObject({ code: 'state-conflict', detail: expect.stringContaining('failed') })
  })
  test('waits while the node is busy, however often it was begun', async () => {
    const { upload, body } = await anUpload([item()])
    await put(upload, body)
    w.weather.beforeCountersignature = () => {
      throw new Refusal('busy')
    }
    for (let n = 0; n <= TRIES_MAX; n++) await expect(w.uploads.round()).rejects.toMatchObject({ code: 'busy' })
    w.weather.beforeCountersignature = () => {}
    expect(await jobOf(upload)).toMatchObject({ state: 'running' })
    await worked()
    expect(await jobOf(upload)).toMatchObject({ state: 'done', accepted: '1' })
  })
  test('sent by two at once is one upload', async () => {
    const { upload, body } = await anUpload([item()])
    const whole = async function* () {
      yield Buffer.from(body)
    }
    const both = await Promise.allSettled([1, 2].map(() => w.uploads.receive(apple, upload, whole())))
    const codes = both.map((one) => (one.status === 'fulfilled' ? 'taken' : (one.reason as Refusal).code))
    expect(['taken', 'state-conflict']).toEqual(expect.arrayContaining(codes))
    expect(codes).toContain('taken')
    await worked()
    expect(await jobOf(upload)).toMatchObject({ state: 'done', accepted: '1' })
  })
  test('of a credential that was ended meanwhile is not worked off', async () => {
    const { upload, body } = await anUpload([item()])
    await put(upload, body)
    w.ended.add(apple.participant)
    await worked()
    w.ended.delete(apple.participant)
    expect(await jobOf(upload)).toMatchObject({ state: 'failed', code: 'credential-not-enrolled', accepted: '0' })
  })
  test('is forgotten with its results when their time is over', async () => {
    const { upload, body } = await anUpload([item()])
    await put(upload, body)
    await worked()
    w.pass(RESULT_DAYS * 86_400_000 + 1_000)
    await w.uploads.round()
    expect(await jobOf(upload)).toBe(undefined)
    expect((await ask(`/${upload}/results`)).json()).toMatchObject({ code: 'not-found' })
    const { rows } = await sql`select 1 from upload_part where upload_id = ${upload}::uuid`.execute(w.t.owner)
    expect(rows).toEqual([])
  })
  test('whose sender fell with a process is forgotten after an hour, and whoever still writes is refused', async () => {
    const upload = newId(w.now())
    let go: () => void = () => {}
    const slow = async function* () {
      yield Buffer.alloc(2 ** 20, 0x20)
      await new Promise<void>((resolve) => {
        go = resolve
      })
      yield Buffer.alloc(2 ** 20, 0x20)
    }
    const failed = expect(w.uploads.receive(apple, upload, slow())).rejects.toMatchObject({ code: 'state-conflict' })
    while ((await jobOf(upload)) === undefined) await new Promise((resolve) => setImmediate(resolve))
    await w.uploads.round()
    expect(await jobOf(upload)).toMatchObject({ state: 'receiving' })
    w.pass(3_601_000)
    await w.uploads.round()
    expect(await jobOf(upload)).toBe(undefined)
    go()
    await failed
  })
  test(`waits with ${JOBS_LIVE} others at most`, async () => {
    const all = await Promise.all(Array.from({ length: JOBS_LIVE + 1 }, () => anUpload([item()])))
    const statuses = []
    for (const { upload, body } of all) statuses.push((await put(upload, body)).statusCode)
    expect(statuses).toEqual([...Array(JOBS_LIVE).fill(202), 429])
    await worked()
  })
  test.for([
    ['no NDJSON', 'application/json', 415, 'unsupported-media-type'],
    ['no UUID', 'application/x-ndjson', 404, 'not-found'],
  ] as const)('%s is refused', async ([what, type, status, code]) => {
    const answer = await put(what === 'no UUID' ? 'mine' : newId(w.now()), '{}', { 'content-type': type })
    expect([answer.statusCode, answer.json().code]).toEqual([status, code])
  })
  test('is seen by its own participant alone', async () => {
    const { upload, body } = await anUpload([item()])
    await put(upload, body)
    await worked()
    const banana = await w.admit('banana')
    t.connect(banana)
    expect((await ask('')).json()).toEqual({ uploads: [] })
    expect((await ask(`/${upload}`)).json()).toEqual({ next_line: '1' })
    expect((await ask(`/${upload}/results`)).json()).toMatchObject({ code: 'not-found' })
    t.connect(banana, ['feed:read'])
    expect((await ask('')).json()).toMatchObject({ code: 'scope-missing' })
  })
})
