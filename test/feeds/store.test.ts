import { brotliDecompressSync } from 'node:zlib'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { asParticipant, atFeed, type Tx } from '../../src/db/as-participant.ts'
import * as ackStore from '../../src/feeds/ack-store.ts'
import * as keyStore from '../../src/feeds/key-store.ts'
import * as objectStore from '../../src/feeds/object-store.ts'
import * as originStore from '../../src/feeds/origin-store.ts'
import { SEGMENT_SIZE } from '../../src/feeds/schema.ts'
import { segmentOf } from '../../src/feeds/segment.ts'
import { insertSegment } from '../../src/feeds/segment-store.ts'
import * as store from '../../src/feeds/store.ts'
import { keyOfSignal } from '../../src/interop/stix/ids.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { DAY, idOf, instantAt, textOf } from '../signals/factory.ts'
import { planned } from '../support/plans.ts'
import { aWorld, type Party, type World } from './world.ts'

/** Of its own for each block: what is projected stays. */
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
})
afterAll(() => w.end())
beforeEach(() => w.pass(1_000))

const item = (change: object = {}) => w.item({ audience: pair.audience, ...change })
const entries = async (feed: Uuid, after = 0n) =>
  (
    await w.t.owner
      .selectFrom('feed_entry')
      .selectAll()
      .where('feed_id', '=', feed)
      .where('seq', '>', after)
      .orderBy('seq')
      .execute()
  ).map((row) => ({ ...row, body: JSON.parse(row.body) as Record<string, unknown> }))
/** What happened in a feed after a place, in short. */
const brief = async (feed: Uuid, after: bigint) =>
  (await entries(feed, after)).map(({ body }) => `${body['type']} ${body['revision']} ${body['reason'] ?? 'signed'}`)
const last = async (feed: Uuid): Promise<bigint> =>
  (await w.t.owner.selectFrom('feed_head').select('next_seq').where('feed_id', '=', feed).executeTakeFirstOrThrow())
    .next_seq - 1n
const shared = (signal: Uuid, by = apple) =>
  w.t.owner
    .selectFrom('shared_signal')
    .selectAll()
    .where('signal_id', '=', signal)
    .where('origin', '=', by.participant)
    .executeTakeFirst()

/** Until everything is done; answers the entries. */
async function rounds(projector: { round(): Promise<number> }): Promise<number> {
  let n = 0
  for (let taken = await projector.round(); taken > 0; taken = await projector.round()) n += taken
  return n
}

