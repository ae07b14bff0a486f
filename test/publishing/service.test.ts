import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Refusal } from '../../src/kernel/errors.ts'
import { newId } from '../../src/kernel/ids.ts'
import type { KeptFacts } from '../../src/publishing/facts.ts'
import { FACTS_WAIT_MS } from '../../src/publishing/schema.ts'
import { createPublishing } from '../../src/publishing/service.ts'
import { DAY, NOON } from '../signals/factory.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

const by = { participant: newId(NOON), slug: 'node', person: newId(NOON) }
const asked = { period: { from: NOON.getTime() - 30 * DAY, to: NOON.getTime() - DAY }, k: 5 }

/** What drafts over what is kept from each place on, of a log of three entries. */
function drafting(facts: (from: bigint) => Promise<KeptFacts | undefined>) {
  const looks: string[] = []
  let now = NOON
  const publishing = createPublishing({
    ...{ admin: t.admin, clock: () => now, checkpoint: async () => ({ size: 3n, note: 'three entries' }), facts },
    auditing: async (_, what) => {
      looks.push(what)
    },
  })
  const pass = (ms: number): void => {
    now = new Date(now.getTime() + ms)
  }
  return { publishing, looks, pass }
}

test('a report is begun once of two that ask at the same time, and no other while it is computed', async () => {
  const { publishing, looks } = drafting(async () => undefined)
  const begun = async (): Promise<string> =>
    publishing.begin(by, asked).then(
      () => 'begun',
      ({ code }: Refusal) => code,
    )
  expect(await Promise.all([begun(), begun()])).toEqual(['begun', 'state-conflict'])
  expect(await begun()).toBe('state-conflict')
  expect([looks, publishing.drafting()?.state]).toEqual([['entries 0 to 2'], 'running'])
})

describe('a draft', () => {
  test('waits for entries that were not carried yet, and for no longer than it may', async () => {
    const { publishing, pass } = drafting(async () => undefined)
    await publishing.begin(by, asked)
    pass(FACTS_WAIT_MS - 1)
    expect([await publishing.round(), publishing.drafting()?.state]).toEqual([false, 'running'])
    pass(1)
    await publishing.round()
    expect(publishing.drafting()).toMatchObject({
      state: 'failed',
      why: expect.stringContaining('not carried in time'),
    })
  })
  test('fails over entries of which nothing can be read, rather than leaving them out', async () => {
    const { publishing } = drafting(async () => ({ n: 3, sealed: 1, facts: [] }))
    await publishing.begin(by, asked)
    await publishing.round()
    expect(publishing.drafting()).toMatchObject({ state: 'failed', why: expect.stringContaining('nothing of its') })
  })
  test('begun in a log that another goes before fails where the period reaches back', async () => {
    const fact = { kind: 'log.opened', time: NOON.getTime() - 2 * DAY, fields: new Map(), parties: [], shared: [] }
    const { publishing } = drafting(async () => ({ n: 3, sealed: 0, facts: [{ index: 0n, fact }] }))
    await publishing.begin(by, asked)
    await publishing.round()
    expect(publishing.drafting()).toMatchObject({ state: 'failed', why: expect.stringContaining('continues') })
  })
})
