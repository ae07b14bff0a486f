import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPosted, type PostedObjects, STATUS_HOURS, STATUSES_MAX } from '../../../src/bridge/foreign/posted.ts'
import { statusOfAll } from '../../../src/interop/taxii/envelope.ts'
import { FEED } from '../../client/source.ts'
import { idOf, NOON } from '../../signals/factory.ts'

let folder: string
let posted: PostedObjects
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-posted-'))
  posted = openPosted(join(folder, 'taxii.db'))
})
afterAll(() => {
  posted.close()
  rmSync(folder, { recursive: true })
})

const X = 'indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f'
const later = (hours: number): Date => new Date(NOON.getTime() + hours * 3_600_000)
const status = (id: string) => statusOfAll(id, NOON, { successes: [{ id: X, version: '', message: '' }], failures: [] })

test('a signal that was named keeps its name, whoever names it again', () => {
  posted.reserve([{ object: X, feed: FEED, signal: idOf(1) }])
  posted.reserve([{ object: X, feed: FEED, signal: idOf(2) }])
  const row = { object: X, feed: FEED, signal: idOf(1), version: undefined, digest: undefined, ended: false }
  expect(posted.of(X)).toEqual(row)
  posted.keep([{ ...row, version: 'v', digest: 'd', ended: true }])
  expect(posted.of(X)).toEqual({ ...row, version: 'v', digest: 'd', ended: true })
  expect(posted.of('indicator--none')).toBe(undefined)
})

describe('what became of an envelope', () => {
  test(`is told to its client alone, for ${STATUS_HOURS} hours`, () => {
    posted.tell('scanner', status('a'), NOON)
    expect(posted.told('scanner', 'a', later(STATUS_HOURS))).toEqual(status('a'))
    expect(posted.told('scanner', 'a', later(STATUS_HOURS + 1))).toBe(undefined)
    expect(posted.told('other', 'a', NOON)).toBe(undefined)
  })
  test('is kept so many times a day and client, and those of before go', () => {
    const file = new DatabaseSync(join(folder, 'taxii.db'))
    file
      .prepare(
        `with recursive n (i) as (select 0 union all select i + 1 from n where i < ?)
         insert into status (id, client, at_ms, told) select 'eager ' || i, 'eager', ?, '{}' from n`,
      )
      .run(STATUSES_MAX - 1, later(1).getTime())
    file.close()
    expect(() => posted.expectRoom('eager', later(2))).toThrow(expect.objectContaining({ code: 'rate-limited' }))
    expect(() => posted.expectRoom('other', later(2))).not.toThrow()
    expect(() => posted.expectRoom('eager', later(STATUS_HOURS + 2))).not.toThrow()
    expect(posted.told('eager', 'eager 0', later(1))).toBe(undefined)
  })
})

test('the file is nobody else’s to read; one that is none, or of a newer release, is refused', () => {
  expect(statSync(join(folder, 'taxii.db')).mode & 0o077).toBe(0)
  const broken = join(folder, 'broken.db')
  writeFileSync(broken, 'plum'.repeat(1_000))
  expect(() => openPosted(broken)).toThrow(/is damaged/)
  const newer = join(folder, 'newer.db')
  openPosted(newer).close()
  const bytes = readFileSync(newer)
  // `user_version` of a file of SQLite.
  bytes.writeUInt32BE(99, 60)
  writeFileSync(newer, bytes)
  expect(() => openPosted(newer)).toThrow(/newer release/)
})
