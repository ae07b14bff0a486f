import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PAUSED_RETRY_SECONDS } from '../../../src/feeds/directory.ts'
import type { WordsList } from '../../../src/feeds/pattern-schema.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { aWorld, type Party, type World } from '../world.ts'

let w: World
let apple: Party
let banana: Party
beforeAll(async () => {
  w = await aWorld()
  ;[apple, banana] = [await w.admit('apple'), await w.admit('banana')]
})
afterAll(() => w.end())

const PAUSED = { code: 'feed-paused', status: 503, retryAfter: PAUSED_RETRY_SECONDS }
let made = 0
/** A group in which two signals were shared. */
async function aFeed(): Promise<{ feed: Uuid; share(type?: 'keyword_pattern'): Promise<Uuid> }> {
  made += 1
  const { audience, feed } = await w.group(`grove-${made}`, [apple, banana])
  const share = async (type?: 'keyword_pattern'): Promise<Uuid> => {
    const item = type === undefined ? w.item({ audience }) : w.item({ audience }, type)
    await w.submit(apple, [item])
    await w.project()
    return item.signal
  }
  await share()
  await share()
  return { feed, share }
}
const pause = (feed: Uuid) => w.decide('feed.pause', { feed, reason: 'anomaly' })
const resume = (feed: Uuid) => w.decide('feed.resume', { feed })
const stateOf = async (feed: Uuid) => (await w.participants.pausableFeeds()).find((one) => one.feed === feed)

describe('a feed that two persons paused', () => {
  test('gives nothing out to anybody, page or segment or object, and says when to ask again', async () => {
    const { feed } = await aFeed()
    await w.seal()
    expect(await w.recorded(() => pause(feed))).toContain('feed.paused')
    const asked = {
      page: () => w.page(banana, feed),
      source: () => w.page(apple, feed),
      event: () => w.feeds.event(w.reader(banana), feed, 1n),
      segment: () => w.feeds.segment(w.reader(banana), feed, 1n),
      objects: () =>
        w.feeds.objects(
          w.reader(banana),
          feed,
          { after: { seq: 0n }, limit: 10, keys: undefined, pick: String },
          () => {
            throw new Error('a page of it was made')
          },
        ),
    }
    for (const [what, ask] of Object.entries(asked)) await expect(ask(), what).rejects.toMatchObject(PAUSED)
    await resume(feed)
  })
  test('goes on at the same cursor once two persons resume it, with what came meanwhile in its order', async () => {
    const { feed, share } = await aFeed()
    const before = await w.page(banana, feed, { limit: 1 })
    await pause(feed)
    const late = await share()
    await expect(w.page(banana, feed, { cursor: before.next_cursor })).rejects.toMatchObject(PAUSED)
    expect(await w.recorded(() => resume(feed))).toContain('feed.resumed')
    const after = await w.page(banana, feed, { cursor: before.next_cursor })
    expect([...before.events, ...after.events].map(({ seq }) => seq)).toEqual(['1', '2', '3'])
    expect(after.events.at(-1)?.signal).toBe(late)
  })
  test('keeps its patterns off the list of them, and what is asked for by its id goes on', async () => {
    const { feed, share } = await aFeed()
    const signal = await share('keyword_pattern')
    const listed = async (): Promise<Uuid[]> => {
      const { patterns } = JSON.parse((await w.feeds.patterns(w.reader(banana), {})).body) as WordsList
      return patterns.map((one) => one.signal)
    }
    expect(await listed()).toContain(signal)
    await pause(feed)
    expect(await listed()).not.toContain(signal)
    await expect(w.feeds.pattern(w.reader(banana), { source: 'apple', signal })).resolves.toBeDefined()
    await resume(feed)
  })
  test('is refused to a reader that was waiting when it was paused', async () => {
    const { feed, share } = await aFeed()
    const { next_cursor: cursor } = await w.page(banana, feed)
    const waiting = expect(w.page(banana, feed, { cursor, wait: 20 })).rejects.toMatchObject(PAUSED)
    await pause(feed)
    await share()
    await waiting
    await resume(feed)
  })
  test('keeps nothing of other feeds, of what was acknowledged or of look-ups', async () => {
    const [one, other] = [await aFeed(), await aFeed()]
    await pause(one.feed)
    expect((await w.page(banana, other.feed)).events).toHaveLength(2)
    const upto = { upto: '1', stage: 'mirror_removed' } as const
    expect(await w.feeds.acknowledge(w.reader(banana), one.feed, upto)).toMatchObject({ upto: '1' })
    await resume(one.feed)
  })
  test('is listed with what a pause keeps from whom', async () => {
    const { feed } = await aFeed()
    expect(await stateOf(feed)).toMatchObject({
      ...{ kind: 'group', members: ['apple', 'banana'], entries: 2, paused: undefined },
    })
    await pause(feed)
    expect(await stateOf(feed)).toMatchObject({ paused: { reason: 'anomaly', at: w.now() } })
    await resume(feed)
    expect((await stateOf(feed))?.paused).toBeUndefined()
  })
})

describe('a pause', () => {
  test('takes another person than who asked, and is undone by another request', async () => {
    const { feed } = await aFeed()
    const { participants: p } = w
    const { request_id } = await p.propose('feed.pause', { feed, reason: 'investigation' }, w.ada)
    await expect(p.approve(request_id, w.ada, w.now())).rejects.toMatchObject({ code: 'self-approval' })
    expect((await w.page(banana, feed)).events).toHaveLength(2)
    await p.approve(request_id, w.ben, w.now())
    await p.execute(request_id, w.ada)
    const back = await p.undo(request_id, w.ben)
    expect([back.action, JSON.parse(back.payload)]).toEqual(['feed.resume', { feed }])
    await p.approve(back.request_id, w.ada, w.now())
    await p.execute(back.request_id, w.ben)
    expect((await w.page(banana, feed)).events).toHaveLength(2)
  })
  test('is refused of an inbox, of what is no feed, and twice', async () => {
    const { feed } = await aFeed()
    const inbox = w.authority.inboxOf(banana.participant)
    await expect(pause(inbox)).rejects.toMatchObject({ code: 'not-found' })
    await expect(pause(w.programme.programme_id)).rejects.toMatchObject({ code: 'not-found' })
    await expect(resume(feed)).rejects.toMatchObject({ code: 'state-conflict' })
    await pause(feed)
    await expect(pause(feed)).rejects.toMatchObject({ code: 'state-conflict' })
    await resume(feed)
  })
})
