import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Db } from '../../src/db/connect.ts'
import { type OpenDatabase, openDatabase } from '../../src/db/open.ts'
import { LOGIN_ROLES } from '../../src/db/roles.ts'
import { systemClock } from '../../src/kernel/clock.ts'

// Of its own: roles are shared by all databases of a server.
let dataDir: string
let opened: OpenDatabase
let superuser: Db

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'aldis-test-'))
  opened = await openDatabase({ databaseUrl: undefined, dataDir }, { clock: systemClock })
  superuser = connect({ url: opened.url, max: 1 })
})
afterAll(async () => {
  await superuser.destroy()
  await opened.embedded?.destroy()
  await rm(dataDir, { recursive: true, force: true })
})

const start = async (): Promise<string> =>
  openDatabase({ databaseUrl: opened.url, dataDir }, { clock: systemClock }).then(
    () => 'started',
    (error: unknown) => String(error),
  )

interface Fault {
  role: string
  made: string
  undone: string
  says: string
}

const FAULTS: readonly Fault[] = [
  ...LOGIN_ROLES.flatMap((role) => [
    {
      ...{ role, made: `alter role ${role} set synchronous_commit = off`, says: 'synchronous_commit must not be off' },
      undone: `alter role ${role} reset synchronous_commit`,
    },
    {
      ...{ role, made: `alter role ${role} bypassrls`, says: 'has BYPASSRLS' },
      undone: `alter role ${role} nobypassrls`,
    },
  ]),
  {
    ...{ role: 'aldis_app', made: 'grant aldis_admin to aldis_app', says: 'is a member of another login role' },
    undone: 'revoke aldis_admin from aldis_app',
  },
]

test.for(FAULTS)('a start is refused in the name of $role after: $made', async ({ role, made, undone, says }) => {
  await sql.raw(made).execute(superuser)
  const refused = await start()
  await sql.raw(undone).execute(superuser)
  expect(refused).toContain(role)
  expect(refused).toContain(says)
  expect(await start()).toBe('started')
})
