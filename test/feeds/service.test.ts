import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, poolState } from '../../src/db/connect.ts'
import { createKnownKeys } from '../../src/feeds/known-keys.ts'
import { createLookUp } from '../../src/feeds/lookup.ts'
import { LOOKUP_MAX, type Lookup } from '../../src/feeds/schema.ts'
import { fromBase64Url } from '../../src/kernel/bytes.ts'
import { encodeCursor } from '../../src/kernel/cursor.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { openSubmission } from '../../src/signals/open-submission.ts'
import { importJwk } from '../../src/signals/submission.ts'
import { readSays } from '../provenance/disclosures.ts'
import { aDigest, idOf, instantAt, textOf } from '../signals/factory.ts'
import { aWorld, type Party, type World } from './world.ts'

let w: World
let apple: Party
let banana: Party
let cherry: Party
let pair: { audience: Uuid; feed: Uuid }
let trio: { audience: Uuid; feed: Uuid }

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  pair = await w.group('pair', [apple, banana])
  trio = await w.group('trio', [apple, banana, cherry])
  await w.submit(apple, [w.item({ audience: pair.audience }), w.item({ audience: trio.audience })])
  await w.project()
})
afterAll(() => w.end())
beforeEach(() => w.pass(1_000))

const item = (change: object = {}) => w.item({ audience: pair.audience, ...change })
const refused = (code: string) => ({ code })
const events = (by: Party, feed: Uuid, query: object = {}, signal?: AbortSignal) =>
  w.feeds.events(w.reader(by), feed, query, signal)
/** A feed of its own with so many events, each its own submission. */
async function aFeed(slug: string, members: readonly Party[], n: number) {
  const made = await w.group(slug, members)
  for (let i = 0; i < n; i++) await w.submit(apple, [item({ audience: made.audience })])
  await w.project()
  return made
}
const rejection = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing',
    (error: unknown) => ({ ...(error as object), message: (error as Error).message }),
  )
const journal = async (by: Party) =>
  (
    await w.t.owner
      .selectFrom('read_journal')
      .select(['journal_id', 'n'])
      .where('participant_id', '=', by.participant)
      .execute()
  ).length
/** The journal row that an answer names, and the hash of the body that it commits to. */
async function journaled(by: Party, read: string) {
  const [name, c] = read.split(' ')
  const [journal_id, place] = (name ?? '').split('.')
  const row = await w.t.owner
    .selectFrom('read_journal')
    .select(['participant_id', 'n'])
    .where('journal_id', '=', (journal_id ?? '') as Uuid)
    .executeTakeFirst()
  expect(row?.participant_id).toBe(by.participant)
  expect(fromBase64Url(c ?? '')).toHaveLength(32)
  return { n: row?.n, place: Number(place) }
}

describe('the list of feeds', () => {
  const list = async (by: Party) => (await w.feeds.feeds(w.reader(by))).feeds
  test('has those of one’s audiences and one’s inbox, each with its bounds and its start', async () => {
    const damson = await w.admit('damson')
    await w.group('duo', [apple, damson])
    expect((await list(damson)).map(({ label }) => label).sort()).toEqual(['duo', 'inbox', 'orchard'])
    const feed = (await list(banana)).find(({ label }) => label === 'pair')
    expect(feed).toMatchObject({ feed: pair.feed, kind: 'audience', audience: pair.audience, from_seq: '1' })
    const { events: all } = await w.page(banana, pair.feed, { cursor: feed?.start ?? '' })
    expect([all[0]?.seq, all.at(-1)?.seq]).toEqual(['1', feed?.last_seq])
  })
})

