import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Refusal } from '../../src/kernel/errors.ts'
import { newId } from '../../src/kernel/ids.ts'
import { createPublishing } from '../../src/publishing/service.ts'
import { DAY, NOON } from '../signals/factory.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

test('a report is begun once of two that ask at the same time, and no other while it is computed', async () => {
  const looks: string[] = []
  const publishing = createPublishing({
    ...{ admin: t.admin, clock: () => NOON, checkpoint: async () => ({ size: 3n, note: 'three entries' }) },
    auditing: async (_, what) => {
      looks.push(what)
    },
    ...{ opened: async () => [], changes: async () => new Map() },
  })
  const by = { participant: newId(NOON), slug: 'node', person: newId(NOON) }
  const asked = { period: { from: NOON.getTime() - 30 * DAY, to: NOON.getTime() - DAY }, k: 5 }
  const begun = async (): Promise<string> =>
    publishing.begin(by, asked).then(
      () => 'begun',
      ({ code }: Refusal) => code,
    )
  expect(await Promise.all([begun(), begun()])).toEqual(['begun', 'state-conflict'])
  expect(await begun()).toBe('state-conflict')
  expect([looks, publishing.drafting()?.state]).toEqual([['entries 0 to 2'], 'running'])
})
