import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { atFeed } from '../../src/db/as-participant.ts'
import { copyBytes } from '../../src/db/copy-out.ts'
import { newId } from '../../src/kernel/ids.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
const feed = newId(new Date())
beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

const copied = (query: string) => atFeed(t.projector, feed, (tx) => copyBytes(tx, query))

test.each([0, 1, 3, 70_000, 3_000_000])('%i bytes come as they are stored', async (n) => {
  const bytes = randomBytes(n)
  expect((await copied(`select '\\x${bytes.toString('hex')}'::bytea as bytes`))?.equals(bytes)).toBe(true)
})

test('no row is no bytes', async () => {
  expect(await copied(`select ''::bytea as bytes limit 0`)).toBeUndefined()
})

test('rows come one after the other, short and long', async () => {
  const rows = [0, 5, 70_000, 1].map((n) => randomBytes(n))
  const values = rows.map((bytes, i) => `(${i}, '\\x${bytes.toString('hex')}'::bytea)`)
  const got = await copied(`select bytes from (values ${values.join(', ')}) as v (i, bytes) order by i`)
  expect(got?.equals(Buffer.concat(rows))).toBe(true)
})

test.each(['select null::bytea as a', "select ''::bytea as a, ''::bytea as b"])(
  'what is not one column without NULL is refused: %s',
  async (query) => {
    await expect(copied(query)).rejects.toThrow('more than one column')
  },
)

test('goes with the statements before and behind it, on one connection, each with its own answer', async () => {
  const bytes = randomBytes(200_000)
  const all = await atFeed(t.projector, feed, (tx) =>
    Promise.all([
      sql<{ one: number }>`select 1 as one`.execute(tx),
      copyBytes(tx, `select '\\x${bytes.toString('hex')}'::bytea as bytes`),
      sql<{ two: number }>`select 2 as two`.execute(tx),
      copyBytes(tx, `select '\\x00ff'::bytea as bytes`),
    ]),
  )
  expect([all[0].rows, all[2].rows, all[3]?.toString('hex')]).toEqual([[{ one: 1 }], [{ two: 2 }], '00ff'])
  expect(all[1]?.equals(bytes)).toBe(true)
})

test('a failure ends the transaction, and leaves the connection whole', async () => {
  await expect(copied('select plum from nowhere')).rejects.toThrow('nowhere')
  await expect(
    atFeed(t.projector, feed, async (tx) => {
      await copyBytes(tx, `select (1 / 0)::text::bytea as bytes`).catch(() => {})
      await sql`select 1 as one`.execute(tx)
    }),
  ).rejects.toThrow()
  expect((await copied(`select '\\x01'::bytea as bytes`))?.toString('hex')).toBe('01')
})

test('nothing but what its transaction may see is copied, and nothing once that is over', async () => {
  await expect(copied('select c as bytes from prov_outbox')).rejects.toThrow()
  const late = await atFeed(t.projector, feed, async (tx) => tx)
  await expect(copyBytes(late, `select ''::bytea as bytes`)).rejects.toThrow()
})