describe('a page', () => {
  test('has events in dense order with everything that proves them', async () => {
    const one = item()
    const signed = await w.sign(apple, [item(), one, item()])
    await w.signals.submit(apple, signed)
    await w.project()
    const { events: all, submissions, more } = await w.page(banana, pair.feed)
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => String(i + 1)))
    expect(more).toBe(false)
    const mine = all.find(({ signal }) => signal === one.signal)
    const proof = submissions.find(({ event }) => event === mine?.event)
    expect(proof).toMatchObject({ source: 'apple', count: 3, jws: signed.jws })
    const { salt = '', item: text = '', index = -1, path = '' } = mine ?? {}
    const key = { alg: 'Ed25519', key: importJwk({ ...apple.signer.jwk }) } as const
    const { header, check } = openSubmission({ jws: signed.jws, count: 3 }, key)
    check({ salt, item: text, index, path })
    expect(header.iss).toBe(apple.uri)
    expect(text).toBe(textOf(one))
    expect(new Set(submissions.map(({ event }) => event)).size).toBe(submissions.length)
  })
  test('is as long as asked, and its cursor goes on behind it', async () => {
    const { feed } = await aFeed('paged', [apple, banana], 5)
    const seen: string[] = []
    let query = {}
    for (let pages = 1; ; pages++) {
      const page = await w.page(banana, feed, { limit: 2, ...query })
      seen.push(...page.events.map(({ seq }) => seq))
      expect(page.events.length).toBe(pages === 3 ? 1 : 2)
      query = { cursor: page.next_cursor }
      if (!page.more) break
    }
    expect(seen).toEqual(['1', '2', '3', '4', '5'])
    const empty = await w.page(banana, feed, query)
    expect([empty.events, empty.submissions, empty.more]).toEqual([[], [], false])
    expect(await w.page(banana, feed, { cursor: empty.next_cursor })).toEqual(empty)
  })
  test('is for members: a feed of others is answered as one that never was', async () => {
    const foreign = await rejection(events(cherry, pair.feed))
    expect(foreign).toMatchObject({ code: 'not-found', status: 404 })
    expect(foreign).toEqual(await rejection(events(cherry, newId(w.now()))))
    const start = encodeCursor(w.cursorKey, { feed: pair.feed, seq: 0n })
    expect(await rejection(events(cherry, pair.feed, { cursor: start }))).toEqual(foreign)
    const inbox = (await w.feeds.feeds(w.reader(apple))).feeds.find(({ kind }) => kind === 'inbox')?.feed
    expect(await rejection(events(cherry, inbox ?? pair.feed))).toEqual(foreign)
  })
  test('takes no cursor of another feed, of another node, or bent', async () => {
    const { next_cursor } = await w.page(banana, trio.feed)
    const other = encodeCursor(new Uint8Array(32), { feed: pair.feed, seq: 0n })
    const own = (await w.page(banana, pair.feed)).next_cursor
    const bent = `${own.slice(0, 30)}${own[30] === 'A' ? 'B' : 'A'}${own.slice(31)}`
    for (const cursor of [next_cursor, other, bent, 'x'])
      await expect(events(banana, pair.feed, { cursor })).rejects.toMatchObject(refused('invalid-cursor'))
  })
  test('older than the history of its feed is refused', async () => {
    const { feed } = await aFeed('forgetful', [apple, banana], 3)
    await sql`update feed_head set retained_from = 3 where feed_id = ${feed}`.execute(w.t.owner)
    const old = encodeCursor(w.cursorKey, { feed, seq: 1n })
    await expect(events(banana, feed, { cursor: old })).rejects.toMatchObject(refused('cursor-expired'))
    const cursor = encodeCursor(w.cursorKey, { feed, seq: 2n })
    expect((await w.page(banana, feed, { cursor })).events.map(({ seq }) => seq)).toEqual(['3'])
    const listed = (await w.feeds.feeds(w.reader(banana))).feeds.find((one) => one.feed === feed)
    expect([listed?.from_seq, listed?.start]).toEqual(['3', cursor])
  })
  test('beyond its feed, as after an older backup was restored, is refused and not answered with nothing', async () => {
    const { feed } = await aFeed('restored', [apple, banana], 3)
    const last = (await w.page(banana, feed)).next_cursor
    await sql`delete from feed_entry where feed_id = ${feed} and seq = 3`.execute(w.t.owner)
    await sql`update feed_head set next_seq = 3 where feed_id = ${feed}`.execute(w.t.owner)
    for (const wait of [0, 30])
      await expect(events(banana, feed, { cursor: last, wait })).rejects.toMatchObject(refused('cursor-expired'))
    const cursor = encodeCursor(w.cursorKey, { feed, seq: 2n })
    expect((await w.page(banana, feed, { cursor })).events).toEqual([])
  })
})

/** Leaves an audience behind its first event, without a word to this process. */
const leaveUnheard = ({ participant }: Party, audience: Uuid) =>
  w.t.owner
    .updateTable('audience_member')
    .set({ until_seq: 1n })
    .where('audience_id', '=', audience)
    .where('participant_id', '=', participant)
    .execute()

describe('objects of a feed', () => {
  const objects = (by: Party, feed: Uuid, asked: { seq: bigint; limit: number; keys?: string[] }) =>
    w.feeds.objects(
      w.reader(by),
      feed,
      {
        after: { seq: asked.seq },
        limit: asked.limit,
        keys: asked.keys,
        pick: (entry) => ({ ...entry, first: entry.first_body !== null }),
      },
      (page) => ({ answer: page, body: Buffer.from('an answer'), given: page.picked }),
    )
  test('are of each signal the newest event alone, with what its first one was', async () => {
    const { feed, audience } = await aFeed('objects', [apple, banana], 0)
    const all = [1, 2, 3, 4].map(() => item({ audience }))
    await w.submit(apple, all)
    await w.project()
    const [one, two, three, four] = all
    await w.withdraw(apple, (two ?? item()).signal)
    await w.project()
    const { picked, more } = await objects(banana, feed, { seq: 0n, limit: 10 })
    expect(more).toBe(false)
    expect(picked.map(({ signal_id, first }) => [signal_id, first])).toEqual([
      [one?.signal, false],
      [three?.signal, false],
      [four?.signal, false],
      [two?.signal, true],
    ])
  })
  test('fill pages of any length, with more only where an object follows', async () => {
    const { feed, audience } = await aFeed('object-pages', [apple, banana], 0)
    const all = Array.from({ length: 7 }, () => item({ audience }))
    await w.submit(apple, all)
    await w.project()
    for (const gone of [all[1], all[5], all[6]]) await w.withdraw(apple, (gone ?? item()).signal)
    await w.project()
    for (const limit of [1, 2, 3, 5, 7]) {
      const pages: number[] = []
      const seen: string[] = []
      for (let seq = 0n; ; ) {
        const { picked, more, to } = await objects(banana, feed, { seq, limit })
        pages.push(picked.length)
        seen.push(...picked.map(({ signal_id }) => signal_id))
        seq = to
        if (!more) break
      }
      expect(seen.toSorted()).toEqual(all.map(({ signal }) => signal).toSorted())
      expect(pages).toEqual([...Array(Math.floor(7 / limit)).fill(limit), ...(7 % limit === 0 ? [] : [7 % limit])])
    }
  })
  test('are not of a feed whose audience the reader has left, also where this process does not know of it yet', async () => {
    const { feed, audience } = await aFeed('objects-left', [apple, banana, cherry], 1)
    const asked = { seq: 0n, limit: 10 }
    const before = await journal(cherry)
    await leaveUnheard(cherry, audience)
    await expect(objects(cherry, feed, asked)).rejects.toMatchObject(refused('not-found'))
    await w.regroup('objects-left', { leave: [banana] })
    await expect(objects(banana, feed, asked)).rejects.toMatchObject(refused('not-found'))
    expect(w.feeds.objectFeeds(w.reader(banana)).map(({ feed_id }) => feed_id)).not.toContain(feed)
    expect((await objects(apple, feed, asked)).picked).toHaveLength(1)
    expect(await journal(cherry)).toBe(before)
  })
})

