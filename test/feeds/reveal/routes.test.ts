import { afterAll, beforeAll, expect, test } from 'vitest'
import { linkHash } from '../../../src/identifiers/token.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { SEALED_VALUE_MAX } from '../../../src/signals/schema.ts'
import { anApp, type TestApp } from '../app.ts'
import { aWorld, type Party, type World } from '../world.ts'

let w: World
let t: TestApp
let apple: Party
let banana: Party
let signal: Uuid
const RAW = 'https://bad.example/invite'

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  const { audience } = await w.group('fruit', [apple, banana])
  t = await anApp(w)
  const sha = linkHash(sha256, RAW.slice(8))
  const item = w.item({ audience, value: { profile: 'url/1', sha256: sha, scope: { host: 'exact', path: 'exact' } } })
  signal = item.signal
  await w.submit(apple, [item])
  await w.project()
})
afterAll(async () => {
  await t.app.close()
  await w.end()
})

const send = (method: 'PUT' | 'POST', what: 'value' | 'reveal', body: object, id: string = signal) =>
  t.app.inject({
    ...{ method, url: `/v1/signals/${id}/${what}`, payload: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })
const put = (body: object, id?: string) => send('PUT', 'value', body, id)
const reveal = (body: object, id?: string) => send('POST', 'reveal', body, id)

test('a value is given and revealed, kept by no cache, and answered to its source by no route', async () => {
  t.connect(apple)
  const given = await put({ v: 1, revision: 1, value: RAW })
  expect([given.statusCode, given.headers['cache-control']]).toEqual([200, 'no-store'])
  expect(given.json()).toMatchObject({ signal, revision: 1, sealed: true })
  const own = await t.app.inject({ method: 'GET', url: `/v1/signals/${signal}` })
  expect(given.body + own.body).not.toContain('bad.example')
  t.connect(banana)
  const answer = await reveal({ purpose: 'investigation' })
  expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-store'])
  expect(answer.headers['provenance-read']).toMatch(/^\S+\.0 \S{43}$/)
  expect(answer.json()).toMatchObject({ source: 'apple', signal, revision: 1, type: 'url', value: RAW })
})

test('a body is refused by the member that is wrong, and none of its values is said again', async () => {
  t.connect(apple)
  const kumquat = 'https://kumquat.example/'
  const refusals: readonly [object, number, string][] = [
    [{ v: 2, revision: 1, value: kumquat }, 422, 'validation-failed'],
    [{ v: 1, revision: 0, value: kumquat }, 422, 'validation-failed'],
    [{ v: 1, revision: 1, value: '' }, 422, 'validation-failed'],
    [{ v: 1, revision: 1 }, 422, 'validation-failed'],
    [{ v: 1, revision: 1, value: kumquat, note: 'a' }, 422, 'validation-failed'],
    [{ v: 1, revision: 1, value: kumquat }, 422, 'value-mismatch'],
    [{ v: 1, revision: 1, value: `${kumquat}${'a'.repeat(SEALED_VALUE_MAX)}` }, 422, 'json-limit'],
    [{ v: 1, revision: 1, value: RAW.replace('://', '://fig@') }, 422, 'raw-identifier'],
    [{ v: 1, revision: 7, value: kumquat }, 409, 'revision-conflict'],
  ]
  for (const [body, status, code] of refusals) {
    const answer = await put(body)
    expect([JSON.stringify(body).slice(0, 80), answer.statusCode, answer.json().code]).toEqual([
      ...[JSON.stringify(body).slice(0, 80), status, code],
    ])
    expect(answer.body).not.toContain('kumquat')
  }
  const longest = `${RAW}#${'a'.repeat(SEALED_VALUE_MAX - RAW.length - 1)}`
  expect((await put({ v: 1, revision: 1, value: longest })).statusCode).toBe(200)
  t.connect(banana)
  for (const body of [
    {},
    { purpose: 'curiosity' },
    { purpose: 'appeal', value: RAW },
    { purpose: 'appeal', source: '-' },
  ])
    expect((await reveal(body)).json()).toMatchObject({ status: 422, code: 'validation-failed' })
  expect((await reveal({ purpose: 'appeal' }, 'fig')).statusCode).toBe(404)
})

test('each has its scope', async () => {
  t.connect(apple, ['feed:read', 'reveal', 'signals:withdraw'])
  expect((await put({ v: 1, revision: 1, value: RAW })).json()).toMatchObject({ status: 403, code: 'scope-missing' })
  t.connect(banana, ['feed:read', 'lookup:open', 'signals:submit'])
  expect((await reveal({ purpose: 'appeal' })).json()).toMatchObject({ status: 403, code: 'scope-missing' })
})
