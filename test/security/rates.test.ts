import { afterAll, beforeAll, expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { type Answer, type Caller, callerOf, changesNothing, expectRefusal, JSON_TYPE, NEVER } from './world.ts'

const BURST = LIMITS.requests_per_credential_burst
const DOORS = LIMITS.refusals_per_credential_per_minute

let n: TestNode
let apple: Member
let now = Date.now()
const callers: Caller[] = []
/** The node's clock stands still unless a test moves it: no bucket fills in between. */
const advance = (ms: number): void => {
  now += ms
}
beforeAll(async () => {
  n = await aTestNode({ clock: () => new Date(now) })
  apple = await n.member('apple')
})
afterAll(async () => {
  for (const one of callers) one.close()
  await n.end()
})

async function newcomer(slug: string): Promise<Caller> {
  const one = callerOf(n, await n.member(slug))
  callers.push(one)
  return one
}

async function many(times: number, ask: () => Promise<Answer>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  const answers: Answer[] = []
  for (let at = 0; at < times; at += 50) {
    answers.push(...(await Promise.all(Array.from({ length: Math.min(50, times - at) }, ask))))
  }
  for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1)
  return statuses
}

const expectHeldUp = (answer: Answer): void => {
  expectRefusal(answer, 'rate-limited')
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
}

test('a credential has its burst and its rate, whatever it asks, and takes nothing from others', async () => {
  const [client, other] = [await newcomer('banana'), await newcomer('cherry')]
  const whoami = () => client.ask({ path: '/v1/whoami' })
  expect(await many(BURST + 40, whoami)).toEqual(
    new Map([
      [200, BURST],
      [429, 40],
    ]),
  )
  const submission = JSON.stringify(
    await apple.sign([await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())]),
  )
  for (const call of [
    { path: '/nowhere' },
    { method: 'DELETE', path: '/v1/feeds' },
    { method: 'POST', path: '/v1/submissions', headers: JSON_TYPE, body: submission },
  ]) {
    expectHeldUp(await changesNothing(n.t, () => client.ask(call)))
  }
  expect((await other.ask({ path: '/v1/whoami' })).status).toBe(200)
  advance(1_000)
  const rate = LIMITS.requests_per_credential_per_second
  expect(await many(rate + 10, whoami)).toEqual(
    new Map([
      [200, rate],
      [429, 10],
    ]),
  )
})

test('a credential that tries doors is held up for a second, and then again, until a minute has filled', async () => {
  const client = await newcomer('damson')
  const doors = [`/v1/signals/${NEVER}`, '/nowhere', `/provenance/1/receipts/${NEVER}`]
  let i = 0
  const knock = () => client.ask({ path: doors[i++ % doors.length] ?? '' })
  expect(await many(DOORS, knock)).toEqual(new Map([[404, DOORS]]))
  expect((await client.ask({ path: '/v1/whoami' })).status).toBe(200)
  expect((await knock()).status).toBe(404)
  expectHeldUp(await changesNothing(n.t, () => client.ask({ path: '/v1/whoami' })))
  advance(1_000)
  expect((await client.ask({ path: '/v1/whoami' })).status).toBe(200)
  expect(await many(DOORS / 60 + 1, knock)).toEqual(new Map([[404, DOORS / 60 + 1]]))
  expectHeldUp(await client.ask({ path: '/v1/whoami' }))
})

test('refusals for a missing scope are doors too', async () => {
  const narrow = callerOf(n, await n.member('elder', { scopes: ['provenance:read'] }))
  callers.push(narrow)
  const feeds = () => narrow.ask({ path: '/v1/feeds' })
  expect(await many(DOORS + 1, feeds)).toEqual(new Map([[403, DOORS + 1]]))
  expectHeldUp(await narrow.ask({ path: '/v1/whoami' }))
})
