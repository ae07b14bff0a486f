import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '../../../src/client/client.ts'
import { exportLog } from '../../../src/client/log-export.ts'
import { nodeLog } from '../../../src/client/log-source.ts'
import { exportRecords, exportSnapshot } from '../../../src/client/record-files.ts'
import { submissionOf } from '../items.ts'
import type { Spec } from '../measure.ts'
import { requestOf, served } from '../wire.ts'
import type { World } from '../world.ts'
import { inAudit } from './log.ts'
import { wiresOf } from './lookup.ts'
import { until } from './single.ts'

const CLIENTS = 256
const SECONDS = 600

export interface WholeAudit {
  world: World
  entries: number
  from: number
  /** Each round adds the most memory that it took, MB. */
  rss: number[]
}

/** Every check of an exported log with its records and the state that they make, on one core. */
export function logAuditWhole({ world, entries, from, rss }: WholeAudit): Spec {
  const [dir, kept] = [join(world.dir, 'whole'), join(world.dir, 'whole.checkpoint')]
  let ready: Promise<bigint> | undefined
  return {
    name: 'log.audit.whole',
    what: `every check of the log of a node that took submissions until it had ${entries.toLocaleString('en')} entries: tree, records and state as exported; \`aldis audit\` in a process of its own`,
    unit: 'entries/s',
    target: Math.ceil(1_000_000 / SECONDS),
    absolute: true,
    rounds: 1,
    warmups: 0,
    measured: async (timed) => {
      ready ??= exported({ world, entries, from, dir, kept })
      const size = await ready
      const { result } = await timed(() => inAudit('whole', dir, kept))
      rss.push(result.rss / 1e6)
      return Number(size) / result.seconds
    },
  }
}

/** Submits one signal after the other, and exports as `aldis log export --records` does. Answers how many entries there are. */
async function exported({
  world,
  entries,
  from,
  dir,
  kept,
}: Omit<WholeAudit, 'rss'> & { dir: string; kept: string }): Promise<bigint> {
  const client = createClient({ origin: world.node().addresses.partner, ...(await world.auditor()) })
  try {
    writeFileSync(kept, await client.checkpoint())
    await fill(world, entries, from)
    await exportSnapshot(client, dir)
    const { size } = await exportLog({ source: nodeLog(client), vkey: await client.logKey(), dir })
    await exportRecords(client, { dir, size })
    return size
  } finally {
    client.close()
  }
}

async function fill(world: World, entries: number, from: number): Promise<void> {
  const { rows } = await world.db.query<{ size: string }>('select size from log_head')
  let left = entries - Number(rows[0]?.size)
  const send = async (wire: ReturnType<typeof wiresOf>[number], i: number): Promise<void> => {
    const member = world.members[i % world.members.length]
    if (member === undefined) throw new Error('no member')
    while (left > 0) {
      left -= 1
      const submission = await submissionOf(member, { from: from + left, n: 1, audience: world.audience })
      await served(wire, requestOf('POST', '/v1/submissions', JSON.stringify(submission)), 201)
    }
  }
  await Promise.all(wiresOf(world, CLIENTS).map(send))
  await until(world, 'select count(*) = 0 as done from prov_outbox')
  await until(world, 'select (select size from log_head) <= (select size from log_published) as done')
}
