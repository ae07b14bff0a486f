import { createPublicKey, verify } from 'node:crypto'
import { brotliDecompressSync } from 'node:zlib'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ANSWER_MAX } from '../../src/client/transport.ts'
import { deltaText } from '../../src/feeds/delta.ts'
import {
  BUCKET_WIDTH_MAX,
  type FeedEventBody,
  type OpeningResult,
  type SealedEventBody,
  type SealedPage,
} from '../../src/feeds/schema.ts'
import { fromHex, toHex } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { ENTRY_BYTES, sealedKey, sealKid } from '../../src/matching/sealed.ts'
import { readSays } from '../provenance/disclosures.ts'
import { DAY, instantAt, textOf } from '../signals/factory.ts'
import { aWorld, type Party, type World } from './world.ts'

let w: World
let apple: Party
let banana: Party
let cherry: Party
let made = 0

beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
})
afterAll(() => w.end())
beforeEach(() => w.pass(1_000))

const LOOKUP = '/v1/lookup/:audience/:snapshot/:prefix'
const purpose = 'enforcement' as const
const refused = (code: string) => ({ code })
/** A sealed audience of its own. */
const aSealed = (members: readonly Party[] = [apple, banana]) => {
  made += 1
  return w.group(`sealed-${made}`, members, 'sealed')
}
const token = (item: { value: { token: string } }): Uint8Array => fromHex(item.value.token) ?? new Uint8Array(0)
const pageOf = async (by: Party, feed: Uuid, query = {}) => {
  const given = await w.feeds.events(w.reader(by), feed, query)
  return { ...given, page: JSON.parse(given.body) as SealedPage }
}
const isSealed = (event: SealedEventBody | FeedEventBody): event is SealedEventBody => 'sealed' in event
const open = async (by: Party, audience: Uuid, signal: Uuid) => {
  const given = await w.feeds.sealed.open(w.reader(by, '/v1/audiences/:audience/signals/:signal'), {
    ...{ audience, signal, purpose },
  })
  return { ...given, answer: JSON.parse(given.body) as OpeningResult }
}
const nodeSigned = (signature: string | undefined, delta: Parameters<typeof deltaText>[0]): boolean => {
  const [kid, encoded = ''] = (signature ?? '').split(' ')
  const x = Buffer.from(w.keys.publicKey('receipt')).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return kid === 'receipt' && verify(null, Buffer.from(deltaText(delta)), key, Buffer.from(encoded, 'base64url'))
}
const digestOf = (text: string | Buffer): string => sha256(text).toString('base64url')
/** What the read journal says of one answer, by its name. */
async function readOf(by: Party, read: string): Promise<Record<string, unknown>> {
  const [name = ''] = read.split(' ')
  const [, place = '0'] = name.split('.')
  const { journal } = w.provenance
  await journal.flush(by.participant, by.slug)
  const inner = await journal.inner(by.participant, name)
  if (inner === undefined || inner === 'waiting') throw new Error(`no record of the read ${place}`)
  return Object.fromEntries(readSays(inner.opened).map(({ name: field, value }) => [field, value]))
}

