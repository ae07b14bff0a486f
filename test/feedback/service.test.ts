import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EventsPage } from '../../src/feeds/schema.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, keyOf, type ReviewWorld } from '../review/world.ts'
import { instantAt } from '../signals/factory.ts'

let w: ReviewWorld
let apple: Party
let others: Party[]
let audience: Uuid
let feed: Uuid

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  others = []
  for (const slug of ['banana', 'cherry', 'date', 'elder']) others.push(await w.admit(slug))
  const group = await w.group('fruit', [apple, ...others])
  audience = group.audience
  feed = group.feed
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

const party = (i: number): Party => {
  const one = others[i]
  if (one === undefined) throw new Error('no such party')
  return one
}

async function shared(change: object = {}): Promise<SignalItem> {
  const item = w.item({ audience, ...change })
  await w.submit(apple, [item])
  await w.settle()
  return item
}

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

/** What stands in a party's feed of a kind, newest last. */
async function events(by: Party, of: Uuid = feed): Promise<EventsPage['events']> {
  const all: EventsPage['events'] = []
  let page = await w.page(by, of)
  for (all.push(...page.events); page.more; all.push(...page.events))
    page = await w.page(by, of, { cursor: page.next_cursor })
  return all
}
const inboxOf = ({ participant }: Party): Uuid => w.authority.inboxOf(participant)

/** A verdict over an own hit, released. */
async function decided(by: Party, item: SignalItem, verdict: object): Promise<void> {
  const { results } = await w.hit(by, apple, item)
  const id = results[0]?.case ?? ('' as Uuid)
  await w.review.decide(w.as(by), id, w.verdict(await w.review.claim(w.as(by), id), verdict))
  await w.release()
}

const wrong = { verdict: 'not_violating', reason: 'policy_differs', counts: {} } as const