describe('the projector', () => {
  test('gives each feed its events in the order of the log, without a gap', async () => {
    const before = { pair: await last(pair.feed), trio: await last(trio.feed) }
    for (let i = 0; i < 4; i++) {
      w.pass(1_000)
      await w.submit(apple, [item(), item({ audience: trio.audience }), item()])
      await w.submit(banana, [item({ audience: trio.audience })])
    }
    expect(await w.project()).toBeGreaterThan(0)
    for (const [feed, from, n] of [
      [pair.feed, before.pair, 8],
      [trio.feed, before.trio, 8],
    ] as const) {
      const rows = await entries(feed, from)
      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: n }, (_, i) => from + BigInt(i + 1)))
      expect(rows.every(({ log_idx }, i) => log_idx >= (rows[i - 1]?.log_idx ?? 0n))).toBe(true)
      expect(rows.map(({ body }) => body['seq'])).toEqual(rows.map(({ seq }) => String(seq)))
      expect(await last(feed)).toBe(from + BigInt(n))
    }
    expect(await w.project()).toBe(0)
  })
  test('keeps the bytes, the salt and the proof of the submission', async () => {
    const from = await last(pair.feed)
    const one = item()
    const signed = await w.sign(apple, [item(), one])
    const { submission } = await w.signals.submit(apple, signed)
    await w.project()
    const row = (await entries(pair.feed, from))[1]
    expect(row?.body).toMatchObject({
      ...{ type: 'signal.created', source: 'apple', signal: one.signal, revision: 1, event: submission, index: 1 },
      ...{ salt: signed.items[1]?.salt, item: textOf(one), feed: pair.feed },
    })
    expect(row).toMatchObject({ origin: apple.participant, signal_id: one.signal, submission_id: submission })
    const proofs = await w.t.owner
      .selectFrom('feed_submission')
      .select('body')
      .where('feed_id', '=', pair.feed)
      .where('submission_id', '=', submission ?? idOf(0))
      .execute()
    expect(proofs.map(({ body }) => JSON.parse(body))).toMatchObject([
      { event: submission, source: 'apple', count: 2, jws: signed.jws },
    ])
  })
  test('follows with what others look up: made, revised, moved, ended', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const seq = await last(pair.feed)
    const made = {
      state: 1,
      revision: 1,
      audience_id: pair.audience,
      feed_id: pair.feed,
      seq,
      origin: apple.participant,
    }
    expect(await shared(one.signal)).toMatchObject({ ...made, type: 1, profile: 'url/1' })
    expect((await shared(one.signal))?.signal_key.toString('hex')).toBe(one.value.sha256)
    const later = instantAt(60 * DAY, w.now())
    await w.revise(apple, one, { audience: trio.audience, expires_at: later })
    await w.project()
    expect(await shared(one.signal)).toMatchObject({
      ...{ state: 1, revision: 2, audience_id: trio.audience, feed_id: trio.feed, seq: await last(trio.feed) },
      expires_at: new Date(later),
    })
    await w.withdraw(apple, one.signal)
    await w.project()
    expect(await shared(one.signal)).toMatchObject({
      ...{ state: 2, revision: 3, audience_id: trio.audience, seq: await last(trio.feed), expires_at: new Date(later) },
    })
  })
  test('writes every end into the sequence, signed by its source or said by the node', async () => {
    const [a, b] = [await last(pair.feed), await last(trio.feed)]
    const soon = instantAt(60_000, w.now())
    const [one, two, three] = [item(), item({ expires_at: soon }), item()]
    await w.submit(apple, [one, two, three])
    await w.withdraw(apple, one.signal, { reason: 'outdated' })
    w.pass(60_000)
    await w.expire(apple.participant, 'apple')
    w.pass(1_000)
    await w.revise(apple, three, { audience: trio.audience })
    await w.project()
    expect(await brief(pair.feed, a)).toEqual([
      ...['signal.created 1 signed', 'signal.created 1 signed', 'signal.created 1 signed'],
      ...['signal.withdrawn 2 signed', 'signal.expired 1 expired', 'signal.withdrawn 2 audience_changed'],
    ])
    expect(await brief(trio.feed, b)).toEqual(['signal.revised 2 signed'])
    expect(await shared(two.signal)).toMatchObject({ state: 3, revision: 1 })
    const [, , , withdrawn, expired, moved] = await entries(pair.feed, a)
    expect(JSON.parse(String(withdrawn?.body['item']))).toMatchObject({ reason: 'outdated' })
    for (const row of [expired, moved]) expect(row?.body).not.toHaveProperty('item')
  })
  test('takes a signal through audiences and back within one round', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const [a, b] = [await last(pair.feed), await last(trio.feed)]
    await w.revise(apple, one, { audience: trio.audience })
    w.pass(1_000)
    await w.revise(apple, one, { audience: pair.audience })
    w.pass(1_000)
    await w.withdraw(apple, one.signal)
    await w.project()
    expect(await brief(pair.feed, a)).toEqual([
      ...['signal.withdrawn 2 audience_changed', 'signal.revised 3 signed', 'signal.withdrawn 4 signed'],
    ])
    expect(await brief(trio.feed, b)).toEqual(['signal.revised 2 signed', 'signal.withdrawn 3 audience_changed'])
    expect(await shared(one.signal)).toMatchObject({ state: 2, revision: 4, audience_id: pair.audience })
  })
  test('keeps what one source says of its signals apart from another that took their ids', async () => {
    const one = item({ audience: trio.audience })
    await w.submit(apple, [one])
    await w.project()
    const before = await shared(one.signal)
    const [a, b] = [await last(pair.feed), await last(trio.feed)]
    // Cherry saw the signal, shares the same thing under the same id, moves it, and takes it back.
    await w.submit(cherry, [one])
    await w.project()
    expect(await shared(one.signal)).toEqual(before)
    await w.revise(cherry, one, { confidence: 1 })
    w.pass(1_000)
    await w.withdraw(cherry, one.signal)
    await w.project()
    expect(await shared(one.signal)).toEqual(before)
    expect(await brief(pair.feed, a)).toEqual([])
    expect((await entries(trio.feed, b)).map(({ body }) => `${body['source']} ${body['type']}`)).toEqual([
      ...['cherry signal.created', 'cherry signal.revised', 'cherry signal.withdrawn'],
    ])
    // Both in one round.
    w.pass(1_000)
    const two = item({ audience: pair.audience })
    await w.submit(apple, [two])
    await w.submit(cherry, [{ ...two, audience: trio.audience }])
    await w.project()
    expect(await shared(two.signal)).toMatchObject({ state: 1, audience_id: pair.audience })
    expect(await shared(two.signal, cherry)).toMatchObject({ state: 1, audience_id: trio.audience })
    expect(await shared(one.signal, cherry)).toMatchObject({ state: 2, revision: 3 })
    expect(await brief(pair.feed, a)).toEqual(['signal.created 1 signed'])
  })
  test('waits at an entry behind the fence, and passes over what is no signal', async () => {
    await w.submit(apple, [item()])
    const projector = w.aProjector()
    await rounds(projector)
    const seq = await last(pair.feed)
    expect(await projector.round()).toBe(0)
    await w.integrate()
    expect(await rounds(projector)).toBeGreaterThan(0)
    expect(await last(pair.feed)).toBe(seq + 1n)
    await w.admit('damson')
    await w.integrate()
    expect(await rounds(w.aProjector())).toBeGreaterThan(0)
    expect(await last(pair.feed)).toBe(seq + 1n)
  })
  test('takes up to 256 entries a round, and all of them in several', async () => {
    await w.project()
    const seq = await last(pair.feed)
    for (let i = 0; i < 264; i++) await w.submit(apple, [item()])
    while ((await w.integrate()) > 0);
    const projector = w.aProjector()
    expect([await projector.round(), await projector.round(), await projector.round()]).toEqual([256, 8, 0])
    expect(await last(pair.feed)).toBe(seq + 264n)
  })
  test('is full after as many entries, or as many signals, as a round takes, so that the next one does not rest', async () => {
    await w.project()
    for (let i = 0; i < 9; i++)
      await w.submit(
        apple,
        Array.from({ length: 1_000 }, () => item()),
      )
    await w.integrate()
    const projector = w.aProjector()
    expect([await projector.round(), projector.full()]).toEqual([8, true])
    expect([await projector.round(), projector.full()]).toEqual([1, false])
    for (let i = 0; i < 256; i++) await w.submit(apple, [item()])
    while ((await w.integrate()) > 0);
    expect([await projector.round(), projector.full()]).toEqual([256, true])
    expect([await projector.round(), projector.full()]).toEqual([0, false])
  })
  test('at a time that does not move still gives rising times of arrival', async () => {
    const added = async () =>
      (
        await w.t.owner
          .selectFrom('feed_head')
          .select('added_us')
          .where('feed_id', '=', pair.feed)
          .executeTakeFirstOrThrow()
      ).added_us
    await w.submit(apple, [item()])
    await w.project()
    const first = await added()
    expect(first).toBeGreaterThanOrEqual(BigInt(w.now().getTime()) * 1000n)
    await w.submit(apple, [item()])
    await w.project()
    expect(await added()).toBeGreaterThan(first)
  })
})

