import type { Socket } from 'node:net'
import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  Transaction,
} from 'kysely'
import pg from 'pg'
import { copyFrom, copyOut, copyTo } from './copy-stream.ts'
import { createDriver, type DriverClient } from './driver.ts'
import type { Database } from './tables.ts'

/** A pool. Reads may use it as it stands; whatever changes something goes through an opener of as-participant.ts. */
export type Db = Kysely<Database>

export interface ConnectionConfig {
  /** A folder means a Unix socket. */
  host: string
  port?: number
  database: string
  user: string
  password?: string
}

export interface ConnectOptions {
  /** libpq's form; a socket's folder is the percent-encoded host. Either this or `config`. */
  url?: string
  config?: ConnectionConfig
  /** Logs in as this role instead of the one in `url` or `config`. */
  role?: string
  /** Connections at most. */
  max: number
  /** Called with the text of each statement as it is sent, transaction control included. Never sees a value. */
  statementLog?: (sql: string) => void
  /** Milliseconds; 10,000 unless said otherwise. See `createDriver`. */
  commitTimeoutMs?: number
  /**
   * Keeps some statements prepared (`executeKept`), which takes the same server session for as long as a connection lives: not
   * behind a transaction pooler.
   */
  keepsStatements?: boolean
  /** Told of connections that died while idle; the pool replaces them by itself. */
  onIdleError?: (error: Error) => void
}

const CONNECT_TIMEOUT_MS = 1_500
const COMMIT_TIMEOUT_MS = 10_000

const INT8 = 20
const INT8_ARRAY = 1016
const DATE = 1082

const pools = new WeakMap<object, pg.Pool>()
let emitted: Set<string> | undefined

/**
 * A lazily opened pool: bigint for `int8`, Date for `timestamptz`, `YYYY-MM-DD` for `date`, Buffer for `bytea`. It
 * sends no startup options, which transaction poolers refuse; limits live on the roles and in the transactions.
 */
export function connect(options: ConnectOptions): Db {
  const { max, statementLog, commitTimeoutMs = COMMIT_TIMEOUT_MS, keepsStatements = false, onIdleError } = options
  const pool = new pg.Pool({
    ...address(options),
    max,
    pipeline: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: { getTypeParser: typeParser },
  })
  pool.on('error', (error) => onIdleError?.(error))
  // A checked-out client has no other listener: its error would end the process. Its query fails anyway.
  pool.on('connect', (client) => client.on('error', () => {}))
  const onStatement = (sql: string) => {
    emitted?.add(sql)
    statementLog?.(sql)
  }
  const driver = () =>
    createDriver(
      { connect: async () => driverClient(await pool.connect()), end: () => pool.end() },
      { commitTimeoutMs, onStatement, keepsStatements },
    )
  const db: Db = new Kysely<Database>({ dialect: dialectOf(driver) })
  pools.set(db, pool)
  return db
}

const dialectOf = (createDriver: () => Driver): Dialect => ({
  createAdapter: () => new PostgresAdapter(),
  createDriver,
  createIntrospector: (kysely) => new PostgresIntrospector(kysely),
  createQueryCompiler: () => new PostgresQueryCompiler(),
})

/** Of a transaction, which has its connection. */
const none = (): never => {
  throw new TypeError('a transaction opens no connection')
}
const NO_DRIVER: Driver = {
  ...{ init: none, acquireConnection: none, beginTransaction: none, commitTransaction: none },
  ...{ rollbackTransaction: none, releaseConnection: none, destroy: none },
}
const WITHIN = dialectOf(() => NO_DRIVER)

/**
 * The same open transaction, of which statements that are asked for together go out together, in their order: Kysely itself
 * sends each once the one before is answered.
 */
export function pipelined(tx: Transaction<Database>, connection: DatabaseConnection): Transaction<Database> {
  const executor = tx.getExecutor().withConnectionProvider({ provideConnection: async (use) => use(connection) })
  return new Transaction<Database>({ config: { dialect: WITHIN }, dialect: WITHIN, driver: NO_DRIVER, executor })
}

/** Connections of the pool at most. */
export const poolSize = (db: Db): number => pools.get(db)?.options.max ?? 1

/** Connections of the pool, those idle, and requests waiting for one. */
export function poolState(db: Db): { total: number; idle: number; waiting: number } {
  const pool = pools.get(db)
  return { total: pool?.totalCount ?? 0, idle: pool?.idleCount ?? 0, waiting: pool?.waitingCount ?? 0 }
}

/** From now on every pool of this process keeps each distinct statement text. For tests: it grows without bound. */
export function collectSql(): void {
  emitted = new Set()
}

/** Every distinct statement text since `collectSql`; empty without it. */
export const emittedSql = (): ReadonlySet<string> => emitted ?? new Set()

function address({ url, config, role }: ConnectOptions): pg.PoolConfig {
  if (config !== undefined) return role === undefined ? { ...config } : { ...config, user: role }
  if (url === undefined) throw new TypeError('connect needs a url or a config')
  if (role === undefined) return { connectionString: url }
  const as = new URL(url)
  as.username = encodeURIComponent(role)
  return { connectionString: as.href }
}

const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  [INT8]: BigInt,
  [INT8_ARRAY]: (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(bigintOrNull)),
  [DATE]: (text) => text,
}

const bigintOrNull = (text: string): bigint | null => (text === 'NULL' ? null : BigInt(text))

const typeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  (format === 'binary' ? undefined : parsers[oid]) ?? pg.types.getTypeParser(oid, format)

function driverClient(client: pg.PoolClient): DriverClient {
  const together = sentTogether(streamOf(client))
  return {
    query(query) {
      together()
      return client.query(query)
    },
    copyOut: (text, take) => copyOut(client, text, take),
    copyTo: (text, sink) => copyTo(client, text, sink),
    copyFrom: (text, source) => copyFrom(client, text, source),
    release: (destroy) => client.release(destroy),
    onNotice: (listener) => {
      const heard = ({ code }: { code?: string | undefined }) => listener(code)
      client.on('notice', heard)
      return () => client.off('notice', heard)
    },
    destroySocket: () => streamOf(client)?.destroy(),
  }
}

/**
 * What is sent in one turn goes out at once, such as what opens a transaction with its first statement: each message wakes the
 * server's process, and each of its answers ours.
 */
function sentTogether(stream: Socket | undefined): () => void {
  let corked = false
  return () => {
    if (corked || stream === undefined) return
    corked = true
    stream.cork()
    process.nextTick(() => {
      corked = false
      stream.uncork()
    })
  }
}

/** `pg` has no public way to cut a connection whose query is still running, nor to hold it back. */
function streamOf(client: object): Socket | undefined {
  const { connection } = client as { connection?: { stream?: Socket } }
  return connection?.stream
}
