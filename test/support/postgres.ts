import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { TestProject } from 'vitest/node'
import { migrations } from '../../migrations/index.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { startEmbedded } from '../../src/db/embedded.ts'
import { migrate } from '../../src/db/migrate.ts'
import { ensureDatabase, ensureRoles } from '../../src/db/roles.ts'
import { systemClock } from '../../src/kernel/clock.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's URL of a server for tests, and the name of its migrated template database. */
    postgres: { url: string; template: string }
  }
}

interface Server {
  url: string
  stop(): Promise<void>
}

/** Of Linux; elsewhere there is none. */
const IN_MEMORY = '/dev/shm'
/** `f_type` of statfs(2). */
const TMPFS = 0x01_02_19_94
const PLENTY_BYTES = 4 * 2 ** 30

let tearDown: (() => Promise<void>)[] = []

/** Takes the server of `TEST_DATABASE_URL`, or starts an embedded one; migrates one template that each file copies. */
export async function setup(project: TestProject): Promise<void> {
  const server = await startServer()
  tearDown.push(() => server.stop())
  const template = `aldis_template_${process.pid}_${Date.now().toString(36)}`
  const admin = connect({ url: server.url, max: 1 })
  try {
    await prepare(admin, server.url, template)
  } catch (error) {
    await teardown()
    throw error
  } finally {
    await admin.destroy()
  }
  if (process.env['TEST_DATABASE_URL'] !== undefined) tearDown.unshift(() => dropDatabase(server.url, template))
  project.provide('postgres', { url: server.url, template })
}

/** Stops what `setup` started. */
export async function teardown(): Promise<void> {
  const steps = tearDown
  tearDown = []
  for (const step of steps) await step()
}

async function prepare(admin: Db, url: string, template: string): Promise<void> {
  const { password } = new URL(url)
  await ensureRoles(admin, password === '' ? undefined : decodeURIComponent(password))
  await ensureDatabase(admin, template)
  const db = connect({ url: at(url, template), max: 1 })
  // A connection left on the template would block every copy.
  await migrate(db, migrations, systemClock).finally(() => db.destroy())
}

async function startServer(): Promise<Server> {
  const given = process.env['TEST_DATABASE_URL']
  if (given !== undefined) return { url: given, stop: async () => {} }
  const dataDir = await mkdtemp(join(await roomyFolder(), 'aldis-test-'))
  // The database's account must be able to enter it.
  await chmod(dataDir, 0o711)
  const embedded = await startEmbedded({ dataDir, settings: { max_connections: '200', shared_buffers: '64MB' } })
  return {
    url: embedded.url('postgres', 'postgres'),
    stop: async () => {
      await embedded.destroy()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/**
 * In memory, where there is plenty: each copy of the template makes a thousand files that are soon deleted, and ext4 without
 * a journal passes over what was just deleted with every file that it makes. Nothing here has to outlast a loss of power.
 */
async function roomyFolder(): Promise<string> {
  const room = await statfs(IN_MEMORY).then(
    ({ type, bsize, bavail }) => (type === TMPFS ? bsize * bavail : 0),
    () => 0,
  )
  return Math.min(room, process.availableMemory()) > PLENTY_BYTES ? IN_MEMORY : tmpdir()
}

async function dropDatabase(url: string, name: string): Promise<void> {
  const admin = connect({ url, max: 1 })
  await sql`drop database if exists ${sql.id(name)}`.execute(admin).finally(() => admin.destroy())
}

function at(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.href
}
