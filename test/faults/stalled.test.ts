import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Background, backgroundHere } from '../../src/background.ts'
import { LIMITS } from '../../src/http/limits.ts'
import { aDigest } from '../signals/factory.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

let n: TestNode
let apple: Member
let background: Background
/** Milliseconds by which the projector is older than it is. */
let older = 0
beforeAll(async () => {
  n = await aTestNode({
    startBackground: (...given) => {
      background = backgroundHere(...given)
      return { ...background, projectAge: () => background.projectAge() + older }
    },
  })
  apple = await n.member('apple')
}, 60_000)
afterAll(() => n.end())

const lookUp = () =>
  apple.client.lookUp({ purpose: 'investigation', queries: [{ type: 'url', profile: 'url/1', keys: [aDigest()] }] })

test('a projector that does not go round ages, and the log beside it does not', async () => {
  await sql`revoke select on projector from aldis_projector`.execute(n.t.owner)
  await expect.poll(background.projectAge, { interval: 50, timeout: 20_000 }).toBeGreaterThan(2_000)
  expect(background.age()).toBeLessThan(background.projectAge())
  await sql`grant select on projector to aldis_projector`.execute(n.t.owner)
  await expect.poll(background.projectAge, { interval: 50, timeout: 20_000 }).toBeLessThan(1_000)
})

test('look-ups are refused once it has stood still for as long as they may be behind, and answered when it goes on', async () => {
  older = LIMITS.lookups_behind_seconds * 1_000
  await expect(lookUp()).rejects.toMatchObject({ code: 'log-behind' })
  expect((await apple.client.feeds()).feeds).not.toEqual([])
  older = 0
  expect((await lookUp()).matches).toEqual([])
})