describe('a sealed feed', () => {
  test('has for each live signal an entry that its key opens, and neither key nor item nor source', async () => {
    const { audience, feed } = await aSealed()
    const email = w.item({ audience }, 'email')
    const media = w.item({ audience, handling: 'monitor' }, 'media_hash')
    await w.submit(apple, [email, media])
    await w.project()
    const { page, body } = await pageOf(banana, feed)
    expect(page.submissions).toEqual([])
    expect(page.events.map(({ seq, type }) => [seq, type])).toEqual([
      ['1', 'signal.sealed'],
      ['2', 'signal.sealed'],
    ])
    for (const secret of [email.value.token, email.signal, media.value.hash, media.signal, 'apple', 'grooming'])
      expect(body).not.toContain(secret)
    const [first, second] = page.events.filter(isSealed).map(({ sealed = '' }) => Buffer.from(sealed, 'base64url'))
    const opened = sealedKey(token(email), audience).open('spring', first ?? Buffer.alloc(0))
    expect(opened).toEqual({
      ...{ signal: email.signal, category: 3, handling: 1 },
      expires_at: new Date(Math.ceil(Date.parse(email.expires_at) / 3_600_000) * 3_600_000),
    })
    const key = sealedKey(fromHex(media.value.hash) ?? new Uint8Array(0), audience)
    expect(key.open(sealKid('sha256'), second ?? Buffer.alloc(0))).toMatchObject({ signal: media.signal, handling: 4 })
  })

  test('has each bucket and each opening counted that is given out', async () => {
    const { audience } = await aSealed()
    const email = w.item({ audience }, 'email')
    await w.submit(apple, [email])
    await w.project()
    await w.divide()
    const { snapshot } = await w.feeds.sealed.snapshot(w.reader(banana), audience)
    w.counted.lookups.length = 0
    await w.feeds.sealed.bucket(w.reader(banana, LOOKUP), {
      audience,
      snapshot: BigInt(snapshot),
      prefix: '0',
      purpose,
    })
    await open(banana, audience, email.signal)
    await expect(open(banana, audience, newId(w.now()))).rejects.toMatchObject(refused('not-found'))
    expect(w.counted.lookups).toEqual([
      [1, 0],
      [1, 1],
    ])
  })

  test('names the entry that a revision replaces, and the one that an end ends', async () => {
    const { audience, feed } = await aSealed()
    const items = [w.item({ audience }, 'email'), w.item({ audience }, 'phone')]
    await w.submit(apple, items)
    await w.project()
    w.pass(1_000)
    await w.revise(apple, items[0] as never, { handling: 'monitor' })
    w.pass(1_000)
    await w.withdraw(apple, items[1]?.signal ?? newId(w.now()))
    w.pass(1_000)
    await w.withdraw(apple, items[0]?.signal ?? newId(w.now()))
    await w.project()
    const { page } = await pageOf(banana, feed, { cursor: undefined })
    const [, , revised, second, first] = page.events
    expect(revised).toMatchObject({ type: 'signal.sealed', replaces: '1' })
    expect(second).toMatchObject({ type: 'signal.withdrawn', signal: items[1]?.signal, source: 'apple', ends: '2' })
    expect(first).toMatchObject({ type: 'signal.withdrawn', signal: items[0]?.signal, ends: '3' })
    expect(page.submissions).toHaveLength(2)
    expect(await w.t.owner.selectFrom('sealed_signal').select('seq').where('feed_id', '=', feed).execute()).toEqual([])
  })

  test('ends of itself what has expired', async () => {
    const { audience, feed } = await aSealed()
    await w.submit(apple, [w.item({ audience, expires_at: instantAt(DAY, w.now()) }, 'ip')])
    await w.project()
    w.pass(2 * DAY)
    await w.expire(apple.participant, 'apple')
    await w.project()
    const { page } = await pageOf(banana, feed)
    expect(page.events[1]).toMatchObject({ type: 'signal.expired', reason: 'expired', ends: '1' })
  })

  test('loses what is erased at once, and names in its tombstone the entry that went', async () => {
    const { audience, feed } = await aSealed()
    const [item, other] = [w.item({ audience }, 'email'), w.item({ audience }, 'email')]
    await w.submit(apple, [item, other])
    await w.project()
    await w.divide()
    w.pass(1_000)
    await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await expect(open(banana, audience, item.signal)).rejects.toMatchObject(refused('not-found'))
    const held = await w.t.owner.selectFrom('sealed_signal').selectAll().where('feed_id', '=', feed).execute()
    expect(held.filter(({ body }) => body !== '')).toHaveLength(1)
    expect(await w.t.owner.selectFrom('sealed_bucket').select('prefix').where('feed_id', '=', feed).execute()).toEqual(
      [],
    )
    await w.project()
    await w.divide()
    const { page } = await pageOf(banana, feed)
    expect(page.events).toMatchObject([
      { type: 'signal.sealed', reason: 'erased' },
      { type: 'signal.sealed', sealed: expect.any(String) },
      { type: 'signal.erased', signal: item.signal, ends: '1' },
    ])
    expect(page.events[0]).not.toHaveProperty('sealed')
    expect(await w.feeds.sealed.snapshot(w.reader(banana), audience)).toMatchObject({ snapshot: '3', entries: 1 })
    expect((await open(banana, audience, other.signal)).answer.events).toHaveLength(1)
  })

  test('still names the entry that a withdrawal ended once the signal is erased, for mirrors that stand between', async () => {
    const { audience, feed } = await aSealed()
    const item = w.item({ audience }, 'email')
    await w.submit(apple, [item])
    w.pass(1_000)
    await w.withdraw(apple, item.signal)
    await w.project()
    w.pass(1_000)
    await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await w.project()
    const [entry, end] = (await pageOf(banana, feed)).page.events
    expect(entry).toMatchObject({ seq: '1', type: 'signal.sealed', reason: 'erased' })
    expect(end).toMatchObject({ type: 'signal.withdrawn', signal: item.signal, reason: 'erased', ends: '1' })
    expect(end).not.toHaveProperty('item')
  })

  test('is planned alike by a projector that begins again, and keeps its entries', async () => {
    const { audience, feed } = await aSealed()
    await w.submit(apple, [w.item({ audience }, 'email')])
    await w.project()
    const before = await w.projection()
    await sql`update projector set next_idx = 0`.execute(w.t.owner)
    const again = w.aProjector()
    while ((await again.round()) > 0);
    expect(await w.projection()).toEqual(before)
    expect((await pageOf(banana, feed)).page.events).toHaveLength(1)
  })

  test('is signed by the node, page by page, and read as a number of entries alone', async () => {
    const { audience, feed } = await aSealed()
    await w.submit(apple, [w.item({ audience }, 'email'), w.item({ audience }, 'email')])
    await w.project()
    const { body, read, signature } = await pageOf(banana, feed)
    expect(nodeSigned(signature, { feed, from: 1n, to: 2n, digest: digestOf(body) })).toBe(true)
    expect(nodeSigned(signature, { feed, from: 1n, to: 1n, digest: digestOf(body) })).toBe(false)
    const told = await readOf(banana, read)
    expect(told).toMatchObject({ n: 2, body: digestOf(body), as_of: { feed, from: '1', to: '2' } })
    expect(told).not.toHaveProperty('source')
    expect((await pageOf(banana, feed, { cursor: JSON.parse(body).next_cursor })).signature).toBeUndefined()
  })

  test('is sealed into segments that say no more, and whose sets are empty', async () => {
    const { audience, feed } = await aSealed()
    const items = Array.from({ length: 4_096 }, () => w.item({ audience }, 'email'))
    for (let at = 0; at < items.length; at += 1_000) await w.submit(apple, items.slice(at, at + 1_000))
    await w.project()
    expect(await w.seal()).toBe(1)
    const given = await w.feeds.segment(w.reader(banana), feed, 1n)
    const chunks = Buffer.isBuffer(given.body) ? [given.body] : await Array.fromAsync(given.body)
    const text = brotliDecompressSync(Buffer.concat(chunks as Buffer[])).toString()
    const lines = text.trimEnd().split('\n')
    expect([lines.length, lines.every((line) => line.includes('"signal.sealed"'))]).toEqual([4_096, true])
    expect(nodeSigned(given.signature, { feed, from: 1n, to: 4_096n, digest: digestOf(text) })).toBe(true)
    expect(await readOf(banana, given.read)).toMatchObject({ n: 4_096, as_of: { feed, from: '1', to: '4096' } })

    const info = await w.divide().then(() => w.feeds.sealed.snapshot(w.reader(banana), audience))
    expect([info.bits, info.snapshot]).toEqual([3, '4096'])
    const key = sealedKey(token(items[17] as never), audience)
    const prefix = (((key.tag[0] ?? 0) >>> 5) & 7).toString(16)
    const asked = { audience, snapshot: 4_096n, prefix, purpose }
    const bucket = await w.feeds.sealed.bucket(w.reader(banana, LOOKUP), asked)
    expect(bucket.body).toHaveLength(info.entries * ENTRY_BYTES)
    expect(entriesIn(bucket.body).flatMap((entry) => key.open('spring', entry)?.signal ?? [])).toEqual([
      items[17]?.signal,
    ])
  })
})

