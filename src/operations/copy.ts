import { PassThrough } from 'node:stream'
import type { Sink } from '../db/copy-stream.ts'
import { atOneMoment, copyTableOut, countRows, nodeConnections, tablesInOrder } from '../db/dump.ts'
import type { WholeDatabase } from '../db/open.ts'
import { drained } from '../kernel/drained.ts'
import type { LogStanding } from '../provenance/standing.ts'
import { manifestLog } from './backup.ts'
import { type RestoreOptions, restore } from './refill.ts'
import { CopyRefused } from './refused.ts'

export interface Copied {
  logs: LogStanding[]
  tables: { table: string; rows: number }[]
}

/**
 * One database into another, empty one, without a backup between: rows counted and logs recomputed on the far side. No
 * node may run on the source, which would go on where the copy ends; nothing of it is changed. Throws `CopyRefused`.
 */
export async function copyDatabase(source: WholeDatabase, options: RestoreOptions): Promise<Copied> {
  if (source.version === 0) throw new CopyRefused('no-database', 'the source has no schema of ours')
  if (source.inUse) throw new CopyRefused('in-use', 'the source is the embedded database of another process')
  return atOneMoment(source.db, async (tx) => {
    if ((await nodeConnections(tx)) > 0) throw new CopyRefused('in-use', 'the source has connections of a node')
    const logs = (await options.standings(tx)).map(manifestLog)
    const shapes = new Map((await tablesInOrder(tx)).map((shape) => [shape.table, shape]))
    const tables = []
    for (const shape of shapes.values()) tables.push({ ...shape, rows: await countRows(tx, shape.table) })
    const rowsOf = (table: string): AsyncIterable<Uint8Array> =>
      through((sink) => copyTableOut(tx, shapes.get(table) ?? { table, columns: [] }, sink))
    const made = await restore({ schema: source.version, logs, tables, rowsOf }, options)
    return { logs: made, tables: tables.map(({ table, rows }) => ({ table, rows })) }
  })
}

/** What is pushed, to be pulled; whoever stops pulling stops the pushing. */
async function* through(push: (sink: Sink) => Promise<unknown>): AsyncGenerator<Uint8Array> {
  const pipe = new PassThrough()
  const pushed = push(async (bytes) => {
    if (!pipe.destroyed && !pipe.write(bytes)) await drained(pipe)
    if (pipe.destroyed) throw new Error('nobody takes the rows any more')
  }).then(
    () => void pipe.end(),
    (error: Error) => void pipe.destroy(error),
  )
  yield* pipe as AsyncIterable<Uint8Array>
  await pushed
}
