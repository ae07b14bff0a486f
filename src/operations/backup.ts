import { readFile } from 'node:fs/promises'
import type { Db } from '../db/connect.ts'
import { atOneMoment, copyTableOut, tablesInOrder } from '../db/dump.ts'
import { schemaVersion } from '../db/migrate.ts'
import { toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import type { LogStanding } from '../provenance/standing.ts'
import { newFolder } from './folder.ts'
import type { Manifest, ManifestLog } from './manifest.ts'
import { CopyRefused } from './refused.ts'

/** A file beside the database, and its name within the backup. */
export interface BesideFile {
  path: string
  name: string
}

export interface BackupOptions {
  /** Of a role that sees every row. */
  db: Db
  dir: string
  clock: Clock
  release: string
  beside: readonly BesideFile[]
  standings(db: Db): Promise<LogStanding[]>
  onTable(table: string): void
  /** Once it is aborted the backup fails. */
  ended?: AbortSignal
}

/**
 * One moment of the database as files, while the node writes on: every table by COPY, then the manifest, then the sums
 * that make it a backup. What a crash leaves has no sums. Throws `CopyRefused`.
 */
export async function backup(options: BackupOptions): Promise<Manifest> {
  const { db, dir, clock, release, beside, standings, onTable, ended } = options
  const folder = await newFolder(dir)
  // What is committed from here on may be missing.
  const made_at = clock().toISOString()
  return atOneMoment(db, async (tx) => {
    const schema = await schemaVersion(tx)
    if (schema === 0) throw new CopyRefused('no-database', 'there is no schema of ours')
    const logs = (await standings(tx)).map(manifestLog)
    const tables: Manifest['tables'] = []
    for (const shape of await tablesInOrder(tx)) {
      onTable(shape.table)
      const file = `tables/${shape.table}.copy`
      let rows = 0
      await folder.file(file, async (write) => {
        rows = await copyTableOut(tx, shape, async (bytes) => {
          ended?.throwIfAborted()
          await write(bytes)
        })
      })
      tables.push({ table: shape.table, columns: [...shape.columns], rows, file })
    }
    for (const { path, name } of beside) await folder.file(name, async (write) => write(await readFile(path)))
    const files = beside.map(({ name }) => name)
    const manifest: Manifest = { format: 'aldis-backup/1', made_at, release, schema, logs, tables, files }
    await folder.finish(manifest)
    return manifest
  })
}

export const manifestLog = (log: LogStanding): ManifestLog => ({
  ...{ log_id: log.log_id, origin: log.origin, size: String(log.size), root: toHex(log.root) },
  ...{ signed: String(log.signed), signed_root: toHex(log.signed_root), newest: log.newest?.toISOString() ?? null },
})