describe('who comes later', () => {
  test('sees the whole history of a group that it joins', async () => {
    const { feed } = await aFeed('growing', [apple], 3)
    await expect(events(cherry, feed)).rejects.toMatchObject(refused('not-found'))
    await w.regroup('growing', { join: [cherry] })
    expect((await w.page(cherry, feed)).events.map(({ seq }) => seq)).toEqual(['1', '2', '3'])
  })
  test('by another policy begins where that says, whatever cursor it has', async () => {
    const { feed, audience } = await aFeed('strict', [apple, cherry], 4)
    await sql`update audience_member set from_seq = 3
      where audience_id = ${audience} and participant_id = ${cherry.participant}`.execute(w.t.owner)
    await sql`update authority_epoch set epoch = epoch + 1`.execute(w.t.owner)
    await w.authority.refresh()
    expect((await w.page(cherry, feed)).events.map(({ seq }) => seq)).toEqual(['3', '4'])
    const cursor = encodeCursor(w.cursorKey, { feed, seq: 0n })
    expect((await w.page(cherry, feed, { cursor })).events.map(({ seq }) => seq)).toEqual(['3', '4'])
    const [first] = (await w.page(apple, feed)).events
    expect(await w.feeds.received(cherry.participant, first?.event ?? idOf(0))).toBe(false)
    expect(await w.feeds.received(apple.participant, first?.event ?? idOf(0))).toBe(true)
  })
})

describe('who leaves', () => {
  test('keeps what it received, and sees nothing that came after', async () => {
    const { feed, audience } = await aFeed('shrinking', [apple, banana, cherry], 2)
    await w.regroup('shrinking', { leave: [cherry] })
    await w.submit(apple, [item({ audience })])
    await w.project()
    const page = await w.page(cherry, feed)
    expect([page.events.map(({ seq }) => seq), page.more]).toEqual([['1', '2'], false])
    expect((await w.page(cherry, feed, { cursor: page.next_cursor })).events).toEqual([])
    const beyond = encodeCursor(w.cursorKey, { feed, seq: 2n })
    expect((await w.page(cherry, feed, { cursor: beyond })).events).toEqual([])
    const listed = (await w.feeds.feeds(w.reader(cherry))).feeds.find((one) => one.feed === feed)
    expect(listed?.last_seq).toBe('2')
    const [, , third] = (await w.page(banana, feed)).events
    expect(await w.feeds.received(cherry.participant, third?.event ?? idOf(0))).toBe(false)
    expect(await w.feeds.received(banana.participant, third?.event ?? idOf(0))).toBe(true)
  })
  test('finds nothing of it by look-up any more', async () => {
    const { audience } = await aFeed('parting', [apple, cherry], 0)
    const one = item({ audience })
    await w.submit(apple, [one])
    await w.project()
    const query = [{ type: 'url', profile: 'url/1', keys: [one.value.sha256] }]
    expect((await w.find(cherry, query)).matches).toHaveLength(1)
    await w.regroup('parting', { leave: [cherry] })
    expect((await w.find(cherry, query)).matches).toEqual([])
    expect((await w.find(apple, query)).matches).toHaveLength(1)
  })
  test('sees nothing behind that, also where this process does not know of it yet', async () => {
    const { feed, audience } = await aFeed('parted', [apple, cherry], 1)
    await leaveUnheard(cherry, audience)
    await w.submit(apple, [item({ audience })])
    await w.project()
    expect(await w.page(cherry, feed)).toMatchObject({ events: [{ seq: '1' }], more: false })
    await expect(w.feeds.event(w.reader(cherry), feed, 2n)).rejects.toMatchObject(refused('not-found'))
    expect((await w.page(apple, feed)).events).toHaveLength(2)
  })
  test('acknowledges no end that it cannot see', async () => {
    const { feed, audience } = await aFeed('leaving', [apple, cherry], 1)
    const one = item({ audience })
    await w.submit(apple, [one])
    await w.project()
    await w.regroup('leaving', { leave: [cherry] })
    await w.withdraw(apple, one.signal)
    await w.project()
    const ack = (upto: string) => w.feeds.acknowledge(w.reader(cherry), feed, { upto, stage: 'mirror_removed' })
    await expect(ack('3')).rejects.toMatchObject(refused('validation-failed'))
    expect(await ack('2')).toEqual({ feed, upto: '2' })
  })
})

