import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { Submission, UploadLine } from '../../src/signals/schema.ts'
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
