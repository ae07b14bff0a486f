import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { newId, timeOf, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, type ReviewWorld } from '../review/world.ts'
import { DAY, instantAt } from '../signals/factory.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let cherry: Party
let quiet: Party
let audience: Uuid
let feed: Uuid

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  quiet = await w.admit('quince')
  ;({ audience, feed } = await w.group('fruit', [apple, banana, cherry]))
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

async function shared(change: object = {}, by = apple): Promise<SignalItem> {
  w.pass(1_000)
  const item = w.item({ audience, ...change })
  await w.submit(by, [item])
  await w.settle()
  return item
}

async function give(by: Party, item: SignalItem, said: object): Promise<void> {
  await w.give(by, { ...w.about(apple, item), ...said })
  await w.settle()
}

const confirms = { outcome: 'confirmed_no_presence', reason: 'no_account' }
const asks = { outcome: 'needs_information', reason: 'context', note: 'on which surface?' }
const one = async (signal: Uuid, by = apple) => w.feedback.sentSignal(by.participant, signal)
const ids = async (query: object = {}, by = apple): Promise<Uuid[]> =>
  (await w.feedback.sent(by.participant, query)).signals.map(({ signal }) => signal)
const acked = (by: Party, upto: bigint) =>
  w.feeds.acknowledge(w.reader(by), feed, { upto: String(upto), stage: 'mirror_removed' })
const lastSeq = async (): Promise<bigint> => {
  const { feeds } = await w.feeds.feeds(w.reader(apple))
  return BigInt(feeds.find((one) => one.feed === feed)?.last_seq ?? 0)
}

test('a source finds its own signals, the newest first, page by page, and nobody else does', async () => {
  const items = [await shared(), await shared(), await shared()].map(({ signal }) => signal).reverse()
  const first = await w.feedback.sent(apple.participant, { limit: 2 })
  expect(first.signals.map(({ signal }) => signal)).toEqual(items.slice(0, 2))
  expect(first.next).toBe(items[1])
  const second = await w.feedback.sent(apple.participant, { limit: 2, cursor: items[1] as Uuid })
  expect(second.signals[0]?.signal).toBe(items[2])
  expect(await ids({}, banana)).toEqual([])
  await expect(one(items[0] as Uuid, banana)).rejects.toMatchObject({ code: 'not-found' })
})

test('a view is cut down by state, type, category and what is said', async () => {
  const [asked, plain] = [await shared({ category: 'grooming' }), await shared()]
  await give(banana, asked, asks)
  expect(await ids({ said: 'needs_information' })).toContain(asked.signal)
  expect(await ids({ said: 'needs_information' })).not.toContain(plain.signal)
  expect(await ids({ said: 'nothing', type: 'url' })).toContain(plain.signal)
  expect(await ids({ said: 'nothing' })).not.toContain(asked.signal)
  expect(await ids({ category: asked.category })).toContain(asked.signal)
  expect(await ids({ state: 'withdrawn' })).not.toContain(plain.signal)
  expect(await ids({ type: 'ip' })).toEqual([])
  await expect(ids({ category: 'no_such' })).rejects.toMatchObject({ code: 'taxonomy-unknown' })
})

test('who answered or acknowledged the feed beyond it is known to have it, and each counts once', async () => {
  const item = await shared()
  expect((await one(item.signal)).reach).toEqual({ members: 2, reached: 0, acknowledged: 0 })
  await give(banana, item, confirms)
  expect((await one(item.signal)).reach).toEqual({ members: 2, reached: 1, acknowledged: 0 })
  await acked(banana, await lastSeq())
  await acked(cherry, await lastSeq())
  expect(await one(item.signal)).toMatchObject({
    ...{ answered: 1, standing: 'confirmed', reach: { members: 2, reached: 2, acknowledged: 2 } },
  })
})

test('a withdrawal counts who acknowledged it, and not who had the signal before', async () => {
  const item = await shared()
  await acked(banana, await lastSeq())
  await w.withdraw(apple, item.signal)
  await w.settle()
  expect(await one(item.signal)).toMatchObject({ state: 'withdrawn', reach: { members: 2, acknowledged: 0 } })
  await acked(cherry, await lastSeq())
  const { reach, revisions } = await one(item.signal)
  expect(reach).toMatchObject({ members: 2, acknowledged: 1 })
  expect(revisions.map(({ revision, item }) => [revision, item !== undefined && 'reason' in item])).toEqual([
    [2, true],
    [1, false],
  ])
})

test('each organisation stands there with what it says last', async () => {
  const item = await shared()
  await w.hit(cherry, apple, item)
  await give(cherry, item, { outcome: 'not_violating', reason: 'policy_differs' })
  await give(banana, item, confirms)
  const { said } = await one(item.signal)
  expect(said).toMatchObject([
    { giver: 'banana', outcome: 'confirmed_no_presence', independent: false },
    { giver: 'cherry', outcome: 'not_violating', independent: true },
  ])
})