describe('a round that was cut off', () => {
  /** A round in which signals are made, revised in place, moved to and fro, and ended. */
  async function aRound(): Promise<void> {
    const [kept, moving, wandering, ending] = [item(), item(), item(), item()]
    const expiring = item({ expires_at: instantAt(60_000, w.now()) })
    await w.submit(apple, [kept, moving, wandering, ending, expiring])
    await w.project()
    const step = async (work: Promise<unknown>) => {
      await work
      w.pass(1_000)
    }
    const to = (audience: Uuid) => ({ audience })
    await step(w.revise(apple, kept))
    await step(w.revise(apple, moving))
    await step(w.revise(apple, moving, to(trio.audience)))
    await step(w.revise(apple, wandering, to(trio.audience)))
    await step(w.revise(apple, wandering, to(pair.audience)))
    await step(w.revise(apple, wandering, to(trio.audience)))
    await step(w.withdraw(apple, ending.signal))
    await step(w.submit(banana, [item({ audience: trio.audience }), item()]))
    w.pass(60_000)
    await step(w.expire(apple.participant, 'apple'))
    while ((await w.integrate()) > 0);
  }
  const withoutTimes = async () => {
    const { heads, entries: rows, submissions, shared: keys, next } = await w.projection()
    return { heads, rows, submissions, keys, next }
  }
  /** Everything up to the log's end, by new projectors as after a restart. */
  const finish = async () => {
    const projector = w.aProjector()
    await rounds(projector)
    await followsFeeds()
    return withoutTimes()
  }
  /** Look-ups hold of each source's signal exactly what its last event in a feed says. */
  const followsFeeds = async () => {
    const { entries: rows, shared: keys } = await w.projection()
    const events = rows
      .map((row) => ({ ...row, reason: (JSON.parse(row.body) as { reason?: string }).reason }))
      .filter(({ reason }) => reason !== 'audience_changed')
      .toSorted((a, b) => Number(a.log_idx - b.log_idx) || Number(a.seq - b.seq))
    const last = new Map(events.map((row) => [`${row.origin}/${row.signal_id}`, row]))
    const state = (kind: number): number => ({ 1: 1, 2: 1, 3: 2, 4: 3 })[kind] ?? 0
    const told = [...last].map(([name, { feed_id, seq, log_idx, revision, kind }]) => [
      ...[name, feed_id, seq, log_idx, revision, state(kind)],
    ])
    const kept = keys.map(({ origin, signal_id, feed_id, seq, log_idx, revision, state: now }) => [
      ...[`${origin}/${signal_id}`, feed_id, seq, log_idx, revision, now],
    ])
    expect(kept.sort()).toEqual(told.sort())
  }
  const rewind = (to: bigint) => sql`update projector set next_idx = ${to}`.execute(w.t.owner)
  const nextIdx = async () =>
    (await w.t.owner.selectFrom('projector').select('next_idx').executeTakeFirst())?.next_idx ?? 0n

  test('and done again after everything but its own place changes nothing', async () => {
    await aRound()
    const from = await nextIdx()
    await w.without('insert, update on projector', 'aldis_projector', async () => {
      await expect(rounds(w.aProjector())).rejects.toThrow()
    })
    expect(await nextIdx()).toBe(from)
    const cut = await withoutTimes()
    const done = await finish()
    expect({ ...done, next: [] }).toEqual({ ...cut, next: [] })
    await rewind(from)
    expect(await finish()).toEqual(done)
  })
  test('between feeds and look-ups is finished by the next', async () => {
    const whole = await aWhole()
    await aRound()
    const at = [await last(pair.feed), await last(trio.feed)] as const
    await w.without('insert, update on shared_signal', 'aldis_projector', async () => {
      await expect(rounds(w.aProjector())).rejects.toThrow()
    })
    await finish()
    expect([await brief(pair.feed, at[0]), await brief(trio.feed, at[1])]).toEqual(whole)
  })
  test('at its end, while the next places its feeds, is done again with that one', async () => {
    await w.project()
    for (let i = 0; i < 264; i++) await w.submit(apple, [item()])
    while ((await w.integrate()) > 0);
    const from = await nextIdx()
    const projector = w.aProjector()
    await w.without('insert, update on shared_signal', 'aldis_projector', async () => {
      expect(await projector.round()).toBe(256)
      await expect(projector.round()).rejects.toThrow()
    })
    expect(await nextIdx()).toBe(from)
    const seq = await last(pair.feed)
    expect(await rounds(projector)).toBe(264)
    expect(await last(pair.feed)).toBe(seq)
    await followsFeeds()
  })
  test.for(['pair', 'trio'] as const)('before the feed of the %s is finished by the next', async (name) => {
    const whole = await aWhole()
    await aRound()
    const at = [await last(pair.feed), await last(trio.feed)] as const
    const { feed } = { pair, trio }[name]
    // The other feed may or may not have been written by then.
    await sql.raw(`alter table feed_entry add constraint cut check (feed_id <> '${feed}') not valid`).execute(w.t.owner)
    await expect(rounds(w.aProjector())).rejects.toThrow()
    await sql.raw('alter table feed_entry drop constraint cut').execute(w.t.owner)
    expect(await last(feed)).toBe(at[name === 'pair' ? 0 : 1])
    const done = await finish()
    expect([await brief(pair.feed, at[0]), await brief(trio.feed, at[1])]).toEqual(whole)
    for (const head of done.heads) {
      const rows = done.rows.filter(({ feed_id }) => feed_id === head.feed_id)
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => BigInt(i + 1)))
    }
  })
  test('by rivals is done once', async () => {
    const whole = await aWhole()
    await aRound()
    const at = [await last(pair.feed), await last(trio.feed)] as const
    await Promise.allSettled([1, 2, 3].map(() => rounds(w.aProjector())))
    await finish()
    expect([await brief(pair.feed, at[0]), await brief(trio.feed, at[1])]).toEqual(whole)
  })

  /** What a round leaves in both feeds when nothing goes wrong. */
  async function aWhole(): Promise<[string[], string[]]> {
    await w.project()
    await aRound()
    const at = [await last(pair.feed), await last(trio.feed)] as const
    await finish()
    return [await brief(pair.feed, at[0]), await brief(trio.feed, at[1])]
  }
})

