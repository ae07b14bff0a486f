import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { sha } from '../signals/factory.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { aForeignBridge, type ForeignBridge } from './bridge.ts'
import { expectPython, foreignClient, missingPython, needsPython, type Told } from './python.ts'

interface Fetched {
  pages: number[]
  time: number
  values: Record<string, { category: string; feedback: [string, string][] }>
}

const SCOPES = ['signals:submit', 'feed:read', 'lookup:evaluate', 'feedback:write', 'provenance:read'] as const
const pdq = (n: number): string => sha(`wren ${n}`)
const LOTS = 900
let n: TestNode
let apple: Member
let banana: Member
let everybody: Uuid
let items: SignalItem[]
let b: ForeignBridge
let at: { origin: string; secret: string }
let client: ReturnType<typeof foreignClient>

beforeAll(async () => {
  if (missingPython !== '') return void process.stderr.write(`skipped: ${missingPython}\n`)
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana', { scopes: SCOPES })
  everybody = await apple.everybody()
  const one = (await apple.item({ type: 'media_hash', algorithm: 'pdq', hash: pdq(0) }, everybody)) as Extract<
    SignalItem,
    { type: 'media_hash' }
  >
  items = Array.from({ length: LOTS }, (_, i) => ({
    ...{ ...one, signal: newId(new Date()), value: { algorithm: 'pdq' as const, hash: pdq(i) } },
  }))
  await apple.client.submit(await apple.sign(items))
  await settled(LOTS)
  b = await aForeignBridge(banana, { category: 'grooming', context: 'IE/terms_of_service/public' })
  at = { origin: b.bridge.origin, secret: b.secret }
  client = foreignClient('stopncii.py', { TX_STOPNCII_KEYS: `any,${b.secret},${b.bridge.origin}/stopncii/v1` })
})
afterAll(async () => {
  await client?.end()
  await b?.end()
  await n?.end()
})

async function settled(entries: number): Promise<void> {
  const count = async (): Promise<number> => {
    const { rows } = await sql<{ n: bigint }>`select count(*) as n from feed_entry e join feed f using (feed_id)
      where f.audience_id = ${everybody}::uuid`.execute(n.t.owner)
    return Number(rows[0]?.n)
  }
  while ((await count()) < entries) await new Promise((resolve) => setTimeout(resolve, 20))
  await b?.synced()
}

const answer = <T>({ answer: given, ...told }: Told): T => {
  expect(told).toEqual({})
  return given as T
}
const fetched = async (fresh = false): Promise<Fetched> => answer(await client.call('fetch', { fresh }))

test('the client is there where it counts', expectPython)

describe("StopNCII's exchange client by its setting of an address", { shuffle: false }, () => {
  let first: Fetched

  test('fetches all, in pages, and goes on from where it was', async (context) => {
    needsPython(context)
    first = await fetched(true)
    expect(first.pages).toEqual([800, 100])
    expect(Object.keys(first.values)).toHaveLength(LOTS)
    expect(first.values[`pdq ${pdq(5)}`]).toEqual({ category: 'INVESTIGATION_SEED', feedback: [] })
    const again = await fetched()
    expect([again.time, Object.keys(again.values).length]).toEqual([first.time, LOTS])
  })

  test.for([90, 400])('by %i at once, without loss or repeat', async (size, context) => {
    needsPython(context)
    const { pages } = answer<{ pages: string[][] }>(await client.call('pages', { at, size }))
    expect(new Set(pages.flat()).size).toBe(LOTS)
    expect(pages.flat()).toHaveLength(LOTS)
  })

  test('submits and gives feedback, which arrive signed', async (context) => {
    needsPython(context)
    expect(answer(await client.call('submit', { at, hash: pdq(9_000) }))).toBe(null)
    await settled(LOTS + 1)
    expect((await fetched()).values).toHaveProperty([`pdq ${pdq(9_000)}`])
    expect(answer(await client.call('feedback', { at, hash: pdq(3), value: 'NotBlocked' }))).toBe(null)
    const { rows } = await sql<{ outcome: number }>`select outcome from feedback`.execute(n.t.owner)
    expect(rows).toEqual([{ outcome: 4 }])
  })

  test('a hash that was taken back stays with it, and reads as disputed; who begins anew has it no more', async (context) => {
    needsPython(context)
    const { signal, revision } = items[8] as SignalItem
    const { leaf } = await apple.client.own(signal)
    const item = { v: 1, signal, revision: revision + 1, prev: leaf, reason: 'mistaken' }
    await apple.client.submit(await apple.sign([item], 'aldis-withdrawal+jws'))
    await settled(LOTS + 2)
    const { values, time } = await fetched()
    expect(values[`pdq ${pdq(8)}`]).toEqual({ category: 'DISPUTED', feedback: [['aldis', 'NotBlocked']] })
    expect(time).toBeGreaterThanOrEqual(first.time)
    expect((await fetched(true)).values).not.toHaveProperty([`pdq ${pdq(8)}`])
  })

  test('is refused what has no form here, and without its key', async (context) => {
    needsPython(context)
    expect(await client.call('feedback', { at, hash: pdq(77_777), value: 'Blocked' })).toMatchObject({ status: 400 })
    expect(await client.call('feedback', { at, hash: pdq(3), value: 'QualityUnknown' })).toMatchObject({ status: 422 })
    const stranger = { ...at, secret: 'A'.repeat(43) }
    expect(await client.call('pages', { at: stranger, size: 5 })).toMatchObject({ status: 401 })
  })
})