describe('feedback', () => {
  test('reaches the source in its inbox, with the signature of whoever gave it, and recipients as counts', async () => {
    const item = await shared()
    const said = {
      ...w.about(apple, item),
      outcome: 'confirmed_no_presence',
      reason: 'already_gone',
      counts: { urls_blocked: 0 },
    }
    const { event } = await w.give(party(0), said)
    await w.settle()
    const inbox = await w.page(apple, inboxOf(apple))
    expect(inbox.events.at(-1)).toMatchObject({
      ...{ type: 'feedback.received', source: 'banana', signal: item.signal, revision: 1, event },
      data: { outcome: 'confirmed_no_presence', authority: 'origin_jws', counts: { urls_blocked: 0 } },
      item: JSON.stringify(said),
    })
    expect(inbox.submissions.find((one) => one.event === event)).toMatchObject({ source: 'banana', count: 1 })
    const asked = { source: 'apple', signal: item.signal }
    for (const one of [apple, party(2)])
      expect(await w.feedback.opinions(one.participant, asked)).toMatchObject({
        ...{ standing: 'confirmed', outcomes: { confirmed_no_presence: 1 }, answered: 1 },
      })
    expect(await w.opened(event)).toMatchObject({ actor: 'banana', subject: 'apple', outcome: 'confirmed_no_presence' })
  })

  test('the counts are told to those alone whom the signal is for', async () => {
    const outsider = await w.admit(`out-${newId(w.now()).slice(-6)}`)
    const item = await shared()
    await w.give(party(0), { ...w.about(apple, item), outcome: 'ingested' })
    await w.settle()
    const asked = { source: 'apple', signal: item.signal }
    expect(await codeOf(w.feedback.opinions(outsider.participant, asked))).toBe('not-found')
    expect(await codeOf(w.give(outsider, { ...w.about(apple, item), outcome: 'ingested' }))).toBe('not-found')
  })

  test('the later word of one recipient counts, and that it only took the signal in undoes no verdict', async () => {
    const item = await shared()
    const say = (outcome: string, reason?: string) =>
      w.give(party(0), { ...w.about(apple, item), outcome, ...(reason && { reason }) })
    await say('confirmed_no_presence', 'no_account')
    await say('outdated', 'inactive')
    await say('ingested')
    await w.settle()
    expect((await w.feedback.opinions(apple.participant, { source: 'apple', signal: item.signal })).outcomes).toEqual({
      outdated: 1,
    })
  })

  test('the same bytes again have the same answer and change nothing; another act under its name is refused', async () => {
    const item = await shared()
    const act = await w.actBy(party(0), { ...w.about(apple, item), outcome: 'ingested' }, 'aldis-feedback+jws')
    const first = await w.feedback.give(party(0), act)
    expect(await w.recorded(() => w.feedback.give(party(0), act))).toEqual([])
    expect(await w.feedback.give(party(0), act)).toEqual(first)
    const twice = await Promise.all([1, 2, 3].map(() => w.feedback.give(party(0), act)))
    expect(new Set(twice.map(({ event }) => event)).size).toBe(1)
  })

  test.each([
    ['one’s own signal', () => ({ by: apple, change: {} }), 'policy-refused'],
    ['a revision that is not there yet', () => ({ by: party(0), change: { revision: 2 } }), 'revision-conflict'],
    ['an outcome without its reason', () => ({ by: party(0), change: { outcome: 'outdated' } }), 'reason-unknown'],
    ['an unknown member', () => ({ by: party(0), change: { plum: 1 } }), 'validation-failed'],
    ['another key than the signal’s', () => ({ by: party(0), change: { key: 'a'.repeat(64) } }), 'not-found'],
    [
      'a raw identifier in its note',
      () => ({ by: party(0), change: { outcome: 'outdated', reason: 'other', note: 'fig@mail.example' } }),
      'raw-identifier',
    ],
    [
      'a raw identifier as its category',
      () => ({ by: party(0), change: { category_suggested: '353861234567' } }),
      'raw-identifier',
    ],
  ])('of %s is refused', async (_, make, code) => {
    const item = await shared()
    const { by, change } = make()
    expect(await codeOf(w.give(by, { ...w.about(apple, item), outcome: 'ingested', ...change }))).toBe(code)
  })

  test('a dispute is no feedback, whatever it is sent as', async () => {
    const item = await shared()
    const act = await w.actBy(party(0), { ...w.about(apple, item), outcome: 'ingested' }, 'aldis-dispute+jws')
    expect(await codeOf(w.feedback.give(party(0), act))).toBe('signature-header')
  })
})

