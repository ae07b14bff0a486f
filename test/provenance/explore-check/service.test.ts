import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant } from '../../../src/db/as-participant.ts'
import type { Uuid } from '../../../src/kernel/ids.ts'
import { decodeEntry } from '../../../src/provenance/batch.ts'
import { batchRuns, entriesAt } from '../../../src/provenance/batch-store.ts'
import { checked } from '../../../src/provenance/explore-check.ts'
import { aLog, type LogWorld, rowsOf } from '../world.ts'

/** Two tiles that are full, and one that is not. */
const SIZE = 600
let w: LogWorld
let ids: Uuid[]

beforeAll(async () => {
  w = await aLog()
  await record(400)
  await record(200)
  ids = (await rowsOf(w)).events.map(({ event_id }) => event_id)
})
afterAll(() => w.end())

/** So many entries in a batch of their own. */
async function record(n: number): Promise<void> {
  const rows = Array.from({ length: n }, () => w.provenance.prepare(w.anEvent('apple')))
  await asParticipant(w.t.app, w.ids.apple, (tx) => w.provenance.insert(tx, rows))
  await w.publish()
}

const rowAt = (i: number) => ({
  ...{ idx: BigInt(i), event_id: ids[i] ?? ids[0] ?? expect.fail('an empty log'), participant_id: w.ids.apple },
  ...{ kind: 'signal.submitted', actor: 'apple', at: w.clock(), recipients: [] },
})
const checking = () => ({ db: w.t.ledger, keys: w.keys, logId: 1 })
const PLACES = [599, 512, 511, 400, 399, 256, 255, 1, 0]
const statesOf = async (places = PLACES): Promise<string[]> =>
  (await checked(checking(), places.map(rowAt), await w.ledger.checkpoint())).map(
    ({ index, state }) => `${index} ${state}`,
  )
const all = (state: string, except: Readonly<Record<number, string>> = {}): string[] =>
  PLACES.map((i) => `${i} ${except[i] ?? state}`)

/** Changes a table as nobody may, looks, and changes it back. */
async function whileChanged(table: 'log_batch' | 'log_tile' | 'prov_record', change: string): Promise<string[]> {
  const { owner } = w.t
  await sql.raw(`create table kept as select * from ${table}`).execute(owner)
  try {
    await sql.raw(change).execute(owner)
    return await statesOf()
  } finally {
    await sql.raw(`delete from ${table}`).execute(owner)
    await sql.raw(`insert into ${table} select * from kept`).execute(owner)
    await sql.raw('drop table kept').execute(owner)
  }
}

describe('a row of the explorer', () => {
  test('is verified where its record leads up to the signed root, in whichever tile and batch it stands', async () => {
    expect(await statesOf()).toEqual(all('verified'))
    expect(await statesOf([])).toEqual([])
  })
  test('waits for the checkpoint that covers it', async () => {
    const head = await w.ledger.checkpoint()
    const early = head === undefined ? undefined : { ...head, size: 400n }
    expect(await checked(checking(), [rowAt(400)], early)).toMatchObject([{ state: 'pending' }])
    expect(await checked(checking(), [rowAt(0)], undefined)).toMatchObject([{ state: 'pending' }])
  })
  test('fails alone where its record, its entry or its event is another', async () => {
    const record = `update prov_record set payload = payload || ' ' where event_id = '${ids[256]}'`
    expect(await whileChanged('prov_record', record)).toEqual(all('verified', { 256: 'failed' }))
    const [other] = await checked(checking(), [{ ...rowAt(5), idx: 6n }], await w.ledger.checkpoint())
    expect(other?.state).toBe('failed')
  })
  test('fails where it says another kind, actor or time than its record', async () => {
    const head = await w.ledger.checkpoint()
    const lies = [{ kind: 'signal.withdrawn' }, { actor: 'plum' }, { at: new Date(w.clock().getTime() + 1) }, {}]
    const states = []
    for (const lie of lies) states.push(...(await checked(checking(), [{ ...rowAt(7), ...lie }], head)))
    expect(states.map(({ state }) => state)).toEqual(['failed', 'failed', 'failed', 'verified'])
  })
  test('is not called verified where its record cannot be opened: it is in the log, and nothing shows what it says', async () => {
    const lost = `update prov_record set epoch = 1 where event_id = '${ids[256]}'`
    expect(await whileChanged('prov_record', lost)).toEqual(all('verified', { 256: 'unopened' }))
    const blanked = `update prov_record set body = '' where event_id = '${ids[0]}'`
    expect(await whileChanged('prov_record', blanked)).toEqual(all('verified', { 0: 'unopened' }))
  })
  test('fails with all of its tile where that tile is not what was signed', async () => {
    const tile = `update log_tile set data = set_byte(data, 40, 255 - get_byte(data, 40)) where level = 0 and n = 1`
    expect(await whileChanged('log_tile', tile)).toEqual(
      all('verified', { 511: 'failed', 400: 'failed', 399: 'failed', 256: 'failed' }),
    )
  })
  test('fails everywhere under another root', async () => {
    const head = (await w.ledger.checkpoint()) ?? expect.fail('no checkpoint')
    const other = { ...head, root: new Uint8Array(32) }
    const rows = await checked(checking(), PLACES.map(rowAt), other)
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['failed']))
  })
})

describe('parts of batches', () => {
  test('are the entries of whole ones, wherever a range begins and ends', async () => {
    const { batches } = await rowsOf(w)
    const whole = batches.flatMap(({ n, data }) => Array.from({ length: n }, (_, i) => decodeEntry(data, i)))
    expect(whole.length).toBe(SIZE)
    for (const [from, to] of [
      [0, SIZE],
      [0, 1],
      [399, 401],
      [400, 401],
      [598, SIZE],
      [599, SIZE + 50],
    ] as const) {
      const some = Array.from({ length: to - from }, (_, i) => BigInt(from + i))
      const found = await entriesAt(w.t.ledger, 1, some)
      expect([...found.values()]).toEqual(whole.slice(from, to))
    }
    expect([...(await entriesAt(w.t.ledger, 1, [5n, 3n, 5n, 450n])).keys()]).toEqual([3n, 5n, 450n])
    expect(await batchRuns(w.t.ledger, 1, [{ from: BigInt(SIZE), to: BigInt(SIZE) + 9n }])).toEqual([])
    expect(await batchRuns(w.t.ledger, 9, [{ from: 0n, to: 9n }])).toEqual([])
  })
})
