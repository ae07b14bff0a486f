import fc from 'fast-check'
import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bytesArray, hexArray, jsonTexts, plainArray, uuidArray } from '../../src/db/arrays.ts'
import { concat } from '../../src/kernel/bytes.ts'
import { type Uuid, uuidBytes } from '../../src/kernel/ids.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase
beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

async function read<T>(query: RawBuilder<{ out: T[] }>): Promise<T[]> {
  return (await query.execute(t.owner)).rows[0]?.out ?? []
}

test('plain values, bytes and JSON texts arrive as they were sent', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uuid(), { maxLength: 20 }),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }),
      fc.array(fc.json(), { maxLength: 20 }),
      async (uuids, bytes, texts) => {
        expect(await read(sql`select ${plainArray(uuids)}::uuid[] as out`)).toEqual(uuids)
        const hex = bytes.map((one) => Buffer.from(one).toString('hex'))
        for (const array of [bytesArray(bytes), hexArray(hex)]) {
          const back = await read<Buffer>(sql`select ${array}::bytea[] as out`)
          expect(back.map((one) => one.toString('hex'))).toEqual(hex)
        }
        // PostgreSQL's text holds no U+0000, and JSON none that is not escaped.
        expect(await read(sql`select string_to_array(${jsonTexts(texts)}, E'\\x1f') as out`)).toEqual(texts)
      },
    ),
    { numRuns: 30 },
  )
})

test('UUIDs out of rows arrive as they were picked, in any order and also none', async () => {
  const row = fc.tuple(fc.uuid(), fc.uint8Array({ minLength: 5, maxLength: 5 }))
  const picked = fc
    .array(row, { maxLength: 20 })
    .chain((rows) =>
      fc.tuple(fc.constant(rows), rows.length === 0 ? fc.constant([]) : fc.array(fc.nat(rows.length - 1))),
    )
  await fc.assert(
    fc.asyncProperty(picked, async ([rows, places]) => {
      const bytes = concat(...rows.flatMap(([id, rest]) => [uuidBytes(id as Uuid), rest]))
      const array = uuidArray(bytes, { width: 21, places })
      expect(await read(sql`select ${array}::uuid[] as out`)).toEqual(places.map((place) => rows[place]?.[0]))
    }),
    { numRuns: 30 },
  )
})

test('a row that is not there has no UUID', () => {
  expect(() => uuidArray(new Uint8Array(42), { width: 21, places: [2] })).toThrow('no such row')
})

test.each(['a b', 'a"b', 'a{b', 'a}b', 'a\\b'])('%j is refused where values must be plain', (value) => {
  expect(() => plainArray(['a', value])).toThrow('needs quotes')
})

test('what is not hex is refused', () => {
  expect(() => hexArray(['00', '"},{"'])).toThrow('not hex')
})