describe('waiting', () => {
  test('ends with the first new event', async () => {
    const { feed, audience } = await aFeed('live', [apple, banana], 1)
    const { next_cursor: cursor } = await w.page(banana, feed)
    const waiting = events(banana, feed, { cursor, wait: 30 })
    await w.submit(apple, [item({ audience })])
    await w.project()
    const { body } = await waiting
    expect((JSON.parse(String(body)) as { events: object[] }).events).toMatchObject([{ seq: '2' }])
  })
  test('ends with its time and an empty page, which is not journaled', async () => {
    const { feed } = await aFeed('silent', [apple, banana], 0)
    const before = await journal(banana)
    const waiting = events(banana, feed, { wait: 30 })
    w.pass(31_000)
    w.growth.grew([feed])
    const { body, read } = await waiting
    expect([(JSON.parse(String(body)) as { events: object[] }).events, read]).toEqual([[], ''])
    expect(await journal(banana)).toBe(before)
  })
  test('ends with nothing that came behind a leave of its reader', async () => {
    const { feed, audience } = await aFeed('left', [apple, banana], 1)
    const { next_cursor: cursor } = await w.page(banana, feed)
    const before = await journal(banana)
    const waiting = events(banana, feed, { cursor, wait: 30 })
    await w.regroup('left', { leave: [banana] })
    await w.submit(apple, [item({ audience })])
    await w.project()
    w.pass(31_000)
    w.growth.grew([feed])
    const { body } = await waiting
    expect(JSON.parse(String(body))).toMatchObject({ events: [], more: false })
    expect(await journal(banana)).toBe(before)
  })
  test('ends with its reader', async () => {
    const { feed } = await aFeed('hung', [apple, banana], 0)
    const stop = new AbortController()
    const waiting = events(banana, feed, { wait: 30 }, stop.signal)
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a sealed segment', () => {
  let feed: Uuid
  beforeAll(async () => {
    feed = (await aFeed('sealed', [apple, banana, cherry], 1)).feed
    await w.regroup('sealed', { leave: [cherry] })
    // Sealed as the sealer would, of a size that a test can make.
    const bytes = Buffer.from('{"seq":"1"}\n')
    const sets = JSON.stringify([['apple', 1, 'A'.repeat(43)]])
    await sql`insert into feed_segment (feed_id, first_seq, generation, n, digest, set_salt, sets, bytes)
      values (${feed}, 1, 0, 4096, ${Buffer.from(sha256(bytes))}, ${Buffer.alloc(32)}, ${sets}, ${bytes})`.execute(
      w.t.owner,
    )
    await sql`update feed_head set next_seq = 4097, sealed_seq = 4096 where feed_id = ${feed}`.execute(w.t.owner)
  })
  const segment = (by: Party, of: Uuid, first: bigint) => w.feeds.segment(w.reader(by), of, first)

  test('is given out as it was stored, journaled, with the cursor behind it', async () => {
    const before = await journal(banana)
    const { body, read, cursor } = await segment(banana, feed, 1n)
    expect(String(body)).toBe('{"seq":"1"}\n')
    expect(cursor).toBe(encodeCursor(w.cursorKey, { feed, seq: 4096n }))
    expect(await journaled(banana, read)).toEqual({ n: 1, place: 0 })
    expect(await journal(banana)).toBe(before + 1)
  })
  test('that is none, or of a feed of others, or beyond one’s part, is not found', async () => {
    await expect(segment(banana, feed, 2n)).rejects.toMatchObject(refused('not-found'))
    await expect(segment(cherry, pair.feed, 1n)).rejects.toMatchObject(refused('not-found'))
    await expect(segment(cherry, feed, 1n)).rejects.toMatchObject(refused('not-found'))
    const listed = (await w.feeds.feeds(w.reader(cherry))).feeds.find((one) => one.feed === feed)
    expect(listed).toMatchObject({ last_seq: '1', sealed_seq: '1' })
  })
  test('is not given out while the log is behind', async () => {
    w.weather.healthy = false
    await expect(segment(banana, feed, 1n)).rejects.toMatchObject(refused('log-behind'))
    w.weather.healthy = true
  })
})

describe('the keys known in memory', () => {
  const scopesOf = ({ participant }: Party, ...feeds: readonly { audience: Uuid }[]) => [
    participant,
    ...feeds.map(({ audience }) => audience),
  ]

  test('are those of the reader itself and of its audiences, of no other, and survive a start', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const started = createKnownKeys({ db: w.t.projector, logId: 1 })
    expect(started.upto()).toBeUndefined()
    expect(await started.load()).toBe(true)
    expect(await started.load()).toBe(false)
    const { next_idx } = await w.t.owner.selectFrom('projector').select('next_idx').executeTakeFirstOrThrow()
    for (const known of [w.known, started]) {
      expect(known.upto()).toBe(next_idx)
      expect(known.mayFind([one.value.sha256], scopesOf(apple))).toEqual([one.value.sha256])
      expect(known.mayFind([one.value.sha256], scopesOf(banana, pair))).toEqual([one.value.sha256])
      expect(known.mayFind([one.value.sha256], scopesOf(banana))).toEqual([])
      expect(known.mayFind([one.value.sha256], scopesOf(cherry, trio))).toEqual([])
      expect(known.mayFind([aDigest()], scopesOf(banana, pair, trio))).toEqual([])
    }
  })
  test('are told from those beside them, and keep their order', async () => {
    const [one, two] = [item(), item()]
    await w.submit(apple, [one, two])
    await w.project()
    const shared = [two.value.sha256, one.value.sha256]
    const [first = '', second = ''] = shared
    expect(w.known.mayFind([aDigest(), first, aDigest(), second, aDigest()], scopesOf(banana, pair))).toEqual(shared)
    expect(w.known.mayFind(shared, [])).toEqual([])
    expect(w.known.mayFind([], scopesOf(banana, pair))).toEqual([])
  })
  test('follow a signal into another audience', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.revise(apple, one, { audience: trio.audience })
    await w.project()
    expect(w.known.mayFind([one.value.sha256], scopesOf(cherry, trio))).toEqual([one.value.sha256])
  })
  test('are not gone by after entries were missed, until they are read anew', async () => {
    const upto = w.known.upto() ?? 0n
    w.known.add([], upto + 1n, upto + 2n)
    expect(w.known.upto()).toBeUndefined()
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    expect((await w.find(banana, [{ type: 'url', profile: 'url/1', keys: [one.value.sha256] }])).matches).toHaveLength(
      1,
    )
    expect(await w.known.load()).toBe(true)
    const { next_idx } = await w.t.owner.selectFrom('projector').select('next_idx').executeTakeFirstOrThrow()
    expect(w.known.upto()).toBe(next_idx)
  })
  test('told of again, change nothing', () => {
    const upto = w.known.upto() ?? 0n
    w.known.add([], 0n, 1n)
    expect(w.known.upto()).toBe(upto)
  })
})