describe('disputes', () => {
  const disputing = (item: SignalItem, ground: string, dispute = newId(w.now())) => ({
    ...{ ...w.about(apple, item), dispute, ground },
  })

  test('the source has to answer, and whoever disputed hears the answer', async () => {
    const item = await shared()
    const body = disputing(item, 'false_match')
    await w.object(party(0), body)
    await w.settle()
    expect((await events(apple, inboxOf(apple))).at(-1)).toMatchObject({ type: 'dispute.opened', source: 'banana' })
    const [open] = (await w.feedback.disputes(apple.participant, { side: 'received' })).disputes.slice(-1)
    expect(open).toMatchObject({ dispute: body.dispute, opener: 'banana', overdue: false })
    expect((await w.queue(apple)).cases.some(({ signal, disputed }) => signal === item.signal && disputed)).toBe(true)
    w.pass(73 * 3_600_000)
    const late = (await w.feedback.disputes(apple.participant, { side: 'received' })).disputes.at(-1)
    expect(late?.overdue).toBe(true)
    expect(
      await codeOf(w.feedback.answer(apple, body.dispute, { result: 'rejected', note: 'ask fig@mail.example' })),
    ).toBe('raw-identifier')
    expect(
      await w.feedback.answer(apple, body.dispute, { result: 'rejected', note: 'seen by two of us' }),
    ).toMatchObject({ held: false })
    expect(await codeOf(w.feedback.answer(apple, body.dispute, { result: 'confirmed' }))).toBe('state-conflict')
    await w.settle()
    expect((await events(party(0), inboxOf(party(0)))).at(-1)).toMatchObject({
      ...{ type: 'dispute.closed', source: 'apple', data: { result: 'rejected', note: 'seen by two of us' } },
    })
    const mine = (await w.feedback.disputes(party(0).participant, { side: 'opened' })).disputes.at(-1)
    expect(mine).toMatchObject({ result: 'rejected', overdue: false })
  })

  test('everyone who confirmed looks again', async () => {
    const item = await shared()
    await decided(party(1), item, {})
    await w.object(party(0), disputing(item, 'false_match'))
    await w.settle()
    const { cases } = await w.queue(party(1))
    expect(cases.find(({ signal }) => signal === item.signal)).toMatchObject({ state: 'open', disputed: true })
    expect((await w.queue(party(2))).cases.some(({ signal }) => signal === item.signal)).toBe(false)
  })

  test('is a case of the source however its item was written, and after it was withdrawn', async () => {
    const [spaced, withdrawn] = [w.item({ audience }), await shared()]
    await w.submit(apple, [JSON.stringify(spaced, undefined, 1).replaceAll('":', '" :')])
    await w.settle()
    await w.give(party(0), { ...w.about(apple, withdrawn), outcome: 'seen_here', reason: 'investigating' })
    await w.withdraw(apple, withdrawn.signal)
    w.pass(1_000)
    for (const item of [spaced, withdrawn]) await w.object(party(0), disputing(item, 'false_match'))
    await w.settle()
    const { cases } = await w.queue(apple)
    for (const { signal } of [spaced, withdrawn])
      expect(cases.find((one) => one.signal === signal)).toMatchObject({ state: 'open', disputed: true })
  })

  test('an answer that confirms a serious ground holds the signal at once, another ground does not', async () => {
    const [serious, light] = [await shared(), await shared()]
    const [a, b] = [disputing(serious, 'wrong_identifier'), disputing(light, 'false_match')]
    await w.object(party(0), a)
    await w.object(party(0), b)
    await w.settle()
    expect((await w.feedback.answer(apple, a.dispute, { result: 'confirmed' })).held).toBe(true)
    expect((await w.feedback.answer(apple, b.dispute, { result: 'confirmed' })).held).toBe(false)
    expect([(await w.own(apple, serious.signal)).state, (await w.own(apple, light.signal)).state]).toEqual([
      'held',
      'live',
    ])
  })

  test('its id is used once, and another’s dispute cannot be answered', async () => {
    const item = await shared()
    const body = disputing(item, 'unlawful')
    await w.object(party(0), body)
    await w.settle()
    expect(await codeOf(w.object(party(0), body))).toBe('state-conflict')
    expect(await codeOf(w.feedback.answer(party(1), body.dispute, { result: 'confirmed' }))).toBe('not-found')
  })
})

