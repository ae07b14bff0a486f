import { statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant, atFeed } from '../../src/db/as-participant.ts'
import { sweepSegments } from '../../src/feeds/erase.ts'
import { createSegmentFiles } from '../../src/feeds/segment-files.ts'
import { insertSegment } from '../../src/feeds/segment-store.ts'
import { toBase64Url } from '../../src/kernel/bytes.ts'
import { encodeCursor } from '../../src/kernel/cursor.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { ERASURE_TARGETS_MAX } from '../../src/participants/schema.ts'
import { createHolds } from '../../src/signals/hold.ts'
import { aWorld, type Party, type World } from '../feeds/world.ts'
import { DAY } from '../signals/factory.ts'

let w: World
let apple: Party
let banana: Party
let cherry: Party
let everybody: Uuid
let feed: Uuid
beforeAll(async () => {
  w = await aWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  await w.authority.refresh()
  everybody = w.authority.audiencesOf(apple.participant).find(({ kind }) => kind === 'programme')?.audience_id as Uuid
  feed = w.authority.feedOf(everybody)
})
afterAll(() => w.end())

const erase = (signals: readonly Uuid[], participant = 'apple') =>
  w.decide('signals.erase', { participant, signals: [...signals], basis: 'subject_request' }) as Promise<{
    event: Uuid
    notified: number
  }>
const shared = async (n = 1, audience = everybody) => {
  const items = Array.from({ length: n }, () => w.item({ audience, note: 'a note that is to go' }))
  await w.submit(apple, items)
  await w.project()
  return items
}
/** Every event of a feed, read as the owner. */
const eventsOf = async (signal: Uuid): Promise<Record<string, unknown>[]> => {
  const rows = await w.t.owner
    .selectFrom('feed_entry')
    .select(['feed_id', 'seq', 'body'])
    .where('signal_id', '=', signal)
    .orderBy('seq')
    .execute()
  return rows.map(({ body, ...row }) => ({ ...row, ...(JSON.parse(body) as Record<string, unknown>) }))
}
const keyOf = async (signal: Uuid): Promise<string> => {
  const row = await w.t.owner
    .selectFrom('signal')
    .select('signal_key')
    .where('signal_id', '=', signal)
    .executeTakeFirst()
  return row?.signal_key.toString('hex') ?? ''
}
/** Held and let go again: feeds have its text once more. */
const heldOnce = async (signal: Uuid): Promise<void> => {
  const { participant, slug } = apple
  const holds = createHolds(w.provenance)
  const of = { participant, slug, signal, now: w.now() }
  await asParticipant(w.t.app, participant, (tx) => holds.hold(tx, { ...of, dispute: undefined }))
  await asParticipant(w.t.app, participant, (tx) => holds.release(tx, of))
  w.pass(1_000)
  await w.project()
}
const headOf = () =>
  w.t.owner.selectFrom('feed_head').select('erasures').where('feed_id', '=', feed).executeTakeFirstOrThrow()
const saltOf = async (signal: Uuid): Promise<string> => {
  const { salt } = await w.t.owner
    .selectFrom('signal_revision')
    .select('salt')
    .where('signal_id', '=', signal)
    .executeTakeFirstOrThrow()
  return toBase64Url(salt ?? Buffer.alloc(0))
}
/** Whether a text stands in any row of any table, as text or as hex. */
async function anywhere(text: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(
    w.t.owner,
  )
  const found: string[] = []
  for (const { name } of rows) {
    const { rows: hits } = await sql<{ n: bigint }>`
      select count(*) as n from ${sql.table(name)} as t where t::text like ${`%${text}%`}`.execute(w.t.owner)
    if (Number(hits[0]?.n) > 0) found.push(name)
  }
  return found
}