describe('a look-up', () => {
  const url = (...keys: string[]) => [{ type: 'url', profile: 'url/1', keys }]
  const found = async (by: Party, queries: Parameters<World['find']>[1]) =>
    (await w.find(by, queries)).matches.map(({ event }) => event.signal)

  test('finds what is live behind a key, with the event and its proof', async () => {
    const one = item()
    const { submission } = await w.submit(apple, [item(), one])
    await w.project()
    const { matches, submissions, asked, as_of } = await w.find(banana, url(one.value.sha256, aDigest()))
    expect(asked).toBe(2)
    expect(matches).toMatchObject([
      { key: one.value.sha256, event: { signal: one.signal, item: textOf(one), event: submission, feed: pair.feed } },
    ])
    expect(submissions).toMatchObject([{ event: submission, count: 2 }])
    const { next_idx } = await w.t.owner.selectFrom('projector').select('next_idx').executeTakeFirstOrThrow()
    expect(as_of).toBe(String(next_idx))
  })
  test('is exact: another type, profile or key epoch finds nothing', async () => {
    const [mail, link] = [w.item({ audience: pair.audience }, 'email'), item()]
    await w.submit(apple, [mail, link])
    await w.project()
    const keys = [mail.value.token, link.value.sha256]
    const ask = (type: string, profile: string) => found(banana, [{ type, profile, keys }])
    expect(await ask('email', 'email/1@spring')).toEqual([mail.signal])
    expect(await ask('url', 'url/1')).toEqual([link.signal])
    for (const [type, profile] of [
      ['email', 'email/1'],
      ['email', 'email/1@winter'],
      ['email', 'email-provider/1@spring'],
      ['phone', 'email/1@spring'],
      ['domain', 'url/1'],
      ['url', 'domain/1'],
    ] as const)
      expect(await ask(type, profile), `${type} ${profile}`).toEqual([])
  })
  test('finds what several sources say of one thing, and answers query by query', async () => {
    const digest = aDigest()
    const value = { profile: 'url/1', sha256: digest, scope: { host: 'exact', path: 'exact' } }
    const [mine, yours] = [item({ value }), item({ value })]
    const mail = w.item({ audience: pair.audience }, 'email')
    await w.submit(apple, [mine, mail])
    await w.submit(banana, [yours])
    await w.project()
    const queries = [
      { type: 'email', profile: 'email/1@spring', keys: [mail.value.token, digest] },
      ...url(digest, mail.value.token),
    ]
    expect((await found(banana, queries)).sort()).toEqual([mail.signal, mine.signal, yours.signal].sort())
  })
  test('finds for those entitled alone, and tells others no more than of nothing', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const [theirs, nothing] = [await w.find(cherry, url(one.value.sha256)), await w.find(cherry, url(aDigest()))]
    expect(theirs).toEqual(nothing)
    expect(theirs).toMatchObject({ matches: [], submissions: [] })
    expect(await found(apple, url(one.value.sha256))).toEqual([one.signal])
  })
  test('finds the newest revision, where it is shared now', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    await w.revise(apple, one, { audience: trio.audience, confidence: 5 })
    await w.project()
    const { matches } = await w.find(cherry, url(one.value.sha256))
    expect(matches).toMatchObject([{ event: { revision: 2, feed: trio.feed, type: 'signal.revised' } }])
  })
  test('does not find what was withdrawn, nor what is over', async () => {
    const [one, two] = [item(), item({ expires_at: instantAt(60_000, w.now()) })]
    await w.submit(apple, [one, two])
    await w.project()
    const keys = url(one.value.sha256, two.value.sha256)
    expect(await found(banana, keys)).toHaveLength(2)
    await w.withdraw(apple, one.signal)
    await w.project()
    expect(await found(banana, keys)).toEqual([two.signal])
    // From its second on, and not when the node has come by to end it.
    w.pass(60_000)
    expect(await found(banana, keys)).toEqual([])
    await w.expire(apple.participant, 'apple')
    await w.project()
    expect([...(await found(banana, keys)), ...(await found(apple, keys))]).toEqual([])
  })
  test('gives out no row that is beyond its index: while the projector has not said how far it is, it is busy', async () => {
    const [one, other] = [item(), item()]
    await w.submit(apple, [one, other])
    await w.project()
    const before = await w.find(banana, url(other.value.sha256))
    await w.revise(apple, one)
    await w.integrate()
    await w.without('update on projector', 'aldis_projector', async () => {
      const projector = w.aProjector()
      await projector.round()
      await expect(projector.round()).rejects.toThrow()
      const journaled = await journal(banana)
      await expect(w.find(banana, url(one.value.sha256))).rejects.toMatchObject({ code: 'busy', retryAfter: 1 })
      expect(await journal(banana)).toEqual(journaled)
      // What stands is answered as before.
      expect(await w.find(banana, url(other.value.sha256))).toEqual(before)
    })
    await w.project()
    const { as_of, matches } = await w.find(banana, url(one.value.sha256))
    expect(matches).toMatchObject([{ event: { revision: 2 } }])
    expect(BigInt(as_of)).toBeGreaterThan(BigInt(before.as_of))
  })
  test('finds what stands beyond the memory of keys too, once a row of it was met', async () => {
    const [one, fresh] = [item(), item()]
    await w.submit(apple, [one])
    await w.project()
    // Told of nothing from here on, as in the moment between a round's commit and what is told of it.
    const known = createKnownKeys({ db: w.t.projector, logId: 1 })
    await known.load()
    await w.revise(apple, one)
    await w.submit(apple, [fresh])
    await w.project()
    const lookUp = createLookUp({
      ...{ db: w.t.app, clock: w.clock, provenance: w.provenance, directory: w.authority, known },
      ...{ timeoutMs: 10_000, onLookUps: () => {} },
    })
    const lookup = { queries: url(fresh.value.sha256, one.value.sha256), purpose: 'appeal' } as Lookup
    const { body } = await lookUp(w.reader(banana, '/v1/lookups'), lookup)
    const { matches } = JSON.parse(body) as { matches: { event: object }[] }
    expect(matches.map(({ event }) => event)).toMatchObject([
      { signal: fresh.signal },
      { signal: one.signal, revision: 2 },
    ])
  })
  test('asks for 1,000 keys at most, however they are spread', async () => {
    const keys = Array.from({ length: LOOKUP_MAX / 2 }, aDigest)
    const before = await journal(banana)
    const half = { type: 'url', profile: 'url/1', keys }
    expect((await w.find(banana, [half, { ...half, type: 'domain' }])).asked).toBe(LOOKUP_MAX)
    const lookup = {
      ...{ purpose: 'appeal' },
      queries: [half, half, { type: 'ip', profile: 'ip/1@spring', keys: [aDigest()] }],
    } as Lookup
    await expect(w.feeds.lookUp(w.reader(banana), lookup)).rejects.toMatchObject({
      ...refused('page-limit'),
      extra: { limit: LOOKUP_MAX },
    })
    expect(await journal(banana)).toBe(before + 1)
  })
  test('takes half of the connections at most, whoever asks', async () => {
    const known = createKnownKeys({ db: w.t.projector, logId: 1 })
    await known.load()
    const db = connect({ url: w.t.url('aldis_app'), max: 4 })
    const lookUp = createLookUp({
      ...{ db, clock: w.clock, provenance: w.provenance, directory: w.authority, known },
      ...{ timeoutMs: 10_000, onLookUps: () => {} },
    })
    const ask = (by: Party) =>
      lookUp(w.reader(by, '/v1/lookups'), { queries: url(aDigest()), purpose: 'appeal' } as Lookup)
    const answers = await Promise.all([apple, banana, cherry].flatMap((by) => Array.from({ length: 5 }, () => ask(by))))
    expect([answers.length, poolState(db).total]).toEqual([15, 2])
    await db.destroy()
  })
  test('is journaled each for itself, though many go together', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const ask = (keys: string[]) => ({ queries: url(...keys), purpose: 'enforcement' }) as Lookup
    const answers = await Promise.all(
      [[one.value.sha256], [aDigest()], [aDigest(), one.value.sha256]].map((keys) =>
        w.feeds.lookUp(w.reader(banana, '/v1/lookups'), ask(keys)),
      ),
    )
    expect(answers.map(({ body }) => (JSON.parse(String(body)) as { matches: object[] }).matches.length)).toEqual([
      ...[1, 0, 1],
    ])
    expect(new Set(answers.map(({ read }) => read)).size).toBe(3)
    for (const { read } of answers) await journaled(banana, read)
  })
  test('of two participants at once stays with each', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const both = await Promise.all([found(banana, url(one.value.sha256)), found(cherry, url(one.value.sha256))])
    expect(both).toEqual([[one.signal], []])
  })
})