describe('the sealer', () => {
  test('seals full runs once, readable without the feed, and leaves the rest', async () => {
    const quiet = await w.group('quiet', [apple, cherry])
    const items = (n: number): SignalItem[] => Array.from({ length: n }, () => w.item({ audience: quiet.audience }))
    for (let i = 0; i < 4; i++) await w.submit(apple, items(1_000))
    await w.submit(cherry, items(95))
    await w.project()
    const own = () =>
      w.t.owner.selectFrom('feed_segment').selectAll().where('feed_id', '=', quiet.feed).orderBy('first_seq').execute()
    // Others of this file may have full runs too.
    while ((await w.seal()) > 0);
    expect(await own()).toEqual([])
    await w.submit(cherry, items(2))
    await w.project()
    expect(await w.seal()).toBe(1)
    expect(await w.seal()).toBe(0)
    const [segment, ...more] = await own()
    if (segment === undefined) throw new Error('nothing was sealed')
    expect(more).toEqual([])
    const { n, first_seq, digest, bytes, sets, set_salt } = segment
    expect([n, first_seq, set_salt.length]).toEqual([SEGMENT_SIZE, 1n, 32])
    const text = brotliDecompressSync(bytes)
    expect(Buffer.from(sha256(text)).equals(digest)).toBe(true)
    // Which of two sources the log names first is not settled by who submitted first.
    expect((JSON.parse(sets) as [string][]).toSorted(([a], [b]) => a.localeCompare(b))).toMatchObject([
      ['apple', 4_000, expect.any(String)],
      ['cherry', 96, expect.any(String)],
    ])
    const lines = text.toString().trimEnd().split('\n')
    const rows = await entries(quiet.feed)
    const events = lines.flatMap((line) => (line.startsWith('{"submission"') ? [] : [JSON.parse(line)]))
    expect(events).toEqual(rows.slice(0, SEGMENT_SIZE).map(({ body }) => body))
    const told = new Set<string>()
    for (const line of lines) {
      const parsed = JSON.parse(line) as { submission?: { event: string }; event: string }
      if (parsed.submission !== undefined) told.add(parsed.submission.event)
      else expect(told.has(parsed.event)).toBe(true)
    }
    expect(told.size).toBe(6)
    expect(lines).toHaveLength(SEGMENT_SIZE + told.size)
    const { sealed_seq } = await w.t.owner
      .selectFrom('feed_head')
      .select('sealed_seq')
      .where('feed_id', '=', quiet.feed)
      .executeTakeFirstOrThrow()
    expect(sealed_seq).toBe(BigInt(SEGMENT_SIZE))
    const anew = (after: bigint, n: number) => segmentOf(w.t.projector, quiet.feed, { after, n, sealed: false })
    expect((await anew(0n, SEGMENT_SIZE))?.digest.equals(digest)).toBe(true)
    expect(await anew(1n, SEGMENT_SIZE)).toBeDefined()
    expect(await anew(1n, SEGMENT_SIZE + 1)).toBeUndefined()
  })
})