describe('an erasure that two persons decided', () => {
  test('leaves of every revision a stub that holds neither text nor salt, and of the match key nothing', async () => {
    const item = w.item({ audience: everybody, note: 'the first note' })
    await w.submit(apple, [item])
    w.pass(1_000)
    await w.revise(apple, item, { note: 'another note' })
    w.pass(1_000)
    await w.project()
    const key = await keyOf(item.signal)
    const rows = () =>
      w.t.owner
        .selectFrom('signal_revision')
        .selectAll()
        .where('signal_id', '=', item.signal)
        .orderBy('revision')
        .execute()
    const salts = (await rows()).map(({ salt }) => salt?.toString('hex') ?? '')
    const leaf = (await w.own(apple, item.signal)).leaf
    const { event, notified } = await erase([item.signal])
    expect(notified).toBe(0)
    expect((await rows()).map(({ salt, item: text }) => [salt, Object.keys(JSON.parse(text)).sort()])).toEqual(
      [1, 2].map(() => [null, ['audience', 'category', 'expires_at', 'leaf', 'revision', 'signal', 'type', 'v']]),
    )
    const signal = await w.t.owner
      .selectFrom('signal')
      .selectAll()
      .where('signal_id', '=', item.signal)
      .executeTakeFirst()
    expect(signal).toMatchObject({ state: 5, last_event: event, signal_key: Buffer.alloc(32), revision: 2 })
    expect((await w.own(apple, item.signal)).leaf).toBe(leaf)
    for (const gone of [key, ...salts, 'the first note', 'another note']) expect(await anywhere(gone)).toEqual([])
  })

  test('takes the bytes out of the feed in their places, and ends the signal there once the log has it', async () => {
    const [item, other] = await shared(2)
    if (item === undefined || other === undefined) throw new Error('two items')
    const before = await eventsOf(item.signal)
    const { event } = await erase([item.signal])
    const after = await eventsOf(item.signal)
    expect(after).toEqual(
      before.map(({ index: _, salt: __, item: ___, path: ____, ...rest }) => ({ ...rest, reason: 'erased' })),
    )
    await w.project()
    const [, end, ...more] = await eventsOf(item.signal)
    expect(end).toMatchObject({ type: 'signal.erased', reason: 'erased', signal: item.signal, event, source: 'apple' })
    expect(more).toEqual([])
    expect(await eventsOf(other.signal)).toMatchObject([{ item: expect.any(String) }])
  })

  test('also where the end of a hold said them again, each time, and asks whoever read only that', async () => {
    const dill = await w.admit('dill')
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    const salt = await saltOf(item.signal)
    await heldOnce(item.signal)
    await heldOnce(item.signal)
    expect((await eventsOf(item.signal)).filter((one) => 'item' in one)).toHaveLength(3)
    const released = (await eventsOf(item.signal)).at(-1)
    const cursor = encodeCursor(w.cursorKey, { feed, seq: BigInt(String(released?.['seq'])) - 1n })
    expect((await w.page(dill, feed, { cursor })).events).toMatchObject([{ item: expect.any(String) }])
    w.pass(1_000)
    await w.revise(apple, item, { note: 'another note' })
    await w.project()
    const { event, notified } = await erase([item.signal])
    const events = await eventsOf(item.signal)
    expect(events.map(({ type, reason }) => [type, reason])).toEqual([
      ['signal.created', 'erased'],
      ['signal.held', 'disputed'],
      ['signal.released', 'erased'],
      ['signal.held', 'disputed'],
      ['signal.released', 'erased'],
      ['signal.revised', 'erased'],
    ])
    for (const gone of [salt, item.value.sha256]) expect(await anywhere(gone)).toEqual([])
    expect(notified).toBe(1)
    // What a record said of the submission goes; an end of a hold has nothing of it.
    expect(((await w.opened(event))['targets'] as unknown[]).length).toBe(4)
  })

  test('puts a tombstone into the feed of every audience that held it', async () => {
    const berries = await w.group('berries', [apple, banana])
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    w.pass(1_000)
    await w.revise(apple, item, { audience: berries.audience })
    w.pass(1_000)
    await w.project()
    await erase([item.signal])
    await w.project()
    const ends = (await eventsOf(item.signal)).filter((one) => one['type'] === 'signal.erased')
    expect(ends.map((one) => one['feed']).sort()).toEqual([feed, berries.feed].sort())
    expect((await eventsOf(item.signal)).filter((one) => 'item' in one)).toEqual([])
  })

  test('makes look-ups find it no more at once', async () => {
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    const queries = [{ type: 'url', profile: 'url/1', keys: [await keyOf(item.signal)] }]
    expect((await w.find(banana, queries)).matches).toHaveLength(1)
    await erase([item.signal])
    expect((await w.find(banana, queries)).matches).toEqual([])
    expect((await w.find(apple, queries)).matches).toEqual([])
    await w.project()
    expect((await w.find(banana, queries)).matches).toEqual([])
  })

  test('is an entry that names what it took out of records, how many and whom it asks', async () => {
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    await w.page(banana, feed)
    const submission = (await eventsOf(item.signal))[0]?.['event'] as Uuid
    expect(await w.opened(submission)).toMatchObject({ region: { DE: 1 }, basis: expect.anything() })
    const { event, notified } = await erase([item.signal])
    expect(notified).toBe(1)
    const left = await w.opened(submission)
    expect(Object.keys(left)).not.toContain('region')
    expect(Object.keys(left)).not.toContain('basis')
    expect(left).toMatchObject({ type: 'signal.submitted', n: 1, types: { url: 1 } })
    const told = await w.opened(event)
    const { idx } = await w.t.owner
      .selectFrom('log_event')
      .select('idx')
      .where('event_id', '=', submission)
      .executeTakeFirstOrThrow()
    expect(told).toMatchObject({ kind: 'erasure', subject: 'apple', actor: 'node', n: 1, notified: 1 })
    expect(told).toMatchObject({ basis: 'subject_request', types: { url: 1 }, approval: expect.any(String) })
    expect((told['targets'] as [string, string][]).map(([at]) => at)).toEqual([String(idx), String(idx)])
  })

  test('also of what has ended: withdrawn and expired signals', async () => {
    const [taken, old] = await shared(2)
    if (taken === undefined || old === undefined) throw new Error('two items')
    w.pass(1_000)
    await w.withdraw(apple, taken.signal)
    w.pass(31 * DAY)
    await w.expire(apple.participant, 'apple')
    await w.project()
    await erase([taken.signal, old.signal])
    await w.project()
    for (const signal of [taken.signal, old.signal]) {
      const events = await eventsOf(signal)
      expect(events.at(-1)).toMatchObject({ type: 'signal.erased' })
      expect(events.filter((one) => 'item' in one)).toEqual([])
    }
  })
})

