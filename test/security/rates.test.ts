import { afterAll, beforeAll, expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'
import type { Scope } from '../../src/participants/schema.ts'
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

async function newcomer(slug: string, scopes?: readonly Scope[]): Promise<Caller> {
  const member = await n.member(slug, scopes === undefined ? {} : { scopes })
  const one = callerOf(n, member, 1)
  callers.push(one)
  return one
}

/** How many of so many calls were held up; what a busy machine sheds was let in before. */
async function heldUp(times: number, ask: () => Promise<Answer>): Promise<number> {
  const answers: Answer[] = []
  for (let at = 0; at < times; at += 20) {
    answers.push(...(await Promise.all(Array.from({ length: Math.min(20, times - at) }, ask))))
  }
  return answers.filter(({ status }) => status === 429).length
}

/** Asks until so many answers had this status. */
async function until(status: number, times: number, ask: () => Promise<Answer>): Promise<void> {
  for (let seen = 0; seen < times; ) {
    const answer = await ask()
    if (answer.status === status) seen += 1
    else expect(answer.status).toBe(503)
  }
}

const expectHeldUp = (answer: Answer): void => {
  expectRefusal(answer, 'rate-limited')
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
}

test('a credential has its burst and its rate, whatever it asks, and takes nothing from others', async () => {
  const [client, other] = [await newcomer('banana'), await newcomer('cherry')]
  const whoami = () => client.ask({ path: '/v1/whoami' })
  expect(await heldUp(BURST + 40, whoami)).toBe(40)
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
  expect(await heldUp(1, () => other.ask({ path: '/v1/whoami' }))).toBe(0)
  advance(1_000)
  expect(await heldUp(LIMITS.requests_per_credential_per_second + 10, whoami)).toBe(10)
})

test('a credential that tries doors is held up for a second, and then again, until a minute has filled', async () => {
  const client = await newcomer('damson')
  const doors = [`/v1/signals/${NEVER}`, '/nowhere', `/provenance/1/receipts/${NEVER}`]
  let i = 0
  const knock = () => client.ask({ path: doors[i++ % doors.length] ?? '' })
  const whoami = () => client.ask({ path: '/v1/whoami' })
  await until(404, DOORS, knock)
  await until(200, 1, whoami)
  await until(404, 1, knock)
  expectHeldUp(await changesNothing(n.t, whoami))
  advance(1_000)
  await until(200, 1, whoami)
  await until(404, DOORS / 60 + 1, knock)
  expectHeldUp(await whoami())
})

test('refusals for a missing scope are doors too', async () => {
  const narrow = await newcomer('elder', ['provenance:read'])
  await until(403, DOORS + 1, () => narrow.ask({ path: '/v1/feeds' }))
  expectHeldUp(await narrow.ask({ path: '/v1/whoami' }))
})
