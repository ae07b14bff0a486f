import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { uuidArray } from '../../../src/db/arrays.ts'
import { atLog } from '../../../src/db/as-participant.ts'
import { type Uuid, uuidBytes } from '../../../src/kernel/ids.ts'
import { decodeBatch } from '../../../src/provenance/batch.ts'
import { ENTRIES_AT_ONCE, ROUNDS_IN_A_ROW } from '../../../src/provenance/integrate.ts'
import * as outboxStore from '../../../src/provenance/outbox-store.ts'
import * as signStore from '../../../src/provenance/sign-store.ts'
import * as store from '../../../src/provenance/store.ts'
import { aLog, type LogWorld } from '../world.ts'

const LOG = 1
/** So many rounds are full. */
const FULL = 2
const MORE = 10

let w: LogWorld
let made = 0

beforeAll(async () => {
  w = await aLog()
})
afterAll(() => w.end())

const idOf = (n: number, early: boolean): string =>
  `${early ? '017f' : '018f'}0000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

/** Changes that wait, each after the one before; `early` before all of them. Answers the last. */
async function waiting(n: number, { early = false } = {}): Promise<string> {
  await sql`
    insert into prov_outbox (event_id, participant_id, log_id, at, c, parties)
    select overlay(${idOf(0, early)}::text placing lpad(to_hex(i), 12, '0') from 25)::uuid, ${w.ids.apple}::uuid, ${LOG}::int,
      now(), sha256(int8send(i)), 'apple'
    from generate_series(${made}::bigint, ${made + n - 1}::bigint) as i`.execute(w.t.owner)
  made += n
  return idOf(made - 1, early)
}

const rows = async (): Promise<number> =>
  Number(
    (
      await w.t.owner
        .selectFrom('prov_outbox')
        .select((eb) => eb.fn.countAll().as('n'))
        .executeTakeFirstOrThrow()
    ).n,
  )
const sizes = async () => {
  const { size } = await w.t.owner.selectFrom('log_head').select('size').executeTakeFirstOrThrow()
  const fence = await w.t.owner.selectFrom('log_fence').select('size').executeTakeFirstOrThrow()
  return { log: size, fence: fence.size }
}
/** Of everything in the log, in its order. */
async function events(): Promise<string[]> {
  const batches = await w.t.owner.selectFrom('log_batch').select(['n', 'data']).orderBy('first_idx').execute()
  return batches.flatMap(({ n, data }) => decodeBatch(data, n).map(({ event_id }) => event_id))
}

/** What is in the log is there once, waits no more, and the fence stands behind it. */
async function allIsIndexed(): Promise<void> {
  const all = await events()
  expect([all.length, new Set(all).size, await rows()]).toEqual([made, made, 0])
  expect(await sizes()).toEqual({ log: BigInt(made), fence: BigInt(made) })
}

describe('rounds while more waits than one takes', () => {
  test('begin behind the one before, and the last waits until outbox and fence are done', async () => {
    const integrator = w.integrator()
    await waiting(FULL * ENTRIES_AT_ONCE + MORE)
    expect([await integrator.round(), await integrator.round()]).toEqual([ENTRIES_AT_ONCE, ENTRIES_AT_ONCE])
    expect(await integrator.round()).toBe(MORE)
    await allIsIndexed()
    expect(await integrator.round()).toBe(0)
  })
  test('of exactly as many as wait end with nothing left to do', async () => {
    const integrator = w.integrator()
    await waiting(ENTRIES_AT_ONCE)
    expect(await integrator.round()).toBe(ENTRIES_AT_ONCE)
    expect(await integrator.round()).toBe(0)
    await allIsIndexed()
  })
  test('begin behind the highest event that was read, whatever the order of their times', async () => {
    const integrator = w.integrator()
    await waiting(2 * ENTRIES_AT_ONCE + MORE)
    await sql`update prov_outbox set at = at - interval '1 day' where event_id in
      (select event_id from prov_outbox order by event_id offset ${ENTRIES_AT_ONCE - 100} limit 100)`.execute(w.t.owner)
    let second: Promise<number> | undefined
    // The first is not cleared before the second is indexed.
    await w.t.owner.transaction().execute(async (tx) => {
      await tx.selectFrom('prov_outbox').select('event_id').orderBy('event_id').limit(1).forUpdate().execute()
      expect(await integrator.round()).toBe(ENTRIES_AT_ONCE)
      const { log } = await sizes()
      second = integrator.round()
      second.catch(() => {})
      await expect.poll(async () => (await sizes()).log).toBe(log + BigInt(ENTRIES_AT_ONCE))
    })
    expect(await second).toBe(ENTRIES_AT_ONCE)
    expect(await integrator.round()).toBe(MORE)
    await allIsIndexed()
  })
  test('take what was read ahead only while nobody else indexed', async () => {
    const [one, other] = [w.integrator(), w.integrator()]
    await waiting(2 * ENTRIES_AT_ONCE + MORE)
    expect(await one.round()).toBe(ENTRIES_AT_ONCE)
    await expect.poll(rows).toBe(ENTRIES_AT_ONCE + MORE)
    expect(await other.round()).toBe(ENTRIES_AT_ONCE)
    await expect.poll(rows).toBe(MORE)
    expect(await one.round()).toBe(MORE)
    await allIsIndexed()
  })
  test('take in what was committed late and stands before what was read', async () => {
    const integrator = w.integrator()
    await waiting(ENTRIES_AT_ONCE + MORE)
    await integrator.round()
    await waiting(3, { early: true })
    expect(await integrator.round()).toBe(MORE + 3)
    await allIsIndexed()
  })
  test(`read the outbox from its first row again after ${ROUNDS_IN_A_ROW}`, async () => {
    const integrator = w.integrator()
    await waiting((ROUNDS_IN_A_ROW + 2) * ENTRIES_AT_ONCE)
    await integrator.round()
    const early = await waiting(1, { early: true })
    for (let n = 2; n < ROUNDS_IN_A_ROW; n++) await integrator.round()
    expect(await events()).not.toContain(early)
    await integrator.round()
    expect(await events()).toContain(early)
    await integrator.round()
    await integrator.round()
    await allIsIndexed()
  })
  test('that cannot clear the outbox fail by that, and a later one clears what stands in the log already', async () => {
    const integrator = w.integrator()
    await waiting(FULL * ENTRIES_AT_ONCE + MORE)
    await sql`revoke delete on prov_outbox from aldis_integrator`.execute(w.t.owner)
    expect(await integrator.round()).toBe(ENTRIES_AT_ONCE)
    await expect(integrator.round()).rejects.toMatchObject({ code: '42501' })
    await sql`grant delete on prov_outbox to aldis_integrator`.execute(w.t.owner)
    while ((await rows()) > 0) await integrator.round()
    await allIsIndexed()
  })
  test('are refused by the log itself what would give an event a second place', async () => {
    const ids = uuidArray(uuidBytes((await waiting(1)) as Uuid), { width: 16, places: [0] })
    await w.integrator().round()
    const again = atLog(w.t.integrator, LOG, (tx) => store.insertEvents(tx, { log_id: LOG, first_idx: 2n ** 40n, ids }))
    await expect(again).rejects.toMatchObject({ code: '23505' })
    await allIsIndexed()
  })
  test('of two integrators at once give each event one place', async () => {
    const both = [w.integrator(), w.integrator()]
    await waiting(3 * ENTRIES_AT_ONCE + MORE)
    for (let turn = 0; (await rows()) > 0 && turn < 50; turn++) await Promise.allSettled(both.map((one) => one.round()))
    await allIsIndexed()
  })
})

test('a log is closed before or after an integrator clears what it indexed, never meanwhile', async () => {
  const { t, end } = await aLog()
  const order: string[] = []
  const { size, root } = await t.owner.selectFrom('log_head').select(['size', 'root']).executeTakeFirstOrThrow()
  const ids = uuidArray(new Uint8Array(), { width: 16, places: [] })
  const waits = () => sql`select from pg_locks where not granted`.execute(t.owner)
  const closing = await atLog(t.integrator, LOG, async (tx) => {
    await outboxStore.clearOutbox(tx, LOG, { ids, size, root })
    const closed = atLog(t.admin, LOG, (other) => signStore.closeLog(other, LOG)).then(() => order.push('closed'))
    await expect.poll(async () => (await waits()).rows.length).toBeGreaterThan(0)
    order.push('cleared')
    return { closed }
  })
  await closing.closed
  expect(order).toEqual(['cleared', 'closed'])
  await end()
})
