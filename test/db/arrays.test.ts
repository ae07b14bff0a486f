import fc from 'fast-check'
import { type RawBuilder, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bytesArray, hexArray, jsonTexts, plainArray } from '../../src/db/arrays.ts'
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

test.each(['a b', 'a"b', 'a{b', 'a}b', 'a\\b'])('%j is refused where values must be plain', (value) => {
  expect(() => plainArray(['a', value])).toThrow('needs quotes')
})

test('what is not hex is refused', () => {
  expect(() => hexArray(['00', '"},{"'])).toThrow('not hex')
})
