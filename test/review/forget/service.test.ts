import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { forgetAll } from '../../../src/review/forget.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { columnsHolding } from '../../support/holding.ts'
import { aReviewWorld, keyOf, type ReviewWorld } from '../world.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let cherry: Party
let audience: Uuid

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  audience = (await w.group('fruit', [apple, banana, cherry])).audience
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

let made = 0
/** A signal of apple's that everybody has, with a token that no other has. */
async function shared(): Promise<SignalItem> {
  made += 1
  const token = Buffer.alloc(32, `${made} of ${newId(w.now())}`).toString('hex')
  const plain = w.item({ audience, severity: 'medium' }, 'email')
  const item = { ...plain, value: { ...plain.value, token } }
  await w.submit(apple, [item])
  await w.settle()
  return item
}

const erase = (item: SignalItem) =>
  w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
const holding = (item: SignalItem) => columnsHolding(w.t.owner, Buffer.from(keyOf(item), 'hex'))

async function acted(by: Party, item: SignalItem): Promise<Uuid> {
  const id = (await w.hit(by, apple, item)).results[0]?.case ?? ('' as Uuid)
  await w.review.decide(w.as(by), id, w.verdict(await w.review.claim(w.as(by), id)))
  await w.release()
  return id
}

const forget = () => {
  const { app, projector } = w.t
  const directory = { slugOf: (participant: Uuid) => w.authority.slugOf(participant) }
  const { clock, provenance } = w
  return forgetAll({ app, projector, clock, provenance, directory }, [apple.participant, banana.participant])
}

test('after an erasure no row of any table holds its match key', async () => {
  const item = await shared()
  await acted(banana, item)
  const open = (await w.hit(cherry, apple, item)).results[0]?.case
  await w.find(cherry, [
    { type: 'email', profile: item.type === 'email' ? item.value.profile : '', keys: [keyOf(item)] },
  ])
  await w.settle()
  expect(await holding(item)).toEqual(expect.arrayContaining(['review_case.signal_key', 'signal.signal_key']))
  await erase(item)
  await w.settle()
  expect(await holding(item)).toEqual([])
  expect(open).toBeDefined()
})

test('of a hit nothing keeps the match key but its case', async () => {
  const item = await shared()
  const before = await holding(item)
  await w.hit(banana, apple, item)
  expect((await holding(item)).filter((column) => !before.includes(column))).toEqual(['review_case.signal_key'])
})

test('the log says of each case that its match key went, once, and its version stays', async () => {
  const item = await shared()
  const id = await acted(banana, item)
  const { version } = await w.caseOf(banana, id)
  await w.withdraw(apple, item.signal)
  await w.settle()
  await w.review.decide(
    w.as(banana),
    id,
    w.verdict(await w.review.claim(w.as(banana), id), { verdict: 'outdated', reason: 'inactive', counts: {} }),
  )
  await w.release()
  await erase(item)
  expect(await w.recorded(() => w.settle())).toEqual(['review.moved'])
  const { last_event } = await w.t.owner
    .selectFrom('review_case')
    .select('last_event')
    .where('case_id', '=', id)
    .executeTakeFirstOrThrow()
  expect(await w.opened(last_event)).toMatchObject({ case: id, from: 'closed', to: 'closed', reason: 'erased' })
  expect((await w.caseOf(banana, id)).version).toBe(version + 3)
  expect(await w.recorded(forget)).toEqual([])
})

test('a case that was committed after its erasure was followed loses the match key with the next round, and what a former release noted too', async () => {
  const [item, live] = [await shared(), await shared()]
  const [id, other] = [await acted(banana, item), await acted(banana, live)]
  await erase(item)
  await w.settle()
  // As a transaction leaves it that looked before the erasure and ended afterwards.
  const key = { signal_key: Buffer.from(keyOf(item), 'hex') }
  await w.t.owner.updateTable('review_case').set(key).where('case_id', '=', id).execute()
  await w.t.owner.updateTable('hit').set(key).where('signal_id', '=', item.signal).execute()
  const kinds = await w.recorded(async () => expect(await forget()).toBe(1))
  expect([kinds, await holding(item)]).toEqual([['review.moved'], []])
  expect(await holding(live)).toContain('review_case.signal_key')
  expect((await w.caseOf(banana, other)).said).toBeDefined()
})