describe('nothing is disclosed without its record', () => {
  test('a page and a look-up have their journal row by the time they are answered', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const page = await events(banana, pair.feed, { limit: 1 })
    expect(await journaled(banana, page.read)).toEqual({ n: 1, place: 0 })
    const lookup = {
      ...{ purpose: 'investigation' },
      queries: [{ type: 'url', profile: 'url/1', keys: [one.value.sha256] }],
    } as Lookup
    await journaled(banana, (await w.feeds.lookUp(w.reader(banana), lookup)).read)
    const missed = await w.feeds.lookUp(w.reader(cherry), lookup)
    await journaled(cherry, missed.read)
  })
  test('and one that cannot be journaled is not answered', async () => {
    const lookup = { purpose: 'appeal', queries: [{ type: 'url', profile: 'url/1', keys: [aDigest()] }] } as Lookup
    await w.without('insert on read_journal', 'aldis_app', async () => {
      await expect(events(banana, pair.feed)).rejects.toThrow()
      await expect(w.feeds.lookUp(w.reader(banana), lookup)).rejects.toThrow()
    })
    w.weather.healthy = false
    await expect(events(banana, pair.feed)).rejects.toMatchObject(refused('log-behind'))
    await expect(w.feeds.lookUp(w.reader(banana), lookup)).rejects.toMatchObject(refused('log-behind'))
    w.weather.healthy = true
  })
  test('while look-ups do not follow the log, what says how signals stand is not told, and feeds are', async () => {
    const sealed = await w.group('behind', [apple, banana], 'sealed')
    const lookup = { purpose: 'appeal', queries: [{ type: 'url', profile: 'url/1', keys: [aDigest()] }] } as Lookup
    const [by, signal, purpose] = [w.reader(banana), idOf(1), 'appeal' as const]
    const { audience } = sealed
    w.weather.following = false
    for (const asked of [
      () => w.feeds.lookUp(by, lookup),
      () => w.feeds.network(by, { signal, after: undefined }),
      () => w.feeds.sealed.open(by, { audience, signal, purpose }),
      () => w.feeds.sealed.bucket(by, { audience, snapshot: 0n, prefix: '' } as never),
      () => w.feeds.reveal(by, { signal, purpose }),
    ])
      await expect(asked()).rejects.toMatchObject(refused('log-behind'))
    expect((await w.page(banana, pair.feed)).events).not.toEqual([])
    w.weather.following = true
    expect((await w.find(banana, lookup.queries)).matches).toEqual([])
  })
  test('the record commits to the very bytes of the answer, and to what of whom was in it', async () => {
    await w.submit(banana, [item()])
    await w.submit(apple, [item()])
    await w.project()
    const { body, read } = await events(banana, pair.feed)
    const [name = ''] = read.split(' ')
    await w.provenance.journal.flush(banana.participant, 'banana')
    const inner = await w.provenance.journal.inner(banana.participant, name)
    if (inner === undefined || inner === 'waiting') throw new Error('the read is not in a batch')
    const fields = readSays(inner.opened).map(({ name: field, value }) => [field, value])
    expect(fields).toContainEqual(['body', Buffer.from(sha256(Buffer.from(String(body)))).toString('base64url')])
    const parties = fields
      .filter(([field]) => field === 'source')
      .map(([, value]) => (value as { party: string }).party)
    expect(parties.sort()).toEqual(['apple', 'banana'])
  })
  test('and is counted', async () => {
    const { feed } = await aFeed('counted', [apple, banana], 2)
    w.counted.pages.length = 0
    w.counted.lookups.length = 0
    await w.page(banana, feed)
    const keys = [aDigest(), aDigest()]
    await w.find(banana, [{ type: 'url', profile: 'url/1', keys }])
    expect(w.counted).toEqual({ pages: [2], lookups: [[2, 0]] })
  })
  test('and is counted only with its journal entry', async () => {
    w.counted.lookups.length = 0
    await w.without('insert on read_pending', 'aldis_app', async () => {
      await expect(w.find(banana, [{ type: 'url', profile: 'url/1', keys: [aDigest()] }])).rejects.toThrow()
    })
    expect(w.counted.lookups).toEqual([])
  })
})