test('what was written is read by its place alone, and each time that is recorded', async () => {
  const item = await shared()
  await give(banana, item, asks)
  const place = (await one(item.signal)).said[0]?.place ?? 0n
  const by = w.reader(apple, 'console /submissions/:signal/words/:place')
  const before = await pending(apple)
  const { body, read } = await w.feeds.heard(by, place)
  expect(JSON.parse(body)).toMatchObject({ type: 'feedback.received', source: 'banana', data: { note: asks.note } })
  expect(read).toMatch(/^[0-9a-f-]{36}\.0 /)
  expect(await pending(apple)).toBe(before + 1)
  const absent = [
    [w.reader(cherry), place],
    [w.reader(quiet), place],
    [by, place + 1_000n],
  ] as const
  // The first event of an inbox is found too.
  const first = await w.t.owner
    .selectFrom('feed_entry')
    .select(['log_idx'])
    .where('feed_id', '=', w.authority.inboxOf(apple.participant))
    .where('seq', '=', 1n)
    .executeTakeFirstOrThrow()
  expect(JSON.parse((await w.feeds.heard(by, first.log_idx)).body)).toMatchObject({ seq: '1' })
  for (const [by, at] of absent) await expect(w.feeds.heard(by, at)).rejects.toMatchObject({ code: 'not-found' })
})

const pending = async ({ participant }: Party): Promise<number> =>
  (await w.t.owner.selectFrom('read_pending').select('journal_id').where('participant_id', '=', participant).execute())
    .length

test('a dispute waits until it is answered, and what a person answers is attested', async () => {
  const item = await shared()
  const dispute = newId(w.now())
  await w.object(banana, { ...w.about(apple, item), dispute, ground: 'false_match', note: 'it is a bakery' })
  await w.settle()
  const waiting = async () => (await w.feedback.attention(apple.participant)).disputes.map((one) => one.dispute)
  expect(await waiting()).toContain(dispute)
  const { body } = await w.feeds.disputed(w.reader(apple), { signal: item.signal, dispute })
  expect(JSON.parse(body)).toMatchObject({ source: 'banana', data: { note: 'it is a bakery' } })
  const person = newId(w.now())
  const by = { participant: apple.participant, slug: apple.slug, person }
  await w.feedback.answer(by, dispute, { result: 'rejected', note: 'two of us saw it' })
  await w.settle()
  expect(await waiting()).not.toContain(dispute)
  expect((await one(item.signal)).disputes).toMatchObject([{ dispute, opener: 'banana', result: 'rejected' }])
  const inbox = await w.page(banana, w.authority.inboxOf(banana.participant))
  const told = inbox.events.at(-1)
  expect(told).toMatchObject({ type: 'dispute.closed', data: { result: 'rejected', authority: 'reviewed_here' } })
  expect(await w.opened(told?.event as Uuid)).toMatchObject({ person, authority: 'reviewed_here' })
})

test('what is asked or disagreed waits until a revision follows, and what ends soon waits too', async () => {
  const item = await shared({ expires_at: instantAt(3 * DAY, w.now()) })
  await give(banana, item, asks)
  await give(cherry, item, { outcome: 'outdated', reason: 'inactive' })
  const of = async () => {
    const { questions, disagreements, ending } = await w.feedback.attention(apple.participant)
    return [questions, disagreements, ending].map((part) => part.filter(({ signal }) => signal === item.signal).length)
  }
  expect(await of()).toEqual([1, 1, 1])
  w.pass(60_000)
  await w.revise(apple, item, { confidence: 91, expires_at: instantAt(40 * DAY, w.now()) })
  await w.settle()
  expect(await of()).toEqual([0, 0, 0])
  expect(await w.feedback.attention(quiet.participant)).toEqual({
    ...{ questions: [], disagreements: [], disputes: [], ending: [], held: [] },
  })
})

test('what is asked or disagreed waits on while its signal is held, and after it was let go', async () => {
  const since = instantAt(0, w.now())
  const item = await shared()
  await give(banana, item, asks)
  await give(cherry, item, { outcome: 'outdated', reason: 'inactive' })
  const waits = async () => {
    const { questions, disagreements, held } = await w.feedback.attention(apple.participant)
    return [questions, disagreements, held].map((part) => part.filter(({ signal }) => signal === item.signal).length)
  }
  w.pass(60_000)
  await w.decide('source.hold', { participant: 'apple', since })
  await w.settle()
  expect(await waits()).toEqual([1, 1, 1])
  w.pass(60_000)
  await w.decide('source.release', { participant: 'apple' })
  await w.settle()
  expect(await waits()).toEqual([1, 1, 0])
})

test('figures are of the signals of thirty days, each a part of what was sent', async () => {
  const before = await w.feedback.sentFigures(apple.participant)
  const [good, bad] = [await shared(), await shared()]
  await give(banana, good, confirms)
  await give(banana, bad, { outcome: 'not_violating', reason: 'shared_host' })
  await w.withdraw(apple, bad.signal)
  await w.settle()
  const after = await w.feedback.sentFigures(apple.participant)
  expect(after).toEqual({
    ...{ ...before, sent: before.sent + 2, answered: before.answered + 2, confirmed: before.confirmed + 1 },
    ...{ not_violating: before.not_violating + 1, withdrawn: before.withdrawn + 1, recipients: 2 },
  })
  w.pass(31 * DAY)
  expect(await w.feedback.sentFigures(apple.participant)).toMatchObject({ sent: 0, answered: 0, recipients: 0 })
  expect((await one(good.signal)).sent_at).toBe(new Date(timeOf(good.signal)).toISOString())
})
