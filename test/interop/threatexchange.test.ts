import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { descriptorId, numberOf } from '../../src/interop/threatexchange/numbers.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { sha } from '../signals/factory.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { aForeignBridge, type ForeignBridge } from './bridge.ts'
import { expectPython, foreignClient, missingPython, needsPython, type Told } from './python.ts'

interface Fetched {
  pages: number[]
  time: number
  records: Record<string, { is_mine: boolean; category: string; tags: string[]; descriptor: string }[]>
  signals: Record<string, string[]>
}

const SCOPES = [
  'signals:submit',
  'signals:withdraw',
  'feed:read',
  'lookup:evaluate',
  'feedback:write',
  'provenance:read',
] as const
const pdq = (n: number): string => sha(`finch ${n}`)
const MANY = 1_000
const LOTS = 2_100
let n: TestNode
let apple: Member
let banana: Member
let cherry: Member
let pair: Uuid
let empty: Uuid
let b: ForeignBridge
const client = foreignClient('threatexchange_client.py')

beforeAll(async () => {
  if (missingPython !== '') return void process.stderr.write(`skipped: ${missingPython}\n`)
  n = await aTestNode()
  apple = await n.member('apple')
  cherry = await n.member('cherry')
  banana = await n.member('banana', { scopes: SCOPES })
  pair = await apple.audience('two-of-us', 'banana', 'cherry')
  empty = await apple.audience('nothing-yet', 'banana')
  const one = (await apple.item({ type: 'media_hash', algorithm: 'pdq', hash: pdq(0) }, pair)) as SignalItem
  const all = Array.from({ length: LOTS }, (_, i) => {
    const value = { algorithm: 'pdq', hash: pdq(i) }
    return { ...one, signal: newId(new Date()), value }
  })
  for (let i = 0; i < LOTS; i += MANY) await apple.client.submit(await apple.sign(all.slice(i, i + MANY)))
  await settled(pair, LOTS)
  b = await aForeignBridge(banana, { category: 'grooming', context: 'IE/terms_of_service/public' })
})
afterAll(async () => {
  await client.end()
  await b?.end()
  await n?.end()
})

async function settled(audience: Uuid, entries: number): Promise<void> {
  const count = async (): Promise<number> => {
    const { rows } = await sql<{ n: bigint }>`select count(*) as n from feed_entry e join feed f using (feed_id)
      where f.audience_id = ${audience}::uuid`.execute(n.t.owner)
    return Number(rows[0]?.n)
  }
  while ((await count()) < entries) await new Promise((resolve) => setTimeout(resolve, 20))
  await b?.synced()
}

const groupOf = async (audience: Uuid): Promise<number> => {
  const { feeds } = await banana.client.feeds()
  return Number(numberOf('group', feeds.find((feed) => feed.audience === audience)?.feed ?? ''))
}
const answer = <T>({ answer: given, ...told }: Told): T => {
  expect(told).toEqual({})
  return given as T
}
const fetched = async (audience: Uuid, fresh = false): Promise<Fetched> =>
  answer(await client.call('fetch', { at: b.at, group: await groupOf(audience), fresh }))

async function submit(member: Member, line: Parameters<Member['item']>[0], audience: Uuid): Promise<SignalItem> {
  const item = await member.item(line, audience)
  await member.client.submit(await member.sign([item]))
  return item
}

async function withdraw(member: Member, { signal, revision }: SignalItem): Promise<void> {
  const { leaf } = await member.client.own(signal)
  const item = { v: 1, signal, revision: revision + 1, prev: leaf, reason: 'mistaken' }
  await member.client.submit(await member.sign([item], 'aldis-withdrawal+jws'))
}

test('the client is there where it counts', expectPython)