describe('a sealer that is slower than another', () => {
  test('takes nothing back of what that one has sealed', async () => {
    const { feed: feed_id } = await w.group('sealed-twice', [apple, cherry])
    const bytes = Buffer.alloc(32, 7)
    const sealed = async (first_seq: bigint): Promise<bigint> => {
      const row = {
        feed_id,
        first_seq,
        generation: 0,
        n: SEGMENT_SIZE,
        digest: bytes,
        set_salt: bytes,
        sets: '[]',
        bytes,
      }
      await atFeed(w.t.projector, feed_id, (tx) => insertSegment(tx, row, 0n))
      const head = w.t.owner.selectFrom('feed_head').select('sealed_seq').where('feed_id', '=', feed_id)
      return (await head.executeTakeFirstOrThrow()).sealed_seq
    }
    const [first, second] = [1n, 1n + BigInt(SEGMENT_SIZE)]
    expect([await sealed(first), await sealed(second), await sealed(first)]).toEqual([
      ...[second - 1n, second * 2n - 2n, second * 2n - 2n],
    ])
  })
})

describe('what a participant may see', () => {
  const as = <T>(party: Party, work: (tx: Tx) => Promise<T>): Promise<T> =>
    asParticipant(w.t.app, party.participant, work)
  const seen = (party: Party, feed: Uuid) =>
    as(party, async (tx) => ({
      head: (await store.headOf(tx, feed)) !== undefined,
      heads: (await store.headsOf(tx, [feed])).length,
      entries: (await store.entriesAfter(tx, feed, { after: 0n, until: null, limit: 5 })).length > 0,
      at: (await store.entriesAt(tx, feed, [1n])).length > 0,
    }))

  test('of a feed is everything for a member and nothing for another, whatever is asked', async () => {
    const one = item()
    const { submission } = await w.submit(apple, [one])
    await w.project()
    expect(await seen(banana, pair.feed)).toEqual({ head: true, heads: 1, entries: true, at: true })
    expect(await seen(cherry, pair.feed)).toEqual({ head: false, heads: 0, entries: false, at: false })
    const part = { submission_id: submission ?? idOf(0), from_seq: 1n, until_seq: null }
    const proofs = (party: Party) =>
      as(party, async (tx) => [
        (await store.submissionBodies(tx, pair.feed, [part.submission_id])).length,
        await store.holdsSubmission(tx, pair.feed, part),
      ])
    expect(await proofs(banana)).toEqual([1, true])
    expect(await proofs(cherry)).toEqual([0, false])
  })
  test('of match keys are those of its audiences while live, and its own', async () => {
    const one = item()
    await w.submit(apple, [one])
    await w.project()
    const found = async (party: Party, now = w.now()) =>
      (await as(party, (tx) => keyStore.lookUp(tx, [one.value.sha256], now))).map(({ signal_id }) => signal_id)
    expect(await found(apple)).toEqual([one.signal])
    expect(await found(banana)).toEqual([one.signal])
    expect(await found(cherry)).toEqual([])
    expect(await found(banana, new Date(one.expires_at))).toEqual([])
    await w.withdraw(apple, one.signal)
    await w.project()
    expect([...(await found(apple)), ...(await found(banana))]).toEqual([])
  })
  test('holds within the part of a feed that it may see', async () => {
    const { submission } = await w.submit(apple, [item()])
    await w.project()
    const seq = await last(pair.feed)
    const holds = (from_seq: bigint, until_seq: bigint | null) =>
      as(banana, (tx) =>
        store.holdsSubmission(tx, pair.feed, { submission_id: submission ?? idOf(0), from_seq, until_seq }),
      )
    expect([await holds(1n, null), await holds(seq, seq), await holds(seq + 1n, null)]).toEqual([true, true, false])
    expect([await holds(1n, seq - 1n), await holds(1n, seq)]).toEqual([false, true])
  })
  test.for(['feed_entry', 'feed_head', 'feed_segment', 'feed_submission', 'shared_signal', 'projector'])(
    'is never changed by the application in %s',
    async (table) => {
      for (const statement of [`delete from ${table}`, `insert into ${table} default values`])
        await expect(as(apple, (tx) => sql.raw(statement).execute(tx))).rejects.toMatchObject({ code: '42501' })
    },
  )
  test('says of its acknowledgements nothing to another', async () => {
    const ack = { participant_id: apple.participant, feed_id: pair.feed, stage: 1, seq: 3n, last_event: newId(w.now()) }
    const fields = { feed: pair.feed, upto: '3', stage: 'mirror_removed' }
    await as(apple, async (tx) => {
      await ackStore.upsertAck(tx, ack)
      const event = { event_id: ack.last_event, participant_id: apple.participant, at: w.now(), fields, sources: [] }
      await w.provenance.record(tx, { kind: 'tombstone.acked', ...event })
    })
    const of = (party: Party) => as(party, (tx) => ackStore.ackOf(tx, apple.participant, pair.feed, 1))
    expect([await of(apple), await of(banana)]).toEqual([{ seq: 3n }, undefined])
  })
})