describe('an erasure is refused', () => {
  test('of a signal of somebody else, of none, and of one that was erased', async () => {
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    await expect(erase([item.signal], 'banana')).rejects.toMatchObject({ code: 'not-found' })
    await expect(erase([newId(w.now())])).rejects.toMatchObject({ code: 'not-found' })
    await expect(erase([item.signal], 'nobody')).rejects.toMatchObject({ code: 'not-found' })
    await erase([item.signal])
    await expect(erase([item.signal])).rejects.toMatchObject({ code: 'signal-ended' })
  })
  test('while feeds have not followed the log: what is on its way would come into them afterwards', async () => {
    const item = w.item({ audience: everybody })
    await w.submit(apple, [item])
    await expect(erase([item.signal])).rejects.toMatchObject({ code: 'log-behind' })
    await w.project()
    await erase([item.signal])
  })
  test('of more than a hundred signals, and with a reason that is no code', async () => {
    const signals = Array.from({ length: 101 }, () => newId(w.now()))
    const propose = (change: object) =>
      w.participants.propose('signals.erase', { participant: 'apple', basis: 'order', ...change }, w.ada)
    await expect(propose({ signals })).rejects.toMatchObject({ code: 'validation-failed' })
    await expect(propose({ signals: [] })).rejects.toMatchObject({ code: 'validation-failed' })
    await expect(propose({ signals: signals.slice(1), basis: 'A person asked' })).rejects.toMatchObject({
      code: 'validation-failed',
    })
    await expect(propose({ signals: signals.slice(1), basis: 'b'.repeat(64) })).rejects.toMatchObject({
      code: 'validation-failed',
    })
    await propose({ signals: signals.slice(1) })
  })
  test('of several signals whose entry would outgrow its receipt; one of them alone goes, whatever it takes', async () => {
    const [one, other] = await shared(2)
    if (one === undefined || other === undefined) throw new Error('two items')
    for (let i = 0; i <= ERASURE_TARGETS_MAX / 2; i++) {
      await w.revise(apple, one, { note: `note ${i}` })
      w.pass(10)
    }
    w.pass(1_000)
    await w.project()
    await expect(erase([one.signal, other.signal])).rejects.toMatchObject({
      code: 'validation-failed',
      extra: { limit: ERASURE_TARGETS_MAX },
    })
    expect(await eventsOf(other.signal)).toMatchObject([{ item: expect.any(String) }])
    await erase([other.signal])
    const { event } = await erase([one.signal])
    expect((await w.opened(event))['targets']).toHaveLength(ERASURE_TARGETS_MAX + 2)
  })
  test('with all of its work, if one person alone wants it', async () => {
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    const payload = { participant: 'apple', signals: [item.signal], basis: 'order' }
    const { request_id } = await w.participants.propose('signals.erase', payload, w.ada)
    await expect(w.participants.execute(request_id, w.ada)).rejects.toMatchObject({ code: 'approval-missing' })
    expect(await eventsOf(item.signal)).toMatchObject([{ item: expect.any(String) }])
  })
})

