import { afterAll, beforeAll, expect, test } from 'vitest'
import { createMetrics } from '../../src/http/metrics.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { createListeners, type Serving } from '../../src/listeners.ts'
import type { Scope } from '../../src/participants/schema.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { type Answer, type Caller, caller, callerOf, changesNothing, expectRefusal, JSON_TYPE } from './world.ts'

interface Route {
  method: string
  url: string
  scope: Scope | 'public'
}

const EXCHANGE = [
  ...([
    'signals:submit',
    'signals:withdraw',
    'feed:read',
    'lookup:evaluate',
    'lookup:open',
    'reveal',
    'provenance:read',
  ] as const),
  ...(['feedback:write', 'review:work'] as const),
]
const AUDIT = ['provenance:read', 'provenance:audit', 'provenance:witness', 'governance:read'] as const
/** Of no other kind may anybody have them. */
const OBSERVERS: readonly string[] = ['provenance:audit', 'governance:read']

let n: TestNode
let routes: Route[]
let everything: Caller
let observer: Caller
let apple: Member
/** May submit, and not withdraw. */
let careful: Member
const lacking = new Map<Scope, Caller>()
const callers: Caller[] = []

beforeAll(async () => {
  n = await aTestNode()
  routes = await routesOf(n)
  apple = await n.member('apple', { scopes: EXCHANGE })
  everything = known(apple)
  for (const [i, scope] of EXCHANGE.entries()) {
    const member = await n.member(`lacks-${i}`, { scopes: EXCHANGE.filter((one) => one !== scope) })
    lacking.set(scope, known(member))
    if (scope === 'signals:withdraw') careful = member
  }
  observer = known(await n.member('owl', { kind: 'observer', scopes: AUDIT }))
  lacking.set('provenance:audit', everything)
  lacking.set('governance:read', everything)
})
afterAll(async () => {
  for (const one of callers) one.close()
  await n.end()
})

function known(member: Member): Caller {
  const one = callerOf(n, member)
  callers.push(one)
  return one
}

/** Every route of the partner listener as the node itself registers it. */
async function routesOf({ parts }: TestNode): Promise<Route[]> {
  const found: Route[] = []
  const never = {
    ledgers: new Map([[1, {}]]),
    halted: () => undefined,
    overseeing: {},
    notifying: {},
  } as unknown as Omit<Serving, 'log' | 'metrics' | 'head'>
  const { partner, enrol } = await createListeners(parts, {
    ...never,
    ...{ log: silentLog, metrics: createMetrics(), head: { line: undefined } },
  })
  partner.addHook('onRoute', ({ method, url, config }) => {
    // Other protocols refuse by rules of their own: see test/interop.
    if (config?.foreign === true) return
    for (const one of [method].flat()) found.push({ method: one, url, scope: config?.scope ?? 'public' })
  })
  await partner.ready()
  await Promise.all([partner.close(), enrol.close()])
  return found
}

const SOME_ID = '01890000-0000-7000-8000-000000000000'
const call = (by: Caller, { method, url }: Route): Promise<Answer> => {
  const path = url.replaceAll(/:[a-z_]+/g, SOME_ID).replace('*', '0/000')
  return by.ask(method === 'GET' ? { path } : { method, path, headers: JSON_TYPE, body: '{}' })
}
const named = ({ method, url }: Route): string => `${method} ${url}`

test('the routes are all that the listener has', async () => {
  expect(routes.length).toBeGreaterThan(20)
  expect(routes.filter(({ method }) => !['GET', 'POST', 'PUT'].includes(method))).toEqual([])
})

test('each route refuses a credential that has every scope but its own', async () => {
  for (const route of routes) {
    const answer = await call(OBSERVERS.includes(route.scope) ? observer : everything, route)
    expect([403, 401, 405, 500], named(route)).not.toContain(answer.status)
    if (route.scope === 'public') continue
    const by = lacking.get(route.scope)
    if (by === undefined) throw new Error(`no credential lacks ${route.scope}`)
    const problem = expectRefusal(await changesNothing(n.t, () => call(by, route)), 'scope-missing')
    expect(problem['detail'], named(route)).toContain(route.scope)
  }
})

test('an observer reads no signal, whatever it asks', async () => {
  const own = new Set<string>(['public', ...AUDIT])
  for (const route of routes.filter(({ scope }) => !own.has(scope))) {
    expectRefusal(await changesNothing(n.t, () => call(observer, route)), 'scope-missing')
  }
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())
  const sent = await apple.client.submit(await apple.sign([item]))
  await apple.client.receipt(sent.submission ?? '')
  // The description of the API names every member, and holds none.
  const isOpen = ({ method, scope, url }: Route): boolean =>
    method === 'GET' && scope === 'public' && url !== '/v1/openapi.json'
  const open = routes.filter(isOpen)
  for (const route of open) expect((await call(observer, route)).text, named(route)).not.toContain('"signal"')
  expect(JSON.parse((await observer.ask({ path: '/v1/audiences' })).text)).toEqual({ audiences: [] })
  // An auditor is told that there is one, in which state and with which digest; not what it is of.
  const { sha256 } = item.value as { sha256: string }
  for (const path of ['export?from=0&to=4096', 'snapshot']) {
    const { status, text } = await observer.ask({ path: `/provenance/1/${path}` })
    expect(status, text).toBe(200)
    expect(text).toContain(item.signal)
    expect(text).not.toContain(sha256)
    expect(text).not.toContain('"value"')
  }
})

test('no act gives an observer a scope that its kind may not have', async () => {
  for (const scope of ['feed:read', 'lookup:evaluate', 'signals:submit'] as const) {
    await expect(n.enrolled('owl', [...AUDIT, scope])).rejects.toMatchObject({ code: 'policy-refused' })
  }
})

test('a credential that may submit but not withdraw ends nothing, not even its own', async () => {
  const by = lacking.get('signals:withdraw')
  if (by === undefined) throw new Error('no such credential')
  const item = await careful.item({ type: 'url', raw: 'https://bad.example/a' }, await careful.everybody())
  await careful.client.submit(await careful.sign([item]))
  const { leaf: prev } = await careful.client.own(item.signal)
  const end = { v: 1, signal: item.signal, revision: 2, prev, reason: 'mistaken' }
  const body = JSON.stringify(await careful.sign([end], 'aldis-withdrawal+jws'))
  const post = { method: 'POST', path: '/v1/submissions', headers: JSON_TYPE, body }
  expectRefusal(await changesNothing(n.t, () => by.ask(post)), 'scope-missing')
})

test('what one listener serves, the other does not know', async () => {
  const nobody = caller(n.enrol, { ca: n.parts.rootCertificate })
  callers.push(nobody)
  for (const route of routes) expectRefusal(await call(nobody, route), 'not-found')
  const post = { method: 'POST', path: '/enroll', headers: JSON_TYPE, body: '{}' }
  expectRefusal(await everything.ask(post), 'not-found')
  expectRefusal(await nobody.ask(post), 'validation-failed')
  for (const path of ['/metrics', '/livez', '/readyz']) {
    expectRefusal(await everything.ask({ path }), 'not-found')
    expectRefusal(await nobody.ask({ path }), 'not-found')
  }
})