const entriesIn = (body: Buffer): Buffer[] =>
  Array.from({ length: body.length / ENTRY_BYTES }, (_, i) => body.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES))

describe('a signal that is opened', () => {
  test('comes as its source signed it, with what proves it, and its source is told', async () => {
    const { audience } = await aSealed()
    const item = w.item({ audience }, 'email')
    await w.submit(apple, [item])
    await w.project()
    const { answer, read } = await open(banana, audience, item.signal)
    expect(answer.events).toHaveLength(1)
    expect(answer.events[0]).toMatchObject({ source: 'apple', signal: item.signal, item: textOf(item) })
    expect(answer.submissions).toMatchObject([{ source: 'apple', count: 1 }])
    const told = await readOf(banana, read)
    expect(told).toMatchObject({ n: 1, purpose, source: { party: 'apple', n: 1 } })
  })

  test('is never one beyond the index that the answer names: while the projector has not said how far it is, it is busy', async () => {
    const { audience } = await aSealed()
    const item = w.item({ audience }, 'email')
    await w.submit(apple, [item])
    await w.integrate()
    await w.without('update on projector', 'aldis_projector', async () => {
      const projector = w.aProjector()
      await projector.round()
      await expect(projector.round()).rejects.toThrow()
      await expect(open(banana, audience, item.signal)).rejects.toMatchObject(refused('busy'))
    })
    await w.project()
    const { answer } = await open(banana, audience, item.signal)
    const { next_idx } = await w.t.owner.selectFrom('projector').select('next_idx').executeTakeFirstOrThrow()
    expect(answer).toMatchObject({ as_of: String(next_idx), events: [{ signal: item.signal }] })
  })
  test('is another’s as little as one that never was, whoever asks and for whatever', async () => {
    const { audience } = await aSealed()
    const full = await w.group('in-the-open', [apple, banana])
    const [item, shown] = [w.item({ audience }, 'email'), w.item({ audience: full.audience }, 'email')]
    const ended = w.item({ audience }, 'email')
    await w.submit(apple, [item, shown, ended])
    await w.withdraw(apple, ended.signal)
    await w.project()
    const told = async (by: Party, of: Uuid, signal: Uuid): Promise<unknown> =>
      open(by, of, signal).then(
        () => 'given',
        (error: Error) => ({ ...error, message: error.message }),
      )
    const never = await told(cherry, newId(w.now()), newId(w.now()))
    expect(never).toMatchObject(refused('not-found'))
    expect(await told(cherry, audience, item.signal)).toEqual(never)
    expect(await told(banana, audience, newId(w.now()))).toEqual(never)
    expect(await told(banana, audience, ended.signal)).toEqual(never)
    expect(await told(banana, full.audience, shown.signal)).toEqual(never)
    expect(await told(banana, audience, item.signal)).toBe('given')
    const snapshot = (by: Party, of: Uuid) =>
      w.feeds.sealed.snapshot(w.reader(by), of).catch((error: Error) => ({ ...error, message: error.message }))
    await w.divide()
    expect(await snapshot(banana, audience)).toMatchObject({ bits: 0 })
    expect(await snapshot(cherry, audience)).toEqual(never)
    expect(await snapshot(banana, full.audience)).toEqual(never)
  })

  test('is nobody’s any more who has left the audience', async () => {
    const slug = `sealed-${made + 1}`
    const { audience, feed } = await aSealed()
    const item = w.item({ audience }, 'email')
    await w.submit(apple, [item])
    await w.project()
    await w.divide()
    await w.regroup(slug, { leave: [banana] })
    const snapshot = w.feeds.sealed.snapshot(w.reader(banana), audience)
    await expect(snapshot).rejects.toMatchObject(refused('not-found'))
    await expect(open(banana, audience, item.signal)).rejects.toMatchObject(refused('not-found'))
    expect((await pageOf(banana, feed)).page.events).toHaveLength(1)
    // Behind the service the rows' own security says the same.
    const rows = await w.t.app.transaction().execute(async (tx) => {
      await sql.raw(`set local app.participant = '${banana.participant}'`).execute(tx)
      return [
        await tx.selectFrom('sealed_signal').select('seq').where('feed_id', '=', feed).execute(),
        await tx.selectFrom('sealed_bucket').select('prefix').where('feed_id', '=', feed).execute(),
      ]
    })
    expect(rows).toEqual([[], []])
  })

  test('is found by its key in no look-up, not even after it was in the open', async () => {
    const { audience, feed } = await aSealed()
    const full = await w.group(`was-open-${made}`, [apple, banana])
    const item = w.item({ audience: full.audience }, 'email')
    await w.submit(apple, [item])
    await w.project()
    const query = { type: 'email', profile: 'email/1@spring', keys: [item.value.token] }
    expect((await w.find(banana, [query])).matches).toHaveLength(1)
    await w.revise(apple, item, { audience })
    await w.project()
    expect((await w.find(banana, [query])).matches).toEqual([])
    expect((await pageOf(banana, feed)).page.events).toMatchObject([{ type: 'signal.sealed' }])
    expect((await open(banana, audience, item.signal)).answer.events).toHaveLength(1)
    await w.revise(apple, { ...item, audience }, { audience: full.audience })
    await w.project()
    expect((await w.find(banana, [query])).matches).toHaveLength(1)
    await expect(open(banana, audience, item.signal)).rejects.toMatchObject(refused('not-found'))
  })
})