describe('an object of another protocol', { shuffle: false }, () => {
  const ENTRIES = 5_000
  const as = <T>(party: Party, work: (tx: Tx) => Promise<T>): Promise<T> =>
    asParticipant(w.t.app, party.participant, work)
  let herons: { audience: Uuid; feed: Uuid }
  // Other blocks look at all entries that there are.
  afterAll(() => sql`delete from feed_entry where feed_id = ${herons.feed}::uuid`.execute(w.t.owner))
  const named = (signal: Uuid) => ({ after: 0n, limit: 2, keys: [keyOfSignal(signal)] })

  test('is found by its key in an index, whatever row-level security asks as well', async () => {
    herons = await w.group('herons', [apple, banana])
    await sql`insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body)
      select ${herons.feed}::uuid, n, n, 1, ${apple.participant}::uuid, gen_random_uuid(), 1, ${idOf(0)}::uuid, '{}'
      from generate_series(1, ${ENTRIES}::int) n`.execute(w.t.owner)
    await sql`analyze feed_entry`.execute(w.t.owner)
    const [one] = await entries(herons.feed, BigInt(ENTRIES - 2))
    const [plan] = await as(banana, async (tx) => {
      const { db, plans } = planned(tx)
      const rows = await objectStore.objectsAfter(db, herons.feed, named(one?.signal_id as Uuid))
      expect(rows.map(({ seq }) => seq)).toEqual([BigInt(ENTRIES - 1)])
      return plans()
    })
    expect(plan).toContain('feed_entry_object')
    expect(plan).not.toMatch(/Seq Scan on feed_entry|feed_entry_pkey on feed_entry e\b/)
  })
  test('is the newest of its signal, to its readers alone', async () => {
    const one = await seventh()
    const found = async (party: Party) =>
      (await as(party, (tx) => objectStore.objectsAfter(tx, herons.feed, named(one))))
        .filter(({ superseded }) => !superseded)
        .map(({ seq }) => seq)
    const next = BigInt(ENTRIES + 1)
    await sql`insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body)
      values (${herons.feed}::uuid, ${next}, ${next}, 3, ${apple.participant}::uuid, ${one}::uuid, 2, ${idOf(0)}::uuid, '{}')`.execute(
      w.t.owner,
    )
    expect([await found(apple), await found(banana), await found(cherry)]).toEqual([[next], [next], []])
  })
  const seventh = async () => (await entries(herons.feed, 6n))[0]?.signal_id as Uuid
})

