import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { WordsInfo, WordsList } from '../../src/feeds/pattern-schema.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { aWorld, type Party, type World } from './world.ts'

let w: World
let apple: Party
let banana: Party
let late: Party
let outside: Party
let audience: Uuid
let feed: Uuid

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  late = await w.admit('late')
  outside = await w.admit('outside')
  ;({ audience, feed } = await w.group('fruit', [apple, banana]))
})
afterAll(() => w.end())
beforeEach(() => w.pass(60_000))

const ROUTE = 'console /tactics'
const by = (party: Party) => w.reader(party, ROUTE)
const page = async (party: Party, query: object = {}): Promise<WordsList> =>
  JSON.parse((await w.feeds.patterns(by(party), query)).body) as WordsList
const of = (signal: Uuid) => ({ source: 'apple', signal })
const refused = { code: 'not-found' }

async function shared(type: 'keyword_pattern' | 'tactic' = 'keyword_pattern'): Promise<SignalItem> {
  w.pass(1_000)
  const item = w.item({ audience }, type)
  await w.submit(apple, [item])
  await w.project()
  return item
}

test('the board has patterns and tactics by their codes, for who they are shared with, and is a logged read', async () => {
  const [pattern, tactic] = [await shared(), await shared('tactic')]
  const { body, read } = await w.feeds.patterns(by(banana), {})
  const { patterns } = JSON.parse(body) as WordsList
  const found = patterns.filter(({ signal }) => signal === pattern.signal || signal === tactic.signal)
  expect(found.map(({ type, source, revision }) => ({ type, source, revision }))).toEqual([
    { type: 'tactic', source: 'apple', revision: 1 },
    { type: 'keyword_pattern', source: 'apple', revision: 1 },
  ])
  expect(read).not.toBe('')
  const words = pattern.type === 'keyword_pattern' ? pattern.value.text : ''
  expect(words.length > 0 && !body.includes(words)).toBe(true)
  expect((await page(outside)).patterns).toEqual([])
  expect((await page(banana, { type: 'tactic' })).patterns.every(({ type }) => type === 'tactic')).toBe(true)
  expect((await page(banana, { source: 'banana' })).patterns).toEqual([])
  await expect(w.feeds.patterns(by(banana), { cursor: 'x' })).rejects.toMatchObject({ code: 'invalid-cursor' })
})

test('a revision is revealed at its place in the feed, and by nobody who may not see that part', async () => {
  const item = await shared()
  w.pass(1_000)
  await w.revise(apple, item, { confidence: 12 })
  await w.project()
  const revisions = await w.feeds.revisions(by(banana), of(item.signal))
  expect(revisions.map(({ revision }) => revision)).toEqual([2, 1])
  for (const { revision, feed, seq } of revisions) {
    const { body, read } = await w.feeds.event(by(banana), feed, seq)
    expect(JSON.parse(body)).toMatchObject({ signal: item.signal, revision })
    expect(read).not.toBe('')
  }
  const seq = revisions[0]?.seq ?? 0n
  await expect(w.feeds.event(by(outside), feed, seq)).rejects.toMatchObject(refused)
  expect(await w.feeds.revisions(by(outside), of(item.signal))).toEqual([])
  await expect(w.feeds.pattern(by(outside), of(item.signal))).rejects.toMatchObject(refused)
  expect(JSON.parse((await w.feeds.pattern(by(apple), of(item.signal))).body) as WordsInfo).toMatchObject({
    revision: 2,
  })
})

test('who joined later sees what came since, and who left what came before', async () => {
  const early = await shared()
  await w.regroup('fruit', { join: [late] })
  await w.authority.refresh()
  const [place] = await w.feeds.revisions(by(banana), of(early.signal))
  const mine = w.authority.feedsOf(late.participant).find(({ feed_id }) => feed_id === feed)
  const sees = (place?.seq ?? 0n) >= (mine?.from_seq ?? 0n)
  expect((await w.feeds.revisions(by(late), of(early.signal))).length).toBe(sees ? 1 : 0)
  await w.regroup('fruit', { leave: [late] })
  await w.authority.refresh()
  const after = await shared()
  expect(await w.feeds.revisions(by(late), of(after.signal))).toEqual([])
  await expect(w.feeds.pattern(by(late), of(after.signal))).rejects.toMatchObject(refused)
})

test('what was withdrawn is on no board', async () => {
  const item = await shared()
  await w.withdraw(apple, item.signal)
  await w.project()
  expect((await page(banana)).patterns.map(({ signal }) => signal)).not.toContain(item.signal)
  await expect(w.feeds.pattern(by(banana), of(item.signal))).rejects.toMatchObject(refused)
})