describe('the exchange client of ThreatExchange', { shuffle: false }, () => {
  let entries = LOTS

  test('finds its groups', async (context) => {
    needsPython(context)
    const { member, ...rest } = answer<{ member: { id: number; name: string }[] }>(
      await client.call('groups', { at: b.at }),
    )
    expect(rest).toEqual({ owner: 0, same: true })
    expect(member).toContainEqual({ id: await groupOf(pair), name: 'two-of-us' })
  })

  test('fetches all of more than two thousand records, page by page, and then nothing new', async (context) => {
    needsPython(context)
    const first = await fetched(pair, true)
    expect(first.pages).toEqual(Array.from({ length: LOTS / 100 }, () => 100))
    expect(Object.keys(first.records)).toHaveLength(LOTS)
    expect(first.signals['pdq']).toHaveLength(LOTS)
    expect(first.records[`HASH_PDQ ${pdq(7)}`]).toMatchObject([
      {
        is_mine: false,
        category: 'INVESTIGATION_SEED',
        tags: ['aldis_category:grooming', 'aldis_context:IE/terms_of_service/public'],
      },
    ])
    const again = await fetched(pair)
    expect(again.time).toBe(first.time)
    expect(Object.keys(again.records)).toHaveLength(LOTS)
  })

  test('takes a group with nothing in it for what it is', async (context) => {
    needsPython(context)
    const { records, pages } = await fetched(empty, true)
    expect([records, pages]).toEqual([{}, [1]])
  })

  test('hears of what came, of a second owner of a value, and of each end', async (context) => {
    needsPython(context)
    const start = await fetched(pair, true)
    const own = await submit(banana, { type: 'media_hash', algorithm: 'video_md5', hash: 'ab'.repeat(16) }, pair)
    const mine = await submit(apple, { type: 'media_hash', algorithm: 'pdq', hash: pdq(9_001) }, pair)
    const theirs = await submit(cherry, { type: 'media_hash', algorithm: 'pdq', hash: pdq(9_001) }, pair)
    entries += 3
    await settled(pair, entries)
    const key = `HASH_PDQ ${pdq(9_001)}`
    const delta = await fetched(pair)
    expect(delta.time).toBeGreaterThan(start.time)
    expect(delta.records[key]).toHaveLength(2)
    expect(delta.records[`HASH_VIDEO_MD5 ${'ab'.repeat(16)}`]).toMatchObject([
      { is_mine: true, descriptor: descriptorId(own.signal) },
    ])
    expect(delta.signals['video_md5']).toEqual(['ab'.repeat(16)])
    await withdraw(apple, mine)
    entries += 1
    await settled(pair, entries)
    expect((await fetched(pair)).records[key]).toMatchObject([{ descriptor: descriptorId(theirs.signal) }])
    await withdraw(cherry, theirs)
    entries += 1
    await settled(pair, entries)
    const gone = await fetched(pair)
    expect(gone.records).not.toHaveProperty([key])
    expect(gone.signals['pdq']).toHaveLength(LOTS)
    // Who begins now never hears of it.
    expect(Object.keys((await fetched(pair, true)).records)).toHaveLength(LOTS + 1)
  })

  test('submits, which arrives signed, and takes it back', async (context) => {
    needsPython(context)
    const told = answer<{ success: boolean; id: string }>(
      await client.call('submit', {
        ...{ at: b.at, indicator: pdq(9_000).toUpperCase(), type: 'HASH_PDQ', description: 'a name that nobody needs' },
        ...{ share_level: 'AMBER', status: 'MALICIOUS', privacy_type: 'HAS_PRIVACY_GROUP', severity: 'SEVERE' },
        ...{ privacy_members: String(await groupOf(pair)), tags: 'aldis_category:sextortion_financial' },
      }),
    )
    expect(told).toMatchObject({ success: true, id: expect.stringMatching(/^[0-9]+$/) })
    entries += 1
    await settled(pair, entries)
    expect((await fetched(pair, true)).records[`HASH_PDQ ${pdq(9_000)}`]).toMatchObject([
      { is_mine: true, descriptor: told.id, tags: expect.arrayContaining(['aldis_category:sextortion_financial']) },
    ])
    expect(answer(await client.call('remove', { at: b.at, descriptor: told.id }))).toEqual({
      success: true,
      id: told.id,
    })
    entries += 1
    await settled(pair, entries)
    expect((await fetched(pair)).records).not.toHaveProperty([`HASH_PDQ ${pdq(9_000)}`])
  })

  test('reacts, which its source hears as feedback, and cannot take back what is on record', async (context) => {
    needsPython(context)
    const { records } = await fetched(pair, true)
    const [{ descriptor } = { descriptor: '' }] = records[`HASH_PDQ ${pdq(3)}`] ?? []
    expect(answer(await client.call('react', { at: b.at, descriptor, reaction: 'SAW_THIS_TOO' }))).toMatchObject({
      success: true,
    })
    expect(answer(await client.call('unreact', { at: b.at, descriptor, reaction: 'SAW_THIS_TOO' }))).toMatchObject({
      error: { code: 100 },
    })
    const { rows } = await sql<{ outcome: number }>`select outcome from feedback`.execute(n.t.owner)
    expect(rows).toEqual([{ outcome: 3 }])
    expect(answer<object[]>(await client.call('descriptors', { at: b.at, ids: [descriptor] }))).toMatchObject([
      {
        raw_indicator: pdq(3),
        type: 'HASH_PDQ',
        severity: 'SEVERE',
        share_level: 'AMBER',
        review_status: 'REVIEWED_MANUALLY',
      },
    ])
    expect(answer(await client.call('tag', { at: b.at, text: 'aldis_category:grooming' }))).toMatch(/^[0-9]+$/)
  })

  test('is told why it is refused, in its own words', async (context) => {
    needsPython(context)
    const submission = {
      at: b.at,
      indicator: 'x',
      type: 'HASH_URL_MD5',
      description: 'x',
      share_level: 'AMBER',
      status: 'MALICIOUS',
      privacy_type: 'VISIBLE',
    }
    for (const change of [
      {},
      { type: 'HASH_PDQ', share_level: 'UNKNOWN' },
      { type: 'HASH_PDQ', status: 'UNKNOWN' },
      { type: 'HASH_PDQ', privacy_type: 'NONE' },
    ])
      expect(answer(await client.call('submit', { ...submission, ...change }))).toMatchObject({ error: { code: 100 } })
    const stranger = { ...b.at, token: `${b.at.token.slice(0, -1)}${b.at.token.endsWith('A') ? 'B' : 'A'}` }
    expect(await client.call('fetch', { at: stranger, group: 1, fresh: true })).toMatchObject({
      status: 401,
      error: expect.stringContaining('"code":190'),
    })
    expect(await client.call('fetch', { at: b.at, group: 1, fresh: true })).toMatchObject({ status: 404 })
  })

  test('its sources hear that its client knows of the ends', async (context) => {
    needsPython(context)
    await fetched(pair, true)
    await submit(apple, { type: 'media_hash', algorithm: 'pdq', hash: pdq(9_002) }, pair)
    entries += 1
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await settled(pair, entries)
    await fetched(pair)
    await fetched(pair)
    await b.synced()
    // Told after what was synchronised is served.
    const stages = async () => {
      const { rows } = await sql<{ stage: number }>`select distinct stage from feed_ack order by stage`.execute(
        n.t.owner,
      )
      return rows.map(({ stage }) => stage)
    }
    await expect.poll(stages).toEqual([1, 2])
  })
})