describe('a hold', () => {
  const finds = async (by: Party, item: SignalItem) =>
    (await w.find(by, [{ type: 'url', profile: 'url/1', keys: [keyOf(item)] }])).matches.length

  test('three organisations that reviewed hits of their own hold a signal for all, and the source lets it go', async () => {
    const item = await shared()
    await decided(party(0), item, wrong)
    await decided(party(1), item, wrong)
    expect((await w.own(apple, item.signal)).state).toBe('live')
    expect(await finds(party(3), item)).toBe(1)
    await decided(party(2), item, wrong)
    expect((await w.own(apple, item.signal)).state).toBe('held')
    expect(await finds(party(3), item)).toBe(0)
    const held = (await events(party(3))).filter(({ signal }) => signal === item.signal)
    expect(held.at(-1)).toMatchObject({ type: 'signal.held', revision: 1, reason: 'disputed' })
    const revised = await w.revise(apple, item, { confidence: 10 })
    expect(revised.results).toMatchObject([{ code: 'signal-held' }])

    const { released_at } = await w.feedback.release(apple, item.signal)
    expect(released_at).toMatch(/Z$/)
    await w.settle()
    const back = (await events(party(3))).findLast(({ signal }) => signal === item.signal)
    expect(back).toMatchObject({ type: 'signal.released', item: expect.stringContaining(item.signal) })
    expect(await finds(party(3), item)).toBe(1)
    // What was said before is not counted again.
    await w.give(party(3), { ...w.about(apple, item), outcome: 'not_violating', reason: 'policy_differs' })
    await w.settle()
    expect((await w.own(apple, item.signal)).state).toBe('live')
  })

  test('disagreement without a hit of one’s own holds nothing', async () => {
    const item = await shared()
    for (const one of others)
      await w.give(one, { ...w.about(apple, item), outcome: 'not_violating', reason: 'shared_host' })
    await w.settle()
    expect((await w.own(apple, item.signal)).state).toBe('live')
    expect((await w.feedback.opinions(apple.participant, { source: 'apple', signal: item.signal })).standing).toBe(
      'negative',
    )
  })

  test('a source that has not answered a dispute cannot let its signal go', async () => {
    const item = await shared()
    for (const i of [0, 1, 2]) await decided(party(i), item, { ...wrong, reason: 'false_match' })
    expect((await w.own(apple, item.signal)).state).toBe('held')
    expect(await codeOf(w.feedback.release(apple, item.signal))).toBe('signal-held')
    const { disputes } = await w.feedback.disputes(apple.participant, { side: 'received' })
    for (const { dispute, signal } of disputes)
      if (signal === item.signal) await w.feedback.answer(apple, dispute, { result: 'rejected' })
    await w.feedback.release(apple, item.signal)
    expect((await w.own(apple, item.signal)).state).toBe('live')
    expect(await codeOf(w.feedback.release(apple, item.signal))).toBe('state-conflict')
    expect(await codeOf(w.feedback.release(party(0), item.signal))).toBe('not-found')
  })

  test('two persons of the programme let a held signal go, whatever its source does', async () => {
    const item = await shared()
    for (const i of [0, 1, 2]) await decided(party(i), item, wrong)
    await w.decide('signal.release', { participant: 'apple', signal: item.signal })
    expect((await w.own(apple, item.signal)).state).toBe('live')
    await w.settle()
    expect((await events(party(3))).findLast(({ signal }) => signal === item.signal)?.type).toBe('signal.released')
    await expect(w.decide('signal.release', { participant: 'apple', signal: item.signal })).rejects.toMatchObject({
      code: 'state-conflict',
    })
  })

  test('what two persons hold of a source, the source does not let go, and two persons do', async () => {
    const since = instantAt(0, w.now())
    const item = await shared()
    const other = await shared()
    await w.decide('source.hold', { participant: 'apple', since })
    const kinds = await w.recorded(async () => {
      expect(await codeOf(w.feedback.release(apple, item.signal))).toBe('signal-held')
    })
    expect(kinds).toEqual([])
    expect((await w.own(apple, item.signal)).state).toBe('held')
    expect((await w.withdraw(apple, other.signal)).results).toMatchObject([{ status: 200 }])
    await w.decide('source.release', { participant: 'apple' })
    expect((await w.own(apple, item.signal)).state).toBe('live')
    await w.settle()
  })

  test('two persons let go what two persons held, and neither what recipients hold nor what is disputed', async () => {
    const since = instantAt(0, w.now())
    const [theirs, plain, disputed] = [await shared(), await shared(), await shared()]
    for (const i of [0, 1, 2]) await decided(party(i), theirs, wrong)
    await w.decide('source.hold', { participant: 'apple', since })
    const dispute = newId(w.now())
    await w.object(party(0), { ...w.about(apple, disputed), dispute, ground: 'false_match' })
    await w.settle()
    const states = async () =>
      Promise.all([theirs, plain, disputed].map(async ({ signal }) => (await w.own(apple, signal)).state))
    expect(await states()).toEqual(['held', 'held', 'held'])
    await w.decide('source.release', { participant: 'apple' })
    expect(await states()).toEqual(['held', 'live', 'held'])
    await w.feedback.answer(apple, dispute, { result: 'rejected' })
    await w.decide('source.release', { participant: 'apple' })
    expect(await states()).toEqual(['held', 'live', 'live'])
    await w.feedback.release(apple, theirs.signal)
    await w.settle()
    expect(await states()).toEqual(['live', 'live', 'live'])
  })

  test('what recipients said before or while two persons held a signal counts when they let it go', async () => {
    const since = instantAt(0, w.now())
    const [before, during] = [await shared(), await shared()]
    for (const i of [0, 1]) for (const item of [before, during]) await decided(party(i), item, wrong)
    for (const item of [before, during]) await w.hit(party(2), apple, item)
    await w.decide('source.hold', { participant: 'apple', since })
    // Said before the hold has come to the recipient's feed.
    const disagrees = { outcome: 'not_violating', reason: 'policy_differs' }
    await w.give(party(2), { ...w.about(apple, during), ...disagrees })
    await w.settle()
    w.pass(1_000)
    await w.decide('source.release', { participant: 'apple' })
    expect((await w.own(apple, during.signal)).state).toBe('live')
    await w.settle()
    expect((await w.own(apple, during.signal)).state).toBe('held')
    expect((await w.own(apple, before.signal)).state).toBe('live')
    await w.give(party(2), { ...w.about(apple, before), ...disagrees })
    await w.settle()
    expect((await w.own(apple, before.signal)).state).toBe('held')
    // It is theirs, and so the source's to let go.
    await w.feedback.release(apple, during.signal)
    expect((await w.own(apple, during.signal)).state).toBe('live')
    await w.settle()
  })

  test('a held signal may be withdrawn, and runs out at its date', async () => {
    const items = [
      await shared(),
      await shared({ expires_at: `${new Date(w.now().getTime() + 86_400_000).toISOString().slice(0, 19)}Z` }),
    ]
    for (const item of items) for (const i of [0, 1, 2]) await decided(party(i), item, wrong)
    const [one, two] = items
    if (one === undefined || two === undefined) throw new Error('two signals')
    expect((await w.withdraw(apple, one.signal)).results).toMatchObject([{ status: 200 }])
    w.pass(2 * 86_400_000)
    await w.expire(apple.participant, 'apple')
    expect([(await w.own(apple, one.signal)).state, (await w.own(apple, two.signal)).state]).toEqual([
      'withdrawn',
      'expired',
    ])
    await w.settle()
  })

  test('in a sealed feed takes the entry away without a name, and its end brings a new one', async () => {
    const hidden = await w.group('hidden', [apple, ...others], 'sealed')
    const item = w.item({ audience: hidden.audience })
    await w.submit(apple, [item])
    await w.settle()
    const dispute = newId(w.now())
    await w.object(party(0), { ...w.about(apple, item), dispute, ground: 'unlawful' })
    await w.settle()
    await w.feedback.answer(apple, dispute, { result: 'confirmed' })
    await w.settle()
    const live = () => w.t.owner.selectFrom('sealed_signal').select('seq').where('feed_id', '=', hidden.feed).execute()
    expect(await live()).toEqual([])
    await w.feedback.release(apple, item.signal)
    await w.settle()
    const found = (await events(party(0), hidden.feed)) as Partial<Record<string, unknown>>[]
    expect(found.map(({ type, reason, replaces, signal }) => [type, reason, replaces, signal])).toEqual([
      ['signal.sealed', undefined, undefined, undefined],
      ['signal.sealed', 'disputed', '1', undefined],
      ['signal.sealed', undefined, undefined, undefined],
    ])
    expect(await live()).toEqual([{ seq: 3n }])
  })

  test('feeds made again from the log are the same, holds and their ends included', async () => {
    await w.settle()
    const before = await events(party(3))
    await w.t.owner.updateTable('projector').set({ next_idx: 0n }).where('name', '=', 'feeds').execute()
    await w.aProjector().round()
    await w.settle()
    expect(await events(party(3))).toEqual(before)
  })
})
