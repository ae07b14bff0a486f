import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import type { SignalItem } from '../../../src/signals/schema.ts'
import type { Party } from '../../feeds/world.ts'
import { aReviewWorld, type ReviewWorld } from '../world.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NO_RULES = { keyword_patterns: false, critical: false, not_reviewed: false, new_sources: false, categories: [] }
const ASKS = { verdict: 'needs_information', reason: 'context' } as const

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

interface Case {
  id: Uuid
  item: SignalItem
}

async function shared(change: object): Promise<SignalItem> {
  const item = w.item({ audience, ...change })
  await w.submit(apple, [item])
  await w.settle()
  return item
}

/** A case of banana's over its own hit. */
async function opened(change: object): Promise<Case> {
  const item = await shared(change)
  return { item, id: (await w.hit(banana, apple, item)).results[0]?.case ?? ('' as Uuid) }
}

/** A case of banana's by a rule of its own, without a hit. */
async function routed(change: object): Promise<Case> {
  await w.review.route(banana, { ...NO_RULES, categories: ['trafficking'] })
  const item = await shared({ ...change, category: 'trafficking' })
  await w.review.route(banana, NO_RULES)
  const { cases } = await w.queue(banana, { category: 'trafficking' })
  return { item, id: cases.find(({ signal }) => signal === item.signal)?.case ?? ('' as Uuid) }
}

async function released({ id }: Case, change: object = {}): Promise<void> {
  await w.review.decide(w.as(banana), id, w.verdict(await w.review.claim(w.as(banana), id), change))
  await w.release()
}

async function answered({ item }: Case): Promise<void> {
  const note = 'on the second surface'
  await w.feedback.answerQuestion(
    { ...apple, person: newId(w.now()) },
    { signal: item.signal, asker: 'banana' },
    { note },
  )
  await w.settle()
}

async function disputed({ item }: Case): Promise<void> {
  await w.object(cherry, { ...w.about(apple, item), dispute: newId(w.now()), ground: 'false_match' })
  await w.settle()
}

const dueOf = async ({ id }: Case): Promise<number> => Date.parse((await w.caseOf(banana, id)).due_at)
/** How long there is left. */
const leftOf = async (one: Case): Promise<number> => (await dueOf(one)) - w.now().getTime()

describe('when a case is due', () => {
  test('the time that its source owed stays uncounted, whatever reason comes after the answer', async () => {
    const one = await opened({ severity: 'high' })
    await released(one, ASKS)
    w.pass(19 * HOUR_MS)
    await answered(one)
    const due = await dueOf(one)
    expect(due - w.now().getTime()).toBeGreaterThan(3 * HOUR_MS)
    w.pass(HOUR_MS / 2)
    await w.hit(banana, apple, one.item, 2)
    expect(await dueOf(one)).toBe(due)
    await w.revise(apple, one.item, { confidence: 10 })
    await w.settle()
    expect(await dueOf(one)).toBe(due)
  })

  test('a reason that comes while its source owes an answer leaves it as much time as after the answer', async () => {
    const one = await routed({ severity: 'high' })
    await released(one, ASKS)
    w.pass(10 * HOUR_MS)
    await w.hit(banana, apple, one.item)
    w.pass(9 * HOUR_MS)
    await answered(one)
    expect(await leftOf(one)).toBe(4 * HOUR_MS)
  })

  test('what makes it more urgent counts from when it came: the first hit', async () => {
    const one = await routed({ severity: 'high' })
    expect(await leftOf(one)).toBe(24 * HOUR_MS)
    w.pass(10 * HOUR_MS)
    await w.hit(banana, apple, one.item)
    expect(await leftOf(one)).toBe(4 * HOUR_MS)
  })

  test('a dispute', async () => {
    const one = await opened({ severity: 'low' })
    await released(one)
    await w.hit(banana, apple, one.item, 2)
    expect(await leftOf(one)).toBe(7 * DAY_MS)
    w.pass(3 * DAY_MS)
    await disputed(one)
    expect(await leftOf(one)).toBe(4 * HOUR_MS)
  })

  test('and a revision that is more severe; one that is not moves nothing', async () => {
    const one = await opened({ severity: 'medium' })
    const due = await dueOf(one)
    w.pass(DAY_MS)
    const { item: milder } = await revised(one, { confidence: 10 })
    expect(await dueOf(one)).toBe(due)
    await revised({ ...one, item: milder }, { severity: 'critical' })
    expect(await leftOf(one)).toBe(4 * HOUR_MS)
  })

  async function revised({ item }: Case, change: Readonly<Record<string, unknown>>): Promise<{ item: SignalItem }> {
    await w.revise(apple, item, change)
    await w.settle()
    return { item: { ...item, ...change, revision: item.revision + 1 } }
  }

  test('nothing brings it back later', async () => {
    const one = await opened({ severity: 'critical' })
    const due = await dueOf(one)
    w.pass(HOUR_MS)
    await w.hit(banana, apple, one.item, 2)
    expect(await dueOf(one)).toBe(due)
  })
})

describe('a dispute that was decided on', () => {
  test('is no reason of what opens the case later', async () => {
    const one = await opened({ severity: 'medium' })
    await released(one)
    await disputed(one)
    expect(await w.caseOf(banana, one.id)).toMatchObject({ state: 'open', disputed: true })
    await released(one)
    await w.hit(banana, apple, one.item, 2)
    expect(await w.caseOf(banana, one.id)).toMatchObject({ state: 'open', disputed: false })
    expect(await leftOf(one)).toBe(3 * DAY_MS)
  })

  test('also where that came within the grace; and one that came within it is', async () => {
    const one = await opened({ severity: 'medium' })
    await released(one)
    await disputed(one)
    await w.review.decide(w.as(banana), one.id, w.verdict(await w.review.claim(w.as(banana), one.id)))
    await w.hit(banana, apple, one.item, 2)
    await w.release()
    expect(await w.caseOf(banana, one.id)).toMatchObject({ state: 'open', disputed: false })
    expect(await leftOf(one)).toBe(3 * DAY_MS)
    const other = await opened({ severity: 'medium' })
    await w.review.decide(w.as(banana), other.id, w.verdict(await w.review.claim(w.as(banana), other.id)))
    await disputed(other)
    await w.release()
    expect(await w.caseOf(banana, other.id)).toMatchObject({ state: 'open', disputed: true })
    expect(await leftOf(other)).toBe(4 * HOUR_MS)
  })
})

test('a decision that was late is so however often its case is opened again, and one that was not is not', async () => {
  const late = async () => (await w.review.figures(banana.participant)).recent.late
  const before = await late()
  const [slow, quick] = [await opened({ severity: 'high' }), await opened({ severity: 'low' })]
  w.pass(5 * HOUR_MS)
  for (const one of [slow, quick]) await released(one)
  expect(await late()).toBe(before + 1)
  for (const one of [slow, quick]) await w.hit(banana, apple, one.item, 2)
  await w.revise(apple, quick.item, { severity: 'critical' })
  await w.settle()
  expect(await late()).toBe(before + 1)
})
