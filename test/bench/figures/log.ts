import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import { exportLog } from '../../../src/client/log-export.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { decodeBatch } from '../../../src/provenance/batch.ts'
import { leafHash } from '../../../src/provenance/merkle.ts'
import type { Told } from '../audit.ts'
import { type LogWorld, openLogWorld } from '../log-world.ts'
import { type Measured, type Row, rowOf, type Spec } from '../measure.ts'
import { ROOT } from '../root.ts'
import type { World } from '../world.ts'

const BATCH = 4_096
const AT_ONCE = 50_000
const PROGRAM = join(ROOT, 'dist/test/bench/audit.js')
/** Where the system can hold a process to one core, garbage collector and all. */
const ONE_CORE = existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', '0'] : []
const run = promisify(execFile)

/** The log that both figures measure: the second goes on where the first ended. */
export interface Logs {
  open(world: World): Promise<LogWorld>
  end(): Promise<void>
}

export function createLogs(): Logs {
  let opened: Promise<LogWorld> | undefined
  return {
    open: (world) => {
      opened ??= openLogWorld(world)
      return opened
    },
    end: async () => (await opened)?.end(),
  }
}

/** Changes that wait get their index: entries, chain, tiles, root, head, and leave the outbox, each its own commit. */
export function logIntegrate({ world, logs, count }: { world: World; logs: Logs; count: number }): Spec {
  const n = Math.ceil((4 * count) / BATCH) * BATCH
  const written = { from: 0n, to: 0n }
  return {
    name: 'log.integrate',
    what: `changes of one party given their index, ${BATCH.toLocaleString('en')} a batch, until the fence stands behind them`,
    unit: 'entries/s',
    target: 40_000,
    absolute: true,
    rounds: 5,
    warmups: 1,
    measured: async (timed) => {
      const log = await logs.open(world)
      await log.sign()
      await log.wait(n)
      written.from = await log.size()
      const { seconds } = await timed(() => log.integrate())
      written.to = await log.size()
      return n / seconds
    },
    reference: {
      what: 'the leaf hashes of the same entries, and one COPY of the rows of the same bytes into one table',
      run: async (timed) => {
        const { owner } = await logs.open(world)
        const batches = await owner
          .selectFrom('log_batch')
          .select(['n', 'data'])
          .where('first_idx', '>=', written.from)
          .where('first_idx', '<', written.to)
          .execute()
        const entries = batches.flatMap((batch) => decodeBatch(batch.data, batch.n).map(({ entry }) => entry))
        const copy = await openCopy(world, written)
        const { seconds } = await timed(async () => {
          for (const entry of entries) leafHash(sha256, entry)
          await copy.put()
        })
        await copy.end()
        return entries.length / seconds
      },
    },
  }
}

/** The packed rows of a round, read out before the clock runs. */
async function openCopy(world: World, { from: first, to: end }: { from: bigint; to: bigint }) {
  const db = new pg.Client({ connectionString: world.url('postgres', 'bench_log') })
  await db.connect()
  await db.query('create table if not exists bench_copy (first_idx bigint primary key, data bytea not null)')
  await db.query('truncate bench_copy')
  const rows = `select first_idx, data from log_batch where first_idx >= ${first} and first_idx < ${end}`
  const chunks: Buffer[] = []
  for await (const chunk of db.query(to(`copy (${rows}) to stdout`))) chunks.push(chunk as Buffer)
  await db.query('checkpoint')
  return {
    put: async () => {
      const copy = db.query(from('copy bench_copy from stdin'))
      const done = once(copy, 'finish')
      for (const chunk of chunks) if (!copy.write(chunk)) await once(copy, 'drain')
      copy.end()
      await done
    },
    end: () => db.end(),
  }
}

/** The program of audits, on one core; throws where it finds anything. */
export async function inAudit(...args: string[]): Promise<Told> {
  const [command = '', ...before] = [...ONE_CORE, process.execPath]
  const { stdout } = await run(command, [...before, PROGRAM, ...args])
  const told = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Told
  if (told.result !== 'PASS') throw new Error(`${told.result}\n${stdout}`)
  return told
}

/** Checks 1 to 4 of a whole exported log on one core; each round adds the most memory that it took to `rss`. */
export function logAudit({
  world,
  logs,
  entries,
  rss,
}: {
  world: World
  logs: Logs
  entries: number
  rss: number[]
}): Spec {
  const [dir, kept] = [join(world.dir, 'audited'), join(world.dir, 'kept.checkpoint')]
  let ready: Promise<number> | undefined
  let size = entries
  return {
    name: 'log.audit',
    what: `checks 1 to 4 of an exported log of ${entries.toLocaleString('en')} entries, in a process of its own`,
    unit: 'entries/s',
    target: Math.ceil(1_000_000 / 60),
    absolute: true,
    rounds: 5,
    warmups: 1,
    measured: async (timed) => {
      ready ??= exported({ log: await logs.open(world), entries, dir, kept })
      size = await ready
      const { result } = await timed(() => inAudit('audit', dir, kept))
      rss.push(result.rss / 1e6)
      return size / result.seconds
    },
    reference: {
      what: 'SHA-256 of as many leaves and nodes, and nothing else',
      run: async (timed) => size / (await timed(() => inAudit('hash', String(size)))).result.seconds,
    },
  }
}

/** Memory of the very audits that were measured; the warm-up is not among them. */
export function auditRss(row: Row, rss: readonly number[]): Row {
  const { measured } = row.cpu
  const all: Measured = { values: rss.slice(-row.runs), references: [], measured, reference: measured }
  const spec = { name: `${row.name}.rss`, what: 'largest resident memory of these audits' }
  return rowOf({ ...spec, unit: 'MB', target: 500, less: true }, all)
}

interface Exporting {
  log: LogWorld
  entries: number
  dir: string
  kept: string
}

/**
 * Fills the log up through the integrator, if it has not that many already, and writes it out; what was signed at a tenth is
 * kept to compare with. Answers its entries.
 */
async function exported({ log, entries, dir, kept }: Exporting): Promise<number> {
  const grow = async (size: number): Promise<void> => {
    for (let now = Number(await log.size()); now < size; now = Number(await log.size())) {
      await log.wait(Math.min(AT_ONCE, size - now))
      await log.integrate()
      await log.sign()
    }
  }
  await log.sign()
  await grow(Math.ceil(entries / 10))
  writeFileSync(kept, await log.note())
  await grow(entries)
  await exportLog({ source: log.files, vkey: log.vkey, dir })
  return Number(await log.size())
}