describe('the buckets of a sealed audience', () => {
  test('are made at once where there are none or empty ones, and anew when those that stand have stood for a while', async () => {
    const buckets = w.someBuckets({ restMs: 30_000 })
    const { audience } = await aSealed()
    const newest = async () => (await w.feeds.sealed.snapshot(w.reader(banana), audience)).snapshot
    expect(await buckets.round()).toBeGreaterThan(0)
    expect(await newest()).toBe('0')
    const item = w.item({ audience }, 'email')
    await w.submit(apple, [item])
    await w.project()
    await buckets.round()
    expect(await newest()).toBe('1')
    await w.submit(apple, [w.item({ audience }, 'email')])
    await w.project()
    w.pass(29_999)
    await buckets.round()
    expect(await newest()).toBe('1')
    w.pass(1)
    await buckets.round()
    expect(await newest()).toBe('2')
    await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'subject_request' })
    await expect(newest()).rejects.toMatchObject(refused('busy'))
    await buckets.round()
    expect(await newest()).toMatch(/^\d+$/)
  })
  test('are made anew when it has grown, and those told last still stand', async () => {
    const { audience } = await aSealed()
    const first = w.feeds.sealed.snapshot(w.reader(banana), audience)
    await expect(first).rejects.toMatchObject({ code: 'busy', retryAfter: 4 })
    const bucket = (snapshot: bigint, prefix = '0') =>
      w.feeds.sealed.bucket(w.reader(banana, LOOKUP), { audience, snapshot, prefix, purpose })
    await w.divide()
    expect(await w.feeds.sealed.snapshot(w.reader(banana), audience)).toMatchObject({ snapshot: '0', entries: 0 })
    expect(await bucket(0n)).toMatchObject({ read: '' })
    for (const n of [1, 2]) {
      await w.submit(apple, [w.item({ audience }, 'email')])
      await w.project()
      await w.divide()
      const { snapshot } = await w.feeds.sealed.snapshot(w.reader(banana), audience)
      expect(snapshot).toBe(String(n))
      expect(entriesIn((await bucket(BigInt(n))).body)).toHaveLength(n)
    }
    expect(entriesIn((await bucket(1n)).body)).toHaveLength(1)
    for (const [snapshot, prefix] of [[0n], [3n], [2n, '1'], [2n, '00']] as const)
      await expect(bucket(snapshot, prefix)).rejects.toMatchObject(refused('not-found'))
    const before = await w.t.owner.selectFrom('sealed_snapshot').selectAll().execute()
    await w.divide()
    expect(await w.t.owner.selectFrom('sealed_snapshot').selectAll().execute()).toEqual(before)
  })

  test('are read as a number of entries, of whatever key', async () => {
    const { audience } = await aSealed()
    await w.submit(apple, [w.item({ audience }, 'email'), w.item({ audience }, 'email')])
    await w.project()
    await w.divide()
    const asked = { audience, snapshot: 2n, prefix: '0', purpose }
    const { read, digest } = await w.feeds.sealed.bucket(w.reader(banana, LOOKUP), asked)
    const told = await readOf(banana, read)
    expect(told).toMatchObject({ n: 2, purpose, as_of: { audience, snapshot: '2' } })
    expect(toHex(Buffer.from(String(told['body']), 'base64url'))).toBe(digest)
    expect(Object.keys(told)).not.toContain('source')
    expect(Object.keys(told)).not.toContain('asked')
  })

  test('are not made of more entries than are read at once: such an audience is for mirrors', async () => {
    const { audience } = await aSealed()
    await w.submit(apple, [w.item({ audience }, 'email'), w.item({ audience }, 'email')])
    await w.project()
    await w.divide(1)
    await expect(w.feeds.sealed.snapshot(w.reader(banana), audience)).rejects.toMatchObject(refused('mirror-only'))
    const asked = { audience, snapshot: 2n, prefix: '0', purpose }
    await expect(w.feeds.sealed.bucket(w.reader(banana, LOOKUP), asked)).rejects.toMatchObject(refused('not-found'))
  })

  test('are no longer than a client takes: an audience that needs a longer one is for mirrors', async () => {
    expect(BUCKET_WIDTH_MAX * ENTRY_BYTES).toBeLessThanOrEqual(ANSWER_MAX)
    const { audience } = await aSealed()
    const { value } = w.item({ audience }, 'email')
    await w.submit(
      apple,
      [1, 2, 3].map(() => w.item({ audience, value }, 'email')),
    )
    await w.project()
    await w.someBuckets({ widest: 2 }).round()
    await expect(w.feeds.sealed.snapshot(w.reader(banana), audience)).rejects.toMatchObject(refused('mirror-only'))
    await w.submit(apple, [w.item({ audience }, 'email')])
    await w.project()
    await w.someBuckets({ widest: 4 }).round()
    expect(await w.feeds.sealed.snapshot(w.reader(banana), audience)).toMatchObject({ bits: 0, entries: 4 })
  })
})

test('what has no match key is refused in a sealed audience by its name', async () => {
  const { audience } = await aSealed()
  for (const type of ['keyword_pattern', 'tactic', 'relation'] as const) {
    const { results } = await w.submit(apple, [w.item({ audience }, type)])
    expect(results, type).toMatchObject([{ status: 422, code: 'audience-sealed', pointer: '/audience' }])
  }
  for (const type of ['url', 'domain', 'email', 'media_hash'] as const)
    expect((await w.submit(apple, [w.item({ audience }, type)])).accepted, type).toBe(1)
})
