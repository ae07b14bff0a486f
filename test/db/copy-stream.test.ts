import { setImmediate as turn } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyTableIn, copyTableOut, filledTables, inOneStep, inOrder, tablesInOrder } from '../../src/db/dump.ts'
import { PLACEMENT } from '../../src/db/placement.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
const fruit = { table: 'fruit', columns: ['n', 'name'] }
const ROWS = 20_000
beforeAll(async () => {
  t = await freshDatabase({ max: 1 })
  for (const name of ['fruit', 'basket'])
    await sql.raw(`create table ${name} (n integer primary key check (n < 30000), name text)`).execute(t.owner)
  await sql`insert into fruit select n, repeat('plum ', 20) || n from generate_series(1, ${ROWS}::int) n`.execute(
    t.owner,
  )
})
afterAll(() => t.drop())

const copied = async (): Promise<Buffer[]> => {
  const chunks: Buffer[] = []
  const rows = await inOneStep(t.owner, (tx) => copyTableOut(tx, fruit, async (bytes) => void chunks.push(bytes)))
  expect(rows).toBe(ROWS)
  return chunks
}

async function* source(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk
}

const into = (chunks: AsyncIterable<Uint8Array>) =>
  inOneStep(t.owner, (tx) => copyTableIn(tx, { ...fruit, table: 'basket' }, chunks))

const basket = async (): Promise<number> =>
  Number((await sql<{ n: string }>`select count(*) as n from basket`.execute(t.owner)).rows[0]?.n)

test('what is copied out of one table is copied into another, row for row', async () => {
  const chunks = await copied()
  expect(await into(source(chunks))).toBe(ROWS)
  const { rows } = await sql`(table fruit except table basket) union all (table basket except table fruit)`.execute(
    t.owner,
  )
  expect(rows).toEqual([])
  await sql`truncate basket`.execute(t.owner)
})

test('a sink is given one piece at a time, however slow it is', async () => {
  let busy = 0
  let most = 0
  let pieces = 0
  await inOneStep(t.owner, (tx) =>
    copyTableOut(tx, fruit, async () => {
      busy += 1
      most = Math.max(most, busy)
      pieces += 1
      for (let i = 0; i < 50; i++) await turn()
      busy -= 1
    }),
  )
  expect(pieces).toBeGreaterThan(3)
  expect(most).toBe(1)
})

test('a sink that fails fails the copy, and the next one works', async () => {
  const full = new Error('no space left')
  const failing = inOneStep(t.owner, (tx) => copyTableOut(tx, fruit, () => Promise.reject(full)))
  await expect(failing).rejects.toBe(full)
  await copied()
})

test('a source that fails leaves no row', async () => {
  const [first] = await copied()
  const gone = new Error('the file is gone')
  const half = async function* (): AsyncGenerator<Uint8Array> {
    yield first ?? Buffer.alloc(0)
    throw gone
  }
  await expect(into(half())).rejects.toBe(gone)
  expect(await basket()).toBe(0)
})

test('a source that is cut off, or is none of ours, leaves no row', async () => {
  const whole = Buffer.concat(await copied())
  for (const bytes of [
    whole.subarray(0, 1_000),
    whole.subarray(0, whole.length - 3),
    Buffer.from('plum'),
    whole.subarray(3),
  ])
    await expect(into(source([bytes]))).rejects.toThrow()
  expect(await basket()).toBe(0)
})

test('a row that the server refuses ends a source that would go on for ever', async () => {
  const [first = Buffer.alloc(0)] = await copied()
  let ended = false
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      // The same keys again and again.
      for (let chunk = first; ; chunk = first.subarray(19)) yield chunk
    } finally {
      ended = true
    }
  }
  await expect(into(endless())).rejects.toMatchObject({ severity: 'ERROR' })
  expect(await basket()).toBe(0)
  await copied()
  expect(ended).toBe(true)
})

test('every table has its place in the order, and what it refers to comes before it', async () => {
  const shapes = await inOneStep(t.owner, tablesInOrder)
  const names = shapes.map(({ table }) => table)
  expect([...names].sort()).toEqual([...Object.keys(PLACEMENT), 'basket', 'fruit'].sort())
  expect(names.indexOf('participant')).toBeLessThan(names.indexOf('credential'))
  expect(shapes.find(({ table }) => table === 'log_fence')?.columns).toEqual(['log_id', 'root', 'size'])
})

test('a migrated database is empty, whatever its migrations put there', async () => {
  const filled = await inOneStep(t.owner, async (tx) => filledTables(tx, await tablesInOrder(tx)))
  expect(filled).toEqual(['fruit'])
})

test('tables that refer to each other in a circle are refused', () => {
  const shapes = ['a', 'b', 'c'].map((table) => ({ table, columns: [] }))
  const links = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'c' },
  ]
  expect(inOrder(shapes, links).map(({ table }) => table)).toEqual(['c', 'b', 'a'])
  expect(() => inOrder(shapes, [...links, { from: 'c', to: 'a' }])).toThrow('circle: a, b, c')
})