describe('whoever the log names', () => {
  const last = async (): Promise<string> => {
    const head = await w.t.owner
      .selectFrom('feed_head')
      .select('next_seq')
      .where('feed_id', '=', feed)
      .executeTakeFirst()
    return String((head?.next_seq ?? 1n) - 1n)
  }

  test('is asked, and the answers are counted: removed, cannot be, none, and nobody there any more', async () => {
    const date = await w.admit('date')
    await w.authority.refresh()
    const readers = [banana, cherry, date]
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    for (const by of readers) {
      const { feeds } = await w.feeds.feeds(w.reader(by))
      const cursor = feeds.find((one) => one.feed === feed)?.start ?? ''
      for (let at = cursor, more = true; more; ) {
        const page = await w.page(by, feed, { cursor: at })
        at = page.next_cursor
        more = page.more
      }
    }
    const { event, notified } = await erase([item.signal])
    expect(notified).toBe(3)
    const told = async () => (await w.erasures.list()).find((one) => one.event === event)
    expect(await told()).toMatchObject({ notified: 3, signals: 1, missing: ['banana', 'cherry', 'date'] })
    await w.project()
    const upto = await last()
    await w.feeds.acknowledge(w.reader(banana), feed, { upto, stage: 'mirror_removed' })
    await w.feeds.acknowledge(w.reader(cherry), feed, { upto, stage: 'client_cannot_remove' })
    await w.decide('participant.offboard', { participant: 'date', reason: 'contract_ended' })
    await w.authority.refresh()
    expect(await told()).toMatchObject({
      ...{ source: 'apple', basis: 'subject_request', acknowledged: ['banana'], cannot_remove: ['cherry'] },
      ...{ missing: [], unreachable: ['date'] },
    })
  })

  test('by a look-up alone is asked too; who obtained only something else is not', async () => {
    const [item, other] = await shared(2)
    if (item === undefined || other === undefined) throw new Error('two items')
    const find = async (by: Party, signal: Uuid) =>
      w.find(by, [{ type: 'url', profile: 'url/1', keys: [await keyOf(signal)] }])
    await find(banana, item.signal)
    await find(cherry, other.signal)
    const { event } = await erase([item.signal])
    const rows = await w.t.owner
      .selectFrom('erasure_notice')
      .select('participant_id')
      .where('event_id', '=', event)
      .execute()
    expect(rows.map(({ participant_id }) => participant_id)).toEqual([banana.participant])
  })
})