describe('an acknowledgement', () => {
  const waitingForLocks = async (): Promise<number> =>
    (
      await sql`select from pg_stat_activity where datname = current_database() and usename = 'aldis_app'
        and wait_event_type = 'Lock'`.execute(w.t.owner)
    ).rows.length
  const ack = (by: Party, feed: Uuid, upto: string, stage: 'mirror_removed' | 'client_reached' = 'mirror_removed') =>
    w.feeds.acknowledge(w.reader(by), feed, { upto, stage })
  test('is recorded once, with the ends of each source in it', async () => {
    const { feed, audience } = await aFeed('ended', [apple, banana, cherry], 1)
    const [one, two] = [item({ audience }), item({ audience })]
    await w.submit(apple, [one])
    await w.submit(banana, [two])
    await w.withdraw(apple, one.signal)
    await w.withdraw(banana, two.signal)
    await w.project()
    expect(await w.recorded(() => ack(cherry, feed, '5'))).toEqual(['tombstone.acked'])
    const { last_event } = await w.t.owner
      .selectFrom('feed_ack')
      .select('last_event')
      .where('feed_id', '=', feed)
      .executeTakeFirstOrThrow()
    const opened = await w.opened(last_event)
    expect(opened).toMatchObject({ kind: 'tombstone.acked', actor: 'cherry', feed, upto: '5', stage: 'mirror_removed' })
    expect(opened['source']).toMatchObject({ n: 1 })
    // Again, or of less: what is acknowledged stays.
    expect(await w.recorded(async () => expect(await ack(cherry, feed, '5')).toEqual({ feed, upto: '5' }))).toEqual([])
    expect(await w.recorded(async () => expect(await ack(cherry, feed, '2')).toEqual({ feed, upto: '5' }))).toEqual([])
    // Another stage is another statement.
    expect(await w.recorded(() => ack(cherry, feed, '5', 'client_reached'))).toEqual(['tombstone.acked'])
  })
  test('goes no way back where another first one of the same feed is made at once', async () => {
    const { feed } = await aFeed('raced', [apple, banana], 9)
    let less: Promise<unknown> | undefined
    await w.t.owner.transaction().execute(async (tx) => {
      await tx
        .insertInto('feed_ack')
        .values({ participant_id: banana.participant, feed_id: feed, stage: 1, seq: 9n, last_event: newId(w.now()) })
        .execute()
      less = w.recorded(async () => expect(await ack(banana, feed, '4')).toEqual({ feed, upto: '9' }))
      await expect.poll(waitingForLocks, { interval: 10, timeout: 10_000 }).toBe(1)
    })
    expect(await less).toEqual([])
    const { seq } = await w.t.owner
      .selectFrom('feed_ack')
      .select('seq')
      .where('feed_id', '=', feed)
      .executeTakeFirstOrThrow()
    expect(seq).toBe(9n)
  })
  test('of nothing is no statement', async () => {
    expect(
      await w.recorded(async () => expect(await ack(banana, trio.feed, '0')).toMatchObject({ upto: '0' })),
    ).toEqual([])
  })
  test('beyond the end is refused, and of a feed of others as of none', async () => {
    const { feed } = await aFeed('short', [apple, banana], 2)
    await expect(ack(banana, feed, '3')).rejects.toMatchObject({
      ...refused('validation-failed'),
      errors: [{ pointer: '/upto' }],
    })
    expect(await ack(banana, feed, '2')).toEqual({ feed, upto: '2' })
    const foreign = await rejection(ack(cherry, feed, '1'))
    expect(foreign).toMatchObject({ code: 'not-found' })
    expect(foreign).toEqual(await rejection(ack(cherry, newId(w.now()), '1')))
  })
})

