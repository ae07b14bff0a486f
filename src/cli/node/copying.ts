import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { migrations } from '../../../migrations/index.ts'
import { loadConfig } from '../../config.ts'
import { openWhole } from '../../db/open.ts'
import { systemClock } from '../../kernel/clock.ts'
import { StartRefused } from '../../kernel/errors.ts'
import { newId } from '../../kernel/ids.ts'
import { backup } from '../../operations/backup.ts'
import { copyDatabase } from '../../operations/copy.ts'
import { drill } from '../../operations/drill.ts'
import { verifiedManifest } from '../../operations/folder.ts'
import { forgetRestored, noteBackup, noteRestored, restoredNote } from '../../operations/notes.ts'
import { contentsOf, restore } from '../../operations/refill.ts'
import { logStandings, recompute } from '../../provenance/standing.ts'
import { columns, type Output } from '../output.ts'
import { anchorSays } from './anchor-says.ts'
import { besideFiles, keysToRestore } from './beside.ts'
import { entriesMissing, liveLogs } from './live.ts'

const RELEASE = process.env['npm_package_version'] ?? '0.1.0'

/** What is taken along beside the rows. */
export interface BackupArguments {
  keys?: boolean
  epochKeys?: boolean
}

/** One command of these. Once `ended` is aborted it is to fail, and to leave running nothing that it started. */
export interface CopyTask {
  output: Output
  ended: AbortSignal
}

const tables = (output: Output) => ({ onTable: (table: string) => output.say(`  ${table}`) })

const checks = ({ output, ended }: CopyTask) => ({
  ...{ newest: migrations.length, standings: logStandings, recompute, ended },
  onOdd: (origin: string) =>
    output.warn(`the closed log ${origin} is not what its entries make: it is copied as it is`),
  ...tables(output),
})

export async function backUp(task: CopyTask, folder: string, { keys = false, epochKeys = false }: BackupArguments) {
  const { output, ended } = task
  const config = loadConfig(process.env)
  const dir = resolve(folder)
  const beside = besideFiles(config, { keys, epochKeys })
  const whole = await openWhole(config, systemClock)
  const options = { db: whole.db, dir, clock: systemClock, release: RELEASE, beside, ended }
  const manifest = await backup({ ...options, standings: logStandings, ...tables(output) }).finally(() => whole.close())
  noteBackup(config.dataDir, manifest.made_at)
  if (keys) output.warn('this folder holds keys: whoever reads it can sign for the node; encrypt it and keep it apart')
  else output.say('the keys are not in it: without them a restored node cannot start; see --keys')
  if (epochKeys) output.warn('it holds monthly keys: destroy it within 35 days, or what is erased can still be read')
  const { made_at, logs } = manifest
  const rows = manifest.tables.reduce((n, one) => n + one.rows, 0)
  const text = `backup ${dir}  ${rows} rows  ${logs.map(({ origin, size }) => `${origin} ${size}`).join('  ')}`
  output.data({ folder: dir, made_at, rows, schema: manifest.schema, logs }, text)
}

export async function putBack(task: CopyTask, dir: string, withKeys: boolean): Promise<void> {
  const { output, ended } = task
  const config = loadConfig(process.env)
  output.say('verifying')
  const manifest = await verifiedManifest(dir, ended)
  const keys = withKeys ? keysToRestore(dir, manifest, config) : undefined
  const { made_at } = manifest
  const target = await openWhole(config, systemClock)
  try {
    ended.throwIfAborted()
    const earlier = restoredNote(config.dataDir)
    const sizes = manifest.logs.map(({ size }) => size)
    // Both before the rows: those cannot be restored again, and a restore that nobody is told of must not be possible.
    const placed = keys?.go() ?? []
    noteRestored(config.dataDir, { event_id: newId(systemClock()), made_at, sizes })
    let filled = false
    const onCommit = (): void => {
      filled = true
    }
    const options = { target, ...checks(task), onCommit }
    const logs = await restore(contentsOf(dir, manifest), options).catch((error: unknown) => {
      if (filled) output.warn('the database is filled, or may be filled: if it is, aldis migrate, and start the node')
      else if (earlier === undefined) forgetRestored(config.dataDir)
      else noteRestored(config.dataDir, earlier)
      throw error
    })
    const anchor = await anchorSays(config, logs.at(-1))
    output.data(
      { folder: dir, made_at, keys: placed.length, logs: manifest.logs, anchor },
      `restored ${made_at}\n${anchor.says}`,
    )
  } finally {
    await target.close()
  }
}

export async function rehearse(task: CopyTask, dir: string, where: string): Promise<void> {
  const { output } = task
  const temporary = mkdtempSync(join(where, 'aldis-drill-'))
  try {
    // Else the database's account cannot enter it, and the data would go where nobody said that there is room.
    if (process.getuid?.() === 0) chmodSync(temporary, 0o711)
    const open = () => openWhole({ databaseUrl: undefined, dataDir: temporary }, systemClock)
    const done = await drill({ dir, clock: systemClock, open, ...checks(task) })
    const { manifest, rpoSeconds, rtoSeconds } = done
    const live = await liveLogs(loadConfig(process.env))
    const last = manifest.logs.at(-1)
    const missing = live === undefined ? null : String(entriesMissing(live, manifest.logs))
    const newest = last?.newest ? `its newest entry is of ${last.newest}` : 'its log is empty'
    const lost = missing === null ? 'the live log was not reached' : `the live logs have ${missing} entries more`
    output.data(
      {
        ...{ folder: dir, held: true, rpo_seconds: rpoSeconds, rto_seconds: rtoSeconds, live_entries_missing: missing },
        ...{ made_at: manifest.made_at, newest_entry: last?.newest ?? null, logs: manifest.logs },
        tables: Object.fromEntries(manifest.tables.map(({ table, rows }) => [table, rows])),
      },
      [
        columns(manifest.tables.map(({ table, rows }) => [`  ${table}`, String(rows)])),
        ...manifest.logs.map(({ origin, size, root }) => `log  ${origin}  ${size}  ${root}`),
        `RPO  ${Math.round(rpoSeconds)} s since the backup; ${newest}; ${lost}`,
        `RTO  ${rtoSeconds.toFixed(1)} s on this machine, the way of the backup to it not counted`,
      ].join('\n'),
    )
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

export async function move(task: CopyTask, to: string): Promise<void> {
  const { output } = task
  const config = loadConfig(process.env)
  const url = /^postgres(ql)?:\/\//.test(to) ? to : readFileSync(to, 'utf8').trim()
  // The same rules as for the setting that it will be.
  const { databaseUrl } = loadConfig({ DATABASE_URL: url })
  // Without one the target would be the embedded database of DATA_DIR, which nobody asked for.
  if (databaseUrl === undefined) throw new StartRefused('--to: names no database')
  const source = await openWhole(config, systemClock)
  try {
    const target = await openWhole({ databaseUrl, dataDir: config.dataDir }, systemClock)
    const copied = await copyDatabase(source, { target, ...checks(task) }).finally(() => target.close())
    const anchor = await anchorSays(config, copied.logs.at(-1))
    output.data(
      { tables: Object.fromEntries(copied.tables.map(({ table, rows }) => [table, rows])), anchor },
      [
        columns(copied.tables.map(({ table, rows }) => [`  ${table}`, String(rows)])),
        'copied, counted, the log recomputed. Now set DATABASE_URL to it, start the node, and never again on the old one,',
        'of which nothing was deleted',
        anchor.says,
      ].join('\n'),
    )
  } finally {
    await source.close()
  }
}
