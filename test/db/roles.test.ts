import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect } from '../../src/db/connect.ts'
import { assertLoginRole, ensureDatabase, ensureRoles, LOGIN_ROLES } from '../../src/db/roles.ts'
import { StartRefused } from '../../src/kernel/errors.ts'
import { freshDatabase, type TestDatabase } from '../support/database.ts'

let t: TestDatabase

beforeAll(async () => {
  t = await freshDatabase()
})
afterAll(() => t.drop())

test('the owner cannot log in; nobody is superuser, passes row-level security, or makes roles and databases', async () => {
  const { rows } = await sql<{ rolname: string; rolcanlogin: boolean }>`
    select rolname, rolcanlogin from pg_roles where rolname like 'aldis\_%'
      and not (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb) order by rolname`.execute(t.owner)
  expect(rows).toEqual(
    ['aldis_owner', ...LOGIN_ROLES].toSorted().map((rolname) => ({ rolname, rolcanlogin: rolname !== 'aldis_owner' })),
  )
})

test('making roles again, and twice at once, changes nothing and fails nobody', async () => {
  const rival = connect({ url: t.url('owner'), max: 1 })
  const settings = async () =>
    (await sql`select rolname, rolconfig from pg_roles where rolname like 'aldis\_%' order by 1`.execute(t.owner)).rows
  const before = await settings()
  await Promise.all([ensureRoles(t.owner), ensureRoles(rival)])
  expect(await settings()).toEqual(before)
  await rival.destroy()
})

test('two that make the same database at once both succeed', async () => {
  const name = `${new URL(t.url('owner')).pathname.slice(1)}_twin`
  const rival = connect({ url: t.url('owner'), max: 1 })
  await Promise.all([ensureDatabase(t.owner, name), ensureDatabase(rival, name)])
  await rival.destroy()
  await sql`drop database ${sql.id(name)}`.execute(t.owner)
})

test('the application waits two seconds for a lock and is cut when it idles in a transaction', async () => {
  const { rows } = await sql`select current_setting('lock_timeout') as lock,
    current_setting('idle_in_transaction_session_timeout') as idle`.execute(t.app)
  expect(rows).toEqual([{ lock: '2s', idle: '15s' }])
})

test('the application role is admitted, the superuser and an owner are not', async () => {
  await assertLoginRole(t.app)
  await expect(assertLoginRole(t.owner)).rejects.toThrow('is a superuser')
  const owner = t.owner.connection().execute(async (one) => {
    await sql`set role aldis_owner`.execute(one)
    await assertLoginRole(one).finally(() => sql`reset role`.execute(one))
  })
  await expect(owner).rejects.toThrow('owns tables')
  await expect(owner).rejects.toThrow(StartRefused)
})
