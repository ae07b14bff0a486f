import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Uuid } from '../../../src/kernel/ids.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { aReviewWorld, type ReviewWorld } from '../world.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let audience: Uuid

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  audience = (await w.group('fruit', [apple, banana])).audience
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

async function opened(): Promise<{ id: Uuid; item: SignalItem }> {
  const item = w.item({ audience, severity: 'medium' })
  await w.submit(apple, [item])
  await w.settle()
  return { item, id: (await w.hit(banana, apple, item)).results[0]?.case ?? ('' as Uuid) }
}

async function handed(id: Uuid, from: { who: string; lead?: boolean }): Promise<void> {
  const by = w.as(banana, from.who, from.lead)
  const { token, version } = await w.review.claim(by, id)
  await w.review.handOver(by, id, { token, version, to: 'bob' })
}

const told = async () => (await w.review.notices(banana.participant)).filter(({ kind }) => kind === 'case.handed_over')

test('a second hand-over to the same person is told of as another, and one stays the same whatever moves the case', async () => {
  const { id, item } = await opened()
  const ofCase = async () => (await told()).find((one) => one.case === id)
  await handed(id, { who: 'ann' })
  const first = await ofCase()
  expect(first).toMatchObject({ for: 'bob', at: w.now() })
  w.pass(60_000)
  await w.revise(apple, item, { confidence: 10 })
  await w.settle()
  expect(await ofCase()).toMatchObject({ id: first?.id, at: first?.at })
  await w.review.claim(w.as(banana, 'bob'), id)
  await handed(id, { who: 'lea', lead: true })
  const second = await ofCase()
  expect(second).toMatchObject({ for: 'bob', at: w.now() })
  expect(second?.id).not.toBe(first?.id)
})

test('of more than a hundred cases that were handed over the newest hand-overs are told of, however old the case', async () => {
  const { id: old } = await opened()
  // As they are after the migration: nobody knows when they were handed over.
  await sql`insert into review_case (participant_id, case_id, origin, signal_id, signal_key, revision, type, category,
      severity, confidence, state, version, own_hits, confirmations, disputed, rank, due_at, opened_at, assigned_to, last_event)
    select participant_id, ('ffffffff-ffff-7fff-8fff-' || lpad(to_hex(n), 12, '0'))::uuid, origin, gen_random_uuid(), signal_key,
      revision, type, category, severity, confidence, 1, 1, 1, 0, false, 1, due_at, opened_at, 'cat', last_event
    from review_case, generate_series(1, 100) n where case_id = ${old}`.execute(w.t.owner)
  const ids = (await told()).map(({ id }) => id)
  await handed(old, { who: 'ann' })
  const after = await told()
  expect(after).toHaveLength(100)
  expect(after[0]).toMatchObject({ case: old, for: 'bob' })
  // What was told before is not told again.
  expect(ids).toEqual(expect.arrayContaining(after.slice(1).map(({ id }) => id)))
})
