import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import type { Serving } from '../../src/listeners.ts'
import { type ClientIdentity, type TestPki, testPki } from '../support/pki.ts'
import { asking, type RealListeners, realListeners } from './listeners.ts'

const UUID = '018f6b2e-0000-7000-8000-000000000001'
let pki: TestPki
let aspen: ClientIdentity
const ends: (() => unknown)[] = []

beforeAll(async () => {
  pki = await testPki()
  aspen = await pki.participant('aspen')
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** A node's listeners, and aspen's connection to the partners' one. */
async function connected(scopes: readonly string[], serving: Partial<Serving> = {}) {
  const listeners: RealListeners = await realListeners(pki, serving)
  listeners.directory.set(aspen, { scopes })
  const client = asking(listeners, aspen)
  ends.push(
    client.end,
    () => listeners.partner.close(),
    () => listeners.enrol.close(),
  )
  return client
}

test('what is not there is limited like anything else: a credential that tries doors is held up', async () => {
  const client = await connected([])
  for (let i = 0; i <= LIMITS.refusals_per_credential_per_minute; i++) {
    expect((await client.ask(`/v1/door-${i}`)).body.code).toBe('not-found')
  }
  const { status, body } = await client.ask('/v1/door')
  expect([status, body.code]).toEqual([429, 'rate-limited'])
})

test('every answer names the newest checkpoint, a refusal too', async () => {
  const client = await connected([], { head: { line: '7 root' } })
  for (const path of ['/v1/feeds', '/v1/door', '/v1/feeds/plum/events']) {
    expect((await client.ask(path)).headers['provenance-checkpoint'], path).toBe('7 root')
  }
})

describe('a credential without scopes', () => {
  const { paths } = JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { 'x-scope': string }>>
  }
  const scoped = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { 'x-scope': scope }]) =>
      scope === 'public' ? [] : [{ method, path, scope }],
    ),
  )

  test.for(scoped)('is refused $method $path before anything is looked up, and told $scope', async (route) => {
    const client = await connected([])
    const path = route.path.replaceAll(/\{\w+\}/g, UUID)
    const { status, body } = await client.ask(path, { method: route.method.toUpperCase() })
    expect([status, body.code]).toEqual([403, 'scope-missing'])
    expect(body.detail).toContain(route.scope)
  })
})

test('a stream that comes as JSON is refused at once, and not gathered in memory first', async () => {
  const client = await connected(['signals:submit'])
  const headers = { 'content-type': 'application/json', 'content-length': String(LIMITS.stream_bytes) }
  const { status, body } = await client.ask('/v1/submissions/stream', { method: 'POST', headers, begun: '{"jws":' })
  expect([status, body.code]).toEqual([415, 'unsupported-media-type'])
})

test('a stream has to say which upload it is of', async () => {
  const client = await connected(['signals:submit'])
  const type = { 'content-type': 'application/x-ndjson' }
  const refused: Record<string, string>[] = [
    {},
    { 'upload-id': 'plum' },
    { 'upload-id': UUID.toUpperCase() },
    { 'upload-id': UUID, 'upload-line': '0' },
    { 'upload-id': UUID, 'upload-line': '01' },
    { 'upload-id': UUID, 'upload-line': '1e3' },
  ]
  for (const own of refused) {
    const { status, body } = await client.ask('/v1/submissions/stream', {
      method: 'POST',
      headers: { ...type, ...own },
    })
    expect([status, body.code], JSON.stringify(own)).toEqual([400, 'invalid-header'])
  }
})
