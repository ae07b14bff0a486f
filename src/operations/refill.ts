import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Db } from '../db/connect.ts'
import {
  analyse,
  copyTableIn,
  filledTables,
  inOneStep,
  nodeConnections,
  type TableShape,
  tablesInOrder,
  type WholeTx,
} from '../db/dump.ts'
import type { WholeDatabase } from '../db/open.ts'
import { LogHalted } from '../provenance/anchor.ts'
import type { LogStanding } from '../provenance/standing.ts'
import { manifestLog } from './backup.ts'
import type { Manifest } from './manifest.ts'
import { CopyRefused } from './refused.ts'

/** What fills a database: the rows of each table, how many they are, and the logs that they make. */
export interface Contents extends Pick<Manifest, 'schema' | 'logs'> {
  tables: readonly (TableShape & { rows: number })[]
  rowsOf(table: string): AsyncIterable<Uint8Array>
}

export interface RestoreOptions {
  target: WholeDatabase
  /** The newest schema that this release knows. */
  newest: number
  standings(db: Db): Promise<LogStanding[]>
  /** Throws where the entries do not make the root that the log names. */
  recompute(db: Db, log: LogStanding): Promise<void>
  onTable(table: string): void
  /** Told of a closed log whose entries do not make its root. */
  onOdd(origin: string): void
  /** Told before the COMMIT: from then on a failure does not mean that the target is empty. */
  onCommit?(): void
  /** Once it is aborted the restore fails, unless its COMMIT has begun. */
  ended?: AbortSignal
}

/** A verified backup's rows; `verifiedManifest` has read every file. */
export const contentsOf = (dir: string, { schema, logs, tables }: Manifest): Contents => {
  const files = new Map(tables.map(({ table, file }) => [table, file]))
  return { schema, logs, tables, rowsOf: (table) => createReadStream(join(dir, files.get(table) ?? table)) }
}

/**
 * Fills an empty database in one transaction, checks rows and logs before it commits, then brings the schema up to this
 * release. Throws `CopyRefused`, and leaves the target empty; so does what fails before `onCommit`.
 */
export async function restore(contents: Contents, options: RestoreOptions): Promise<LogStanding[]> {
  const { target, newest, standings, onTable, ended } = options
  const { schema } = contents
  if (schema > newest) throw new CopyRefused('schema-newer', `its schema is version ${schema}, ours is ${newest}`)
  if (target.version > schema)
    throw new CopyRefused('schema-other', `its schema is version ${schema}, that of the target ${target.version}`)
  if (target.inUse) throw new CopyRefused('in-use', 'the target is the embedded database of another process')
  ended?.throwIfAborted()
  await target.prepare(schema)
  const logs = await inOneStep(target.db, async (tx) => {
    await assertFree(tx, contents)
    for (const { table, columns, rows } of contents.tables) {
      onTable(table)
      const came = await copyTableIn(tx, { table, columns }, untilEnded(contents.rowsOf(table), ended))
      if (came !== rows) throw new CopyRefused('damaged', `${table} has ${came} rows of ${rows}`)
    }
    const made = await standings(tx)
    await assertLogs(tx, { contents, made, options })
    ended?.throwIfAborted()
    options.onCommit?.()
    return made
  })
  await target.prepare(newest)
  await analyse(target.db)
  return logs
}

/** One table may take hours. */
async function* untilEnded(rows: AsyncIterable<Uint8Array>, ended: AbortSignal | undefined) {
  for await (const bytes of rows) {
    ended?.throwIfAborted()
    yield bytes
  }
}

/** The target is empty, nobody uses it, and its tables are those of the contents. */
async function assertFree(tx: WholeTx, { tables }: Contents): Promise<void> {
  const shapes = await tablesInOrder(tx)
  const [filled] = await filledTables(tx, shapes)
  if (filled !== undefined) throw new CopyRefused('target-filled', `the target has rows in ${filled}`)
  if ((await nodeConnections(tx)) > 0) throw new CopyRefused('in-use', 'the target has connections of a node')
  const text = (list: readonly TableShape[]): string =>
    JSON.stringify(list.map(({ table, columns }) => [table, [...columns].sort()]).sort())
  if (text(shapes) !== text(tables)) throw new CopyRefused('schema-other', 'its tables are not those of its schema')
}

interface Made {
  contents: Contents
  made: readonly LogStanding[]
  options: Pick<RestoreOptions, 'recompute' | 'onOdd' | 'ended'>
}

/** The present log must be what its entries make. A closed one may have been closed because it is not; it is named. */
async function assertLogs(tx: WholeTx, { contents, made, options }: Made): Promise<void> {
  if (JSON.stringify(made.map(manifestLog)) !== JSON.stringify(contents.logs))
    throw new CopyRefused('root-differs', 'the rows make other logs than the manifest names')
  for (const log of made) {
    await unlessEnded(options.recompute(tx, log), options.ended).catch((cause: unknown) => {
      if (!(cause instanceof LogHalted)) throw cause
      if (log === made.at(-1))
        throw new CopyRefused('root-differs', `the log ${log.origin} does not recompute`, { cause })
      options.onOdd(log.origin)
    })
  }
}

/** Whoever recomputes only reads: what it reads after its transaction is over fails, and nobody waits for it. */
async function unlessEnded(work: Promise<void>, ended: AbortSignal | undefined): Promise<void> {
  const { promise, reject } = Promise.withResolvers<void>()
  const end = (): void => reject(ended?.reason)
  if (ended?.aborted === true) end()
  ended?.addEventListener('abort', end)
  await Promise.race([promise, work]).finally(() => ended?.removeEventListener('abort', end))
}