describe('while who is to be asked is being found out', () => {
  /** Holds a lock while the work goes on. */
  const locking = (statement: string, work: () => Promise<void>): Promise<void> =>
    w.t.owner.transaction().execute(async (tx) => {
      await sql.raw(statement).execute(tx)
      await work()
    })
  /** The transaction of an administrator that waits for a lock, once there is one. */
  const waiting = async (): Promise<unknown> => {
    const found = async () =>
      (
        await sql<{ pid: number; since: string }>`select pid, xact_start::text as since from pg_stat_activity
          where datname = current_database() and usename = 'aldis_admin' and wait_event_type = 'Lock'`.execute(
          w.t.owner,
        )
      ).rows
    await expect.poll(found, { interval: 10, timeout: 10_000 }).toHaveLength(1)
    return (await found())[0]
  }
  const asked = async (event: Uuid) =>
    (await w.t.owner.selectFrom('erasure_notice').select('participant_id').where('event_id', '=', event).execute()).map(
      ({ participant_id }) => participant_id,
    )

  test('whoever reads the value then is asked too', async () => {
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    const key = await keyOf(item.signal)
    const row = `select 1 from prov_record where participant_id = '${apple.participant}' for update`
    let erasing: ReturnType<typeof erase> | undefined
    await locking(row, async () => {
      erasing = erase([item.signal])
      await waiting()
      await w.find(banana, [{ type: 'url', profile: 'url/1', keys: [key] }])
    })
    expect(await asked((await erasing)?.event as Uuid)).toEqual([banana.participant])
  })

  test('a participant is suspended at once', async () => {
    const elder = await w.admit('elder')
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    let erasing: ReturnType<typeof erase> | undefined
    await locking('lock table read_journal in access exclusive mode', async () => {
      erasing = erase([item.signal])
      const scan = await waiting()
      await w.participants.suspend(w.ada, { participant: elder.slug, reason: 'key_theft' })
      expect(await waiting()).toEqual(scan)
    })
    await erasing
  })
})

describe('a database that is an older one', () => {
  test('is told of what was erased since, by the list beside the anchor', async () => {
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    // As a restore leaves it: the list knows, the database does not.
    w.listed.note({ v: 1, request: newId(w.now()), participant: 'apple', signals: [item.signal], basis: 'order' })
    expect(await w.erasures.replay()).toBe(1)
    expect((await eventsOf(item.signal)).filter((one) => 'item' in one)).toEqual([])
    expect(await anywhere(item.value.sha256)).toEqual([])
    expect(await w.erasures.replay()).toBe(0)
    await w.project()
    expect((await eventsOf(item.signal)).at(-1)).toMatchObject({ type: 'signal.erased' })
  })
  test('also of what was on its way into feeds: a stub comes there', async () => {
    const item = w.item({ audience: everybody })
    await w.submit(apple, [item])
    w.listed.note({ v: 1, request: newId(w.now()), participant: 'apple', signals: [item.signal], basis: 'order' })
    expect(await w.erasures.replay()).toBe(1)
    await w.project()
    expect(await eventsOf(item.signal)).toMatchObject([
      { type: 'signal.created', reason: 'erased' },
      { type: 'signal.erased', reason: 'erased' },
    ])
    expect(await anywhere(item.value.sha256)).toEqual([])
  })
  test('has its request carried out with it, and does nothing where that was taken back or rejected since', async () => {
    const items = await shared(3)
    const [done, taken, denied] = await Promise.all(
      items.map(async ({ signal }) => {
        const payload = { participant: 'apple', signals: [signal], basis: 'order' }
        const { request_id } = await w.participants.propose('signals.erase', payload, w.ada)
        w.listed.note({ v: 1, request: request_id, ...payload })
        return request_id
      }),
    )
    if (done === undefined || taken === undefined || denied === undefined) throw new Error('three requests')
    await w.participants.approve(done, w.ben, w.now())
    await w.participants.cancel(taken, w.ada)
    await w.participants.reject(denied, w.ben, w.now())
    expect(await w.recorded(() => w.erasures.replay())).toEqual(['approval.executed', 'erasure'])
    const standing = async (request: Uuid) => (await w.participants.requestFor(w.ada, request))?.standing
    expect(await Promise.all([done, taken, denied].map(standing))).toEqual(['executed', 'cancelled', 'rejected'])
    const events = await Promise.all(items.map(({ signal }) => eventsOf(signal)))
    expect(events.map((some) => some.some((one) => 'item' in one))).toEqual([false, true, true])
    expect(await w.erasures.replay()).toBe(0)
  })
  test('of a release that left erased items at the ends of holds loses them at the start, and tells of nothing anew', async () => {
    const [item] = await shared()
    if (item === undefined) throw new Error('an item')
    await heldOnce(item.signal)
    const { seq, feed_id } = (await eventsOf(item.signal)).at(-1) as { seq: bigint; feed_id: Uuid }
    const place = () =>
      w.t.owner.selectFrom('feed_entry').select('body').where('feed_id', '=', feed_id).where('seq', '=', BigInt(seq))
    const { body } = await place().executeTakeFirstOrThrow()
    await erase([item.signal])
    const erased = await place().executeTakeFirstOrThrow()
    await w.t.owner
      .updateTable('feed_entry')
      .set({ body })
      .where('feed_id', '=', feed_id)
      .where('seq', '=', BigInt(seq))
      .execute()
    expect(await w.recorded(() => w.erasures.replay())).toEqual([])
    expect(await place().executeTakeFirstOrThrow()).toEqual(erased)
    const { erasures } = await headOf()
    await w.erasures.replay()
    expect(await headOf()).toEqual({ erasures })
  })
  test('finds every erasure of its own on the list, also where the list was lost', async () => {
    const known = await w.t.owner.selectFrom('erasure').select('request_id').execute()
    await w.erasures.replay()
    const listed = new Set(w.listed.all().map(({ request }) => request))
    expect(known.filter(({ request_id }) => !listed.has(request_id))).toEqual([])
  })
  test('writes nothing of what the list has', async () => {
    const folder = join(w.folder, 'anchor', 'erasures')
    await erase((await shared()).map(({ signal }) => signal))
    await w.erasures.replay()
    utimesSync(folder, 0, 0)
    await w.erasures.replay()
    expect(statSync(folder).mtimeMs).toBe(0)
  })
})

