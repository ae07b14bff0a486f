import { type Measured, type Row, rowOf, type Spec } from '../measure.ts'
import type { Driven } from '../reads.ts'
import { openWire, requestOf, served } from '../wire.ts'
import type { World } from '../world.ts'

const TARGET = 10_000
/** A little more, which a load that is steady can only come near to. */
const READS_PER_SECOND = 11_000
const PARTICIPANTS = 50
const LEAVES = 'read.journal.leaves'
const LEAVES_TARGET = 50

/** Reads committed at the journal service while they become entries; each round adds to `leaves` how many entries a second. */
export function readJournal({ world, seconds, leaves }: { world: World; seconds: number; leaves: number[] }): Spec {
  const [member] = world.members
  if (member === undefined) throw new Error('no member')
  const wire = openWire(world.node().addresses.partner, member.tls)
  return {
    name: 'read.journal',
    what: `disclosing reads committed at the journal service, ${READS_PER_SECOND.toLocaleString('en')} a second asked for in the names of ${PARTICIPANTS} participants`,
    unit: 'reads/s',
    target: TARGET,
    rounds: 3,
    warmups: 1,
    measured: async (timed) => {
      await admitUpTo(world, PARTICIPANTS)
      const before = await batches(world)
      const path = `/bench/reads?seconds=${2 * seconds}&per_second=${READS_PER_SECOND}&participants=${PARTICIPANTS}`
      const { result, seconds: took } = await timed(async () => {
        const { body } = await served(wire, requestOf('GET', path), 200)
        await drained(world)
        return JSON.parse(body.toString()) as Driven
      })
      leaves.push(((await batches(world)) - before) / took)
      return result.reads / result.seconds
    },
  }
}

/** Entries a second of the very reads that were measured; the warm-up is not among them. */
export function leavesOf(row: Row, leaves: readonly number[]): Row {
  const { measured } = row.cpu
  const all: Measured = { values: leaves.slice(-row.runs), references: [], measured, reference: measured }
  return rowOf(
    {
      name: LEAVES,
      what: 'entries of the log that these reads became',
      ...{ unit: 'leaves/s', target: LEAVES_TARGET, less: true },
    },
    all,
  )
}

/** Participants without credentials: they only lend their names. */
async function admitUpTo({ db }: World, n: number): Promise<void> {
  await db.query(
    `insert into participant (participant_id, slug, name, kind, status, admitted_at, last_event)
     select gen_random_uuid(), 'reader-' || i, 'reader', kind, status, admitted_at, last_event
     from (select * from participant order by admitted_at limit 1) as p,
       generate_series((select count(*) from participant) + 1, $1::int) as i`,
    [n],
  )
  await db.query('update authority_epoch set epoch = epoch + 1')
}

async function batches({ db }: World): Promise<number> {
  const { rows } = await db.query<{ n: string }>('select count(*) as n from read_batch')
  return Number(rows[0]?.n)
}

async function drained({ db }: World): Promise<void> {
  for (;;) {
    const { rows } = await db.query<{ done: boolean }>('select not exists (select from read_pending) as done')
    if (rows[0]?.done === true) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