describe('who received a submission', () => {
  test('is who may read a feed in which something of it stands', async () => {
    const { submission } = await w.submit(apple, [item(), item({ audience: trio.audience })])
    const { submission: narrow } = await w.submit(apple, [item()])
    const received = (by: Party, event = submission) => w.feeds.received(by.participant, event ?? idOf(0))
    expect(await received(banana)).toBe(false)
    await w.project()
    expect([await received(apple), await received(banana), await received(cherry)]).toEqual([true, true, true])
    expect([await received(banana, narrow), await received(cherry, narrow)]).toEqual([true, false])
    expect(await received(cherry, newId(w.now()))).toBe(false)
  })
})

describe('what a source finds of itself', () => {
  test('are the places of its signals in each feed, by the log index of their events, and its events in order', async () => {
    const { feed, audience } = await aFeed('proven', [apple, banana], 3)
    const [one, two] = [item({ audience }), item({ audience })]
    await w.submit(apple, [one, two])
    await w.submit(banana, [item({ audience })])
    await w.revise(apple, one, { severity: 'low' })
    await w.withdraw(apple, one.signal)
    await w.project()
    const rows = await w.t.owner
      .selectFrom('feed_entry')
      .select(['seq', 'log_idx', 'signal_id', 'revision', 'submission_id'])
      .where('feed_id', '=', feed)
      .where('origin', '=', apple.participant)
      .orderBy('seq')
      .execute()
    const own = rows.filter(({ signal_id }) => signal_id === one.signal)
    expect(own.map(({ revision }) => revision)).toEqual([1, 2, 3])
    const { submissions, places, items } = w.feeds.shared
    const sent = await submissions(apple.participant, one.signal)
    expect(sent.toSorted()).toEqual(own.map(({ submission_id }) => submission_id).toSorted())
    const at = own.map(({ log_idx }) => log_idx)
    const found = await places(apple.participant, feed, { signal: one.signal, at })
    expect(found).toMatchObject(own.map(({ seq, revision }) => ({ seq, revision })))
    expect(await places(apple.participant, pair.feed, { signal: one.signal, at })).toEqual([])
    const all = { from: 2n, to: 100n }
    expect(await items(apple.participant, feed, all)).toEqual(
      rows.slice(1).map(({ signal_id, revision }) => ({ signal: signal_id, revision })),
    )
  })
  test("are not another's", async () => {
    const { feed, audience } = await aFeed('unproven', [apple, banana], 1)
    const one = item({ audience })
    await w.submit(apple, [one])
    await w.project()
    const { submissions, items } = w.feeds.shared
    expect(await submissions(banana.participant, one.signal)).toEqual([])
    expect(await items(banana.participant, feed, { from: 1n, to: 100n })).toEqual([])
    expect(await items(cherry.participant, feed, { from: 1n, to: 100n })).toEqual([])
  })
})
