import { join } from 'node:path'
import { migrations } from '../../migrations/index.ts'
import type { Clock } from '../kernel/clock.ts'
import { checkServer } from './check-server.ts'
import { connect, type Db } from './connect.ts'
import { type EmbeddedPostgres, startEmbedded } from './embedded.ts'
import type { EmbeddedLogger } from './embedded-alive.ts'
import { sqlState } from './failure.ts'
import { assertSchema, migrate, schemaVersion } from './migrate.ts'
import { assertLoginRole, ensureDatabase, ensureRoles, LOGIN_ROLES, type LoginRole } from './roles.ts'

export interface DatabasePlace {
  /** Absent: the embedded server, in `dataDir`. */
  databaseUrl: string | undefined
  dataDir: string
}

/** A database that is there, of this version of the schema, and whose login roles are bound by row-level security. */
export interface OpenDatabase {
  pool(role: LoginRole, max: number): Db
  /** For another thread of this process, which joins it. Holds a password, if there is one. */
  readonly url: string
  readonly embedded: EmbeddedPostgres | undefined
  /** Stops the embedded server if this process supervises it; after all pools were closed. */
  close(): Promise<void>
}

const NAME = 'aldis'

/** The whole of a database, by the role that settings name: for copies, which are nobody's request. */
export interface WholeDatabase {
  db: Db
  /** Of the schema; 0 where there is none yet. */
  version: number
  /** Whether the server is the embedded one of a process that lives, such as a node. */
  inUse: boolean
  /** Roles, database and schema up to a version of it, and no further. */
  prepare(version: number): Promise<void>
  close(): Promise<void>
  /** Closes, and deletes the embedded database; for one that was made to be thrown away. */
  discard(): Promise<void>
}

/** As it stands: neither made nor migrated. The embedded server is started if it does not run. */
export async function openWhole(place: DatabasePlace, clock: Clock): Promise<WholeDatabase> {
  const { databaseUrl, dataDir } = place
  const embedded = databaseUrl === undefined ? await startEmbedded({ dataDir: join(dataDir, 'postgres') }) : undefined
  const urlOf = embedded === undefined ? given(databaseUrl ?? '') : inEmbedded(embedded)
  const db = connect({ url: urlOf(), max: 1 })
  const close = async (): Promise<void> => {
    await db.destroy()
    await embedded?.stop()
  }
  try {
    return {
      ...{ db, close, version: await versionOf(db), inUse: embedded?.supervised === false },
      discard: async () => {
        await close()
        await embedded?.destroy()
      },
      prepare: async (version) => void (await prepareDatabase(urlOf, clock, version)),
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** `invalid_catalog_name`: the database itself is still to be made. */
const versionOf = (db: Db): Promise<number> =>
  schemaVersion(db).catch((error: unknown) => {
    if (sqlState(error) !== '3D000') throw error
    return 0
  })

/** Roles, database and schema, made or brought up to the code. Safe to repeat. Answers the migrations applied. */
async function prepareDatabase(
  urlOf: (database?: string) => string,
  clock: Clock,
  version = migrations.length,
): Promise<string[]> {
  const server = connect({ url: urlOf('postgres'), max: 1 })
  const { password, pathname } = new URL(urlOf())
  try {
    await ensureRoles(server, password === '' ? undefined : decodeURIComponent(password))
    await ensureDatabase(server, pathname.slice(1))
  } finally {
    await server.destroy()
  }
  const db = connect({ url: urlOf(), max: 1 })
  return migrate(db, migrations.slice(0, version), clock).finally(() => db.destroy())
}

/** Brings the database that settings name up to the code; for `aldis migrate`. */
export async function migrateAt(place: DatabasePlace, clock: Clock): Promise<string[]> {
  if (place.databaseUrl !== undefined) return prepareDatabase(given(place.databaseUrl), clock)
  const server = await startEmbedded({ dataDir: join(place.dataDir, 'postgres') })
  return prepareDatabase(inEmbedded(server), clock).finally(() => server.stop())
}

/**
 * Opens the database that settings name. The embedded one is started and migrated; another must have been migrated, by
 * whoever operates it: `StartRefused` says what is missing.
 */
export async function openDatabase(
  place: DatabasePlace,
  { clock, logger }: { clock: Clock; logger?: EmbeddedLogger },
): Promise<OpenDatabase> {
  const { databaseUrl, dataDir } = place
  const embedded =
    databaseUrl === undefined
      ? await startEmbedded({ dataDir: join(dataDir, 'postgres'), ...(logger === undefined ? {} : { logger }) })
      : undefined
  const close = async (): Promise<void> => embedded?.stop()
  const urlOf = embedded === undefined ? given(databaseUrl ?? '') : inEmbedded(embedded)
  try {
    if (embedded !== undefined) await prepareDatabase(urlOf, clock)
    await checkOpen(urlOf(), embedded !== undefined)
  } catch (error) {
    await close()
    throw error
  }
  return { embedded, close, ...joinDatabase(urlOf(), { embedded: embedded !== undefined }) }
}

/** Each role by itself: settings and attributes are of one, and each of them writes. */
async function checkOpen(url: string, embedded: boolean): Promise<void> {
  for (const role of LOGIN_ROLES) {
    const db = connect({ url, role, max: 1 })
    try {
      await checkServer(db, { embedded })
      await assertLoginRole(db)
      if (role === 'aldis_app') await assertSchema(db, migrations)
    } finally {
      await db.destroy()
    }
  }
}

/** A database that this process has opened already. Nothing stands between us and the embedded one. */
export const joinDatabase = (url: string, { embedded }: { embedded: boolean }): Pick<OpenDatabase, 'pool' | 'url'> => ({
  url,
  pool: (role, max) => connect({ url, role, max, keepsStatements: embedded }),
})

const inEmbedded =
  (server: EmbeddedPostgres) =>
  (database = NAME): string =>
    server.url('postgres', database)

const given =
  (databaseUrl: string) =>
  (database?: string): string => {
    const url = new URL(databaseUrl)
    if (database !== undefined) url.pathname = `/${database}`
    return url.href
  }
