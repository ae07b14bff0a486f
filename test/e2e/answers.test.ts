import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Recorded } from '../../src/client/recorded.ts'
import { answerIn, readName } from '../../src/client/verify.ts'
import { createBuckets } from '../../src/feeds/buckets.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { prefixText } from '../../src/matching/bucket.ts'
import { runCli } from '../support/cli.ts'
import { aTestNode, EPOCH, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

const PURPOSE = 'investigation' as const
const KEY = 'ab'.repeat(32)
const HASHES = Array.from({ length: 900 }, (_, i) => (i + 1).toString(16).padStart(64, '0'))

let n: TestNode
let apple: Member
let banana: Member
let link: Uuid
let feed: Uuid
let hidden: { audience: Uuid; feed: Uuid; signal: Uuid }
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  const scopes = ['feed:read', 'lookup:evaluate', 'lookup:open', 'reveal', 'provenance:read', 'review:work'] as const
  banana = await n.member('banana', { scopes })
  await banana.client.cases.route({
    ...{ critical: true, keyword_patterns: true, not_reviewed: true, new_sources: true, categories: [] },
  })
  const everybody = await apple.everybody()
  const url = await apple.item({ type: 'url', raw: 'https://fig.example/a' }, everybody)
  const email = await apple.item({ type: 'email', raw: 'fig@mail.example' }, everybody)
  const stated = { relation: 'advertises' as const, from: email.signal, to: url.signal }
  const relation = await apple.item({ type: 'relation', relation: stated }, everybody)
  const hash = await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: KEY }, everybody)
  await apple.client.submit(await apple.sign([url, email, relation, hash]))
  const named = { label: 'hidden', mode: 'sealed' as const, members: ['banana'] }
  const { audience } = await apple.client.openAudience(newId(new Date()), named)
  const items = []
  for (const hash of HASHES) items.push(await apple.item({ type: 'media_hash', algorithm: 'sha256', hash }, audience))
  await apple.client.submit(await apple.sign(items))
  await settled(n.t)
  const { feeds } = await banana.client.feeds()
  const feedOf = (wanted: Uuid): Uuid => feeds.find((one) => one.audience === wanted)?.feed ?? expect.fail('no feed')
  ;[link, feed] = [url.signal, feedOf(everybody)]
  hidden = { audience, feed: feedOf(audience), signal: items[0]?.signal ?? link }
  const { pools, clock, authority } = n.node.parts
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
  await createBuckets({ db: pools.projector, clock, directory: authority, random }).round()
  await apple.client.sealValue(link, { v: 1, revision: 1, value: 'https://fig.example/a' })
}, 120_000)
afterAll(() => n.end())

const lookUp = () =>
  banana.client.lookUp({ purpose: PURPOSE, queries: [{ type: 'media_hash', profile: 'sha256', keys: [KEY] }] })
const ASKED: readonly [what: string, ask: () => Promise<Recorded>][] = [
  ['a page of events', () => banana.client.events(feed, {})],
  ['a page of a stream', async () => (await banana.client.stream(feed).next()).value ?? expect.fail('no page')],
  ['a page of a sealed feed', () => banana.client.sealedPage(hidden.feed, {})],
  ['a look-up', () => lookUp()],
  ['a network', () => banana.client.network(link)],
  ['a reveal', () => banana.client.reveal(link, { purpose: PURPOSE })],
  ['the key of an epoch', () => banana.client.hashKey(EPOCH)],
  ['an opening', () => banana.client.open(hidden.audience, hidden.signal, PURPOSE)],
  [
    'a bucket',
    async () => {
      const info = await banana.client.bucketSnapshot(hidden.audience)
      return banana.client.bucket(info, prefixText(0, info.bits), PURPOSE)
    },
  ],
  ['the queue', () => banana.client.cases.list()],
  ['a case', async () => banana.client.cases.one((await banana.client.cases.list()).cases[0]?.case ?? link)],
]

test.each(ASKED)('the record of %s has the digest that the client makes of the answer', async (_, ask) => {
  const { read, digest } = await ask()
  const { id = '', place = '' } = readName(read) ?? {}
  const receipt = (await banana.client.receipt(id, { read: place })) ?? expect.fail('no receipt')
  expect(answerIn(receipt)).toBe(digest)
})

test('a read that an answer names again for another one fails the verification of our history', async () => {
  const [first, second] = [await lookUp(), await banana.client.network(link)]
  const verified = () => runCli(banana.home.dir, 'history', '--verify')
  banana.home.noteRead(first.read, first.digest)
  // As it was noted before digests were.
  banana.home.noteRead(second.read)
  expect(await verified()).toMatchObject({ code: 0 })
  banana.home.noteRead(first.read, second.digest)
  const kept = await verified()
  expect([kept.code, kept.lines.at(-1)]).toMatchObject([
    7,
    { check: 'promises', result: 'FAIL', says: expect.stringContaining('is of another answer than') },
  ])
  rmSync(join(banana.home.dir, 'receipts'), { recursive: true })
  const fetched = await verified()
  expect([fetched.code, fetched.lines.at(-1)]).toMatchObject([7, { check: 'promises', result: 'FAIL' }])
  expect(fetched.says).toContain('the read is of another answer than')
}, 60_000)

test('commands note what they read of keys and of cases, and our history holds it', async () => {
  const { cases } = await banana.client.cases.list()
  const one = cases[0]?.case ?? expect.fail('no case')
  const at = (name: string): string => join(banana.home.dir, name)
  for (const name of ['reads.ndjson', 'hash-keys', 'receipts']) rmSync(at(name), { recursive: true, force: true })
  writeFileSync(at('raw.ndjson'), `${JSON.stringify({ type: 'email', raw: 'fig@mail.example' })}\n`)
  const commands = [
    ['lookup', at('raw.ndjson'), '--keys'],
    ['cases', 'list'],
    ['cases', 'show', one],
    ['cases', 'decide', one, 'not_violating', '--reason', 'policy_differs', '--as', 'ann'],
  ]
  for (const [i, command] of commands.entries()) {
    expect(await runCli(banana.home.dir, ...command)).toMatchObject({ code: 0 })
    const noted = readFileSync(at('reads.ndjson'), 'utf8').trimEnd().split('\n')
    expect(noted.map((line) => typeof JSON.parse(line).body)).toEqual(Array(i + 1).fill('string'))
  }
  const verified = await runCli(banana.home.dir, 'history', '--verify')
  expect([verified.code, verified.lines.at(-1)]).toMatchObject([0, { says: expect.stringContaining(' 4 answers') }])
}, 60_000)
