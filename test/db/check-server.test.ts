import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkServer, serverFaults } from '../../src/db/check-server.ts'
import { connect } from '../../src/db/connect.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

const GOOD = {
  server_version_num: '180004',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  data_checksums: 'on',
}

let t: TestDatabase

beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

const faults = (other: Partial<Record<keyof typeof GOOD, string>>, embedded = true) =>
  serverFaults(new Map(Object.entries({ ...GOOD, ...other })), embedded)

test.for([
  [{}, []],
  [{ fsync: 'off' }, ['fsync must be on']],
  [{ full_page_writes: 'off' }, ['full_page_writes must be on']],
  [{ data_checksums: 'off' }, ['data_checksums must be on']],
  [{ synchronous_commit: 'off' }, ['synchronous_commit must not be off']],
  [{ synchronous_commit: 'remote_apply' }, []],
  [{ server_version_num: '140019' }, ['server_version is not 15 to 18']],
  [{ server_version_num: '190000' }, ['server_version is not 15 to 18']],
  [{ server_version_num: '150000' }, []],
] as const)('%j has the faults %j', ([settings, named]) => {
  expect(faults(settings)).toEqual(named)
})

test('data checksums are asked of the embedded server alone', () => {
  expect(faults({ data_checksums: 'off' }, false)).toEqual([])
})

test('a server that says nothing is refused on every count', () => {
  expect(serverFaults(new Map(), true)).toHaveLength(5)
})

test('the server of the tests is admitted, and refused once its role commits asynchronously', async () => {
  await checkServer(t.app)
  const [database] = [new URL(t.url('owner')).pathname.slice(1)]
  await sql`alter database ${sql.id(database)} set synchronous_commit = 'off'`.execute(t.owner)
  const late = connect({ url: t.url('aldis_app'), max: 1 })
  await expect(checkServer(late)).rejects.toThrow(StartRefused)
  await expect(checkServer(late)).rejects.toThrow('synchronous_commit')
  await late.destroy()
})
