import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { linkHash } from '../../../../src/identifiers/token.ts'
import { newId, type Uuid } from '../../../../src/kernel/ids.ts'
import { sha256 } from '../../../../src/kernel/sha256.ts'
import type { Party } from '../../../feeds/world.ts'
import { aConsoleWorld, type ConsoleWorld, type Person } from '../world.ts'

let w: ConsoleWorld
let apple: Party
let banana: Party
let audience: Uuid
let ann: Person
let eve: Person

beforeAll(async () => {
  w = await aConsoleWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  const cherry = await w.admit('cherry')
  audience = (await w.group('fruit', [apple, banana, cherry])).audience
  ann = await w.person(banana, 'analyst')
  eve = await w.person(cherry, 'analyst')
})
afterAll(() => w.end())
beforeEach(() => w.later(30_000))

let made = 0
/** A case of banana's over a link that apple sealed. */
async function sealed(seal = true): Promise<{ id: Uuid; signal: Uuid; raw: string }> {
  made += 1
  const raw = `https://bad.example/kumquat-${made}`
  const value = { profile: 'url/1', sha256: linkHash(sha256, raw.slice(8)), scope: { host: 'exact', path: 'exact' } }
  const item = w.item({ audience, severity: 'medium', value })
  await w.submit(apple, [item])
  if (seal) await w.signals.values.give(apple, item.signal, { v: 1, revision: 1, value: raw })
  await w.settle()
  const id = (await w.hit(banana, apple, item, 14)).results[0]?.case
  if (id === undefined) throw new Error('no case')
  return { id, signal: item.signal, raw }
}
const reveals = async (): Promise<Record<string, unknown>[]> => {
  const rows = await w.t.owner
    .selectFrom('prov_record')
    .select('event_id')
    .where('kind', '=', 'value.revealed')
    .execute()
  return Promise.all(rows.map(({ event_id }) => w.opened(event_id)))
}
const investigation = { purpose: 'investigation' }

test('a sealed link is on no page before it is asked for, and then as text that nothing follows', async () => {
  const { id, signal } = await sealed()
  for (const url of [`/cases/${id}`, '/queue', `/cases/${id}/texts`, `/cases/${id}/related`])
    expect([url, (await w.get(ann, url)).body.includes('kumquat')]).toEqual([url, false])
  expect((await w.get(ann, `/cases/${id}`)).body).toContain('The source sealed the link itself.')
  const before = (await reveals()).length
  const shown = await w.post(ann, `/cases/${id}/value`, investigation)
  expect(shown.statusCode).toBe(200)
  expect(shown.body).toContain(`hxxps[:]//bad[.]example/kumquat-${made}`)
  expect(shown.body).not.toMatch(/https:\/\/bad|href="[^"]*kumquat|<title>[^<]*kumquat/)
  expect(shown.headers['cache-control']).toContain('no-store')
  const told = await reveals()
  expect(told.length).toBe(before + 1)
  expect(told.find((one) => one['signal'] === signal)).toMatchObject({
    ...{ actor: 'banana', subject: 'apple', reader: 'banana', person: ann.person, purpose: 'investigation' },
  })
  expect((await w.get(ann, `/cases/${id}`)).body).not.toContain('kumquat')
})

test('as a part of the page it is the link alone', async () => {
  const { id } = await sealed()
  const { body } = await w.post(ann, `/cases/${id}/value`, investigation, {
    'hx-request': 'true',
    'hx-request-type': 'partial',
  })
  expect(body).toContain('kumquat')
  expect(body).not.toContain('<html')
})

test('who may not look at the case, or does not say why, reveals nothing', async () => {
  const { id } = await sealed()
  const [before, governor] = [(await reveals()).length, await w.person(banana, 'partner_admin')]
  expect((await w.post(eve, `/cases/${id}/value`, investigation)).statusCode).toBe(404)
  expect((await w.post(governor, `/cases/${id}/value`, investigation)).statusCode).toBe(404)
  expect((await w.post(ann, `/cases/${newId(w.now())}/value`, investigation)).statusCode).toBe(404)
  expect((await w.post(ann, `/cases/${id}/value`, { purpose: 'curiosity' })).statusCode).toBe(422)
  const forged = await w.post(ann, `/cases/${id}/value`, investigation, { 'sec-fetch-site': 'cross-site' })
  expect(forged.statusCode).toBe(403)
  expect((await w.get(ann, `/cases/${id}/value`)).statusCode).toBe(405)
  expect((await reveals()).length).toBe(before)
})

test('where nothing is sealed, or it is gone, the page says so and offers nothing', async () => {
  const bare = await sealed(false)
  expect((await w.get(ann, `/cases/${bare.id}`)).body).not.toContain('Reveal the link')
  const answer = await w.post(ann, `/cases/${bare.id}/value`, investigation)
  expect([answer.statusCode, answer.body.includes('Its source sealed no value')]).toEqual([404, true])
  const { id, signal } = await sealed()
  await w.withdraw(apple, signal)
  await w.settle()
  expect((await w.get(ann, `/cases/${id}`)).body).not.toContain('Reveal the link')
  expect((await w.post(ann, `/cases/${id}/value`, investigation)).body).not.toContain('kumquat')
})