describe('a sealed segment', () => {
  test('is made anew without the bytes, and the file of the old one removed', async () => {
    const group = await w.group('plums', [apple, banana])
    const [item] = await shared(1, group.audience)
    if (item === undefined) throw new Error('an item')
    await sql`
      with head as (select feed_id, next_seq from feed_head where feed_id = ${group.feed} for update), event as (
        insert into feed_entry (feed_id, seq, log_idx, kind, origin, signal_id, revision, submission_id, body)
        select feed_id, next_seq + i, 1000000 + i, 4, ${apple.participant}::uuid, gen_random_uuid(), 1, gen_random_uuid(), '{}'
        from head, generate_series(0, 4094) i)
      update feed_head h set next_seq = h.next_seq + 4095 from head where h.feed_id = head.feed_id`.execute(w.t.owner)
    expect(await w.seal()).toBe(1)
    const segments = () => w.t.owner.selectFrom('feed_segment').selectAll().where('feed_id', '=', group.feed).execute()
    const [before] = await segments()
    if (before === undefined) throw new Error('a segment')
    const files = createSegmentFiles({ dir: `${w.folder}/swept`, maxBytes: 1e9, onError: () => {} })
    await files.open({ digest: before.digest, size: before.bytes.length }, async () => before.bytes)
    await files.close()
    expect(await sweepSegments(w.t.projector, files)).toBe(0)
    await erase([item.signal])
    const [after, ...more] = await segments()
    expect(more).toEqual([])
    expect(after).toMatchObject({ generation: 1, n: 4096, sets: before.sets, set_salt: before.set_salt })
    expect(after?.digest).not.toEqual(before.digest)
    expect(await sweepSegments(w.t.projector, files)).toBe(1)
  })
  test('that was being made while an erasure came is not kept', async () => {
    const group = await w.group('figs', [apple, banana])
    const [item] = await shared(1, group.audience)
    if (item === undefined) throw new Error('an item')
    const head = () =>
      w.t.owner
        .selectFrom('feed_head')
        .select(['erasures', 'sealed_seq'])
        .where('feed_id', '=', group.feed)
        .executeTakeFirstOrThrow()
    const { erasures } = await head()
    const bytes = Buffer.from('read before')
    const row = {
      feed_id: group.feed,
      first_seq: 1n,
      generation: 0,
      n: 1,
      digest: bytes,
      set_salt: bytes,
      sets: '[]',
      bytes,
    }
    await erase([item.signal])
    await atFeed(w.t.projector, group.feed, (tx) => insertSegment(tx, row, erasures))
    expect(await head()).toEqual({ erasures: erasures + 1n, sealed_seq: 0n })
    const kept = await w.t.owner.selectFrom('feed_segment').select('n').where('feed_id', '=', group.feed).execute()
    expect(kept).toEqual([])
  })
})