test('entries are found by their places alone in a feed that the database has no statistics of', async () => {
  const young = await aWorld()
  const reader = await young.admit('young')
  const { feed } = await young.group('many', [reader])
  await sql`insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body)
    select ${feed}::uuid, n, n, 1, ${reader.participant}::uuid, gen_random_uuid(), 1, ${idOf(0)}::uuid, '{}'
    from generate_series(1, 20000) n`.execute(young.t.owner)
  const seqs = Array.from({ length: 10 }, (_, i) => BigInt(1_999 * (i + 1)))
  const [plan] = await asParticipant(young.t.app, reader.participant, async (tx) => {
    const { db, plans } = planned(tx)
    const rows = await store.entriesAt(db, feed, seqs)
    expect(rows.map(({ seq }) => seq).sort()).toEqual(seqs.toSorted())
    return plans()
  }).finally(() => young.end())
  expect(plan).toContain('Index Scan using feed_entry_pkey on feed_entry')
})

test('items of a submission are found by its index, of a source too that the database has no statistics of', async () => {
  const young = await aWorld()
  const [known, source] = [newId(young.now()), newId(young.now())]
  const sent = [idOf(7_001), idOf(7_002)]
  const shared = (by: Uuid, submissions: readonly Uuid[]) =>
    sql`
    with sent as (select gen_random_uuid() as id, n from generate_series(1, 20000) n), said as (
      insert into signal_revision (participant_id, signal_id, revision, submission_id, item_index, item)
      select ${by}::uuid, id, 1, coalesce((${submissions}::uuid[])[n], gen_random_uuid()), 0, '{}' from sent)
    insert into signal (participant_id, signal_id, signal_key, type, profile, category, audience_id, revision, state,
      expires_at, leaf, last_event)
    select ${by}::uuid, id, ${Buffer.alloc(32)}, 1, 'url/1', 1, ${idOf(0)}::uuid, 1, 1, ${young.now()},
      ${Buffer.alloc(32)}, ${idOf(0)}::uuid from sent`.execute(young.t.owner)
  await shared(known, [])
  await sql`analyze signal, signal_revision`.execute(young.t.owner)
  await shared(source, sent)
  const { db, plans } = planned(young.t.projector)
  const items = await originStore.itemsOf(db, source, sent)
  const [plan] = await plans().finally(() => young.end())
  expect(items.map(({ submission_id }) => submission_id)).toEqual(sent)
  expect(plan).toContain('Index Scan using signal_revision_submission on signal_revision')
  expect(plan).toMatch(/Index Scan using signal_pkey on signal .*\n *Index Cond: .*signal_id = /)
  expect(plan).not.toMatch(/Filter|Seq Scan/)
})

test('match keys only move forward in the log', async () => {
  const one = item()
  await w.submit(apple, [one])
  await w.project()
  const row = await shared(one.signal)
  if (row === undefined) throw new Error('nothing was shared')
  const put = (change: object) =>
    w.t.projector.transaction().execute((tx) => keyStore.upsertShared(tx as unknown as Tx, [{ ...row, ...change }]))
  await put({ log_idx: row.log_idx - 1n, revision: 9 })
  await put({ revision: 9 })
  expect(await shared(one.signal)).toEqual(row)
  await put({ log_idx: row.log_idx + 1n, revision: 9 })
  expect(await shared(one.signal)).toMatchObject({ revision: 9 })
  const { log_idx, revision, signal_id } = row
  await w.t.owner.updateTable('shared_signal').set({ log_idx, revision }).where('signal_id', '=', signal_id).execute()
})
