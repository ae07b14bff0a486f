import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { migrations } from '../../migrations/index.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { ensureDatabase } from '../../src/db/roles.ts'
import { utf8 } from '../../src/kernel/bytes.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { randomSource } from '../../src/kernel/random.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { fileKeys } from '../../src/keys/file.ts'
import { fileAnchor } from '../../src/provenance/anchor-file.ts'
import { fileHalts } from '../../src/provenance/halts.ts'
import { createIntegrator } from '../../src/provenance/integrate.ts'
import type { LogSource } from '../../src/provenance/log-source.ts'
import { formatVkey } from '../../src/provenance/note.ts'
import { openLog } from '../../src/provenance/service.ts'
import { createSigner } from '../../src/provenance/sign.ts'
import { decodeEdges, parseTilePath } from '../../src/provenance/tile.ts'
import type { World } from './world.ts'

const DATABASE = 'bench_log'
const LOG = 1
const KID = 'log-1'
const ORIGIN = 'node.example.org/provenance/1'

/** A log without a node, on a database of its own: entries come by the integrator alone. */
export interface LogWorld {
  owner: Db
  vkey: string
  size(): Promise<bigint>
  /** So many changes that wait for their index, all of one party. */
  wait(changes: number): Promise<void>
  /** Indexes everything that waits. */
  integrate(): Promise<void>
  /** Reads back and signs what is new, if anything is: a node does so four times a second, hence after each step. */
  sign(): Promise<void>
  note(): Promise<string>
  files: LogSource
  end(): Promise<void>
}

export async function openLogWorld(world: World): Promise<LogWorld> {
  const server = connect({ url: world.url('postgres', 'postgres'), max: 1 })
  await ensureDatabase(server, DATABASE).finally(() => server.destroy())
  const pool = (role: string): Db => connect({ url: world.url(role, DATABASE), max: 2 })
  const pools = { owner: pool('postgres'), admin: pool('aldis_admin') }
  const loops = { integrator: pool('aldis_integrator'), signer: pool('aldis_signer') }
  await migrate(pools.owner, migrations, systemClock)
  const dir = join(world.dir, 'bench-log')
  mkdirSync(dir)
  const keys = fileKeys(dir)
  await keys.create(KID, 'ed25519')
  const anchor = fileAnchor(join(dir, 'anchor'))
  await openLog(pools.admin, { logId: LOG, origin: ORIGIN, at: systemClock(), anchor })
  const integrator = createIntegrator({ db: loops.integrator, logId: LOG, salt: randomSource(32) })
  const signer = createSigner({
    ...{ db: loops.signer, clock: systemClock, keys, anchor, logId: LOG, origin: ORIGIN, kid: KID },
    ...{ halts: fileHalts(join(dir, 'anchor')), askHeld: async () => {}, later: async () => [], refreshMs: 3_600_000 },
  })
  const { owner } = pools
  let changes = 0
  const integrate = async (): Promise<void> => {
    while ((await integrator.round()) > 0);
  }
  return {
    owner,
    vkey: formatVkey(sha256, ORIGIN, keys.publicKey(KID)),
    size: async () => (await headOf(owner)).size,
    wait: async (more) => {
      await outbox(owner, changes, more)
      changes += more
    },
    integrate,
    sign: async () => void (await signer.round()),
    note: () => noteOf(owner),
    files: filesOf(owner),
    end: async () => {
      await Promise.all(Object.values({ ...pools, ...loops }).map((db) => db.destroy()))
    },
  }
}

/** Ids as the node's: each after the one before. */
async function outbox(owner: Db, from: number, more: number): Promise<void> {
  await sql`
    insert into prov_outbox (event_id, participant_id, log_id, at, c, parties)
    select ('018f0000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, '018f0000-0000-7000-8000-000000000000'::uuid,
      ${LOG}::int, now(), sha256(int8send(i)), 'apple'
    from generate_series(${from}::bigint, ${from + more - 1}::bigint) as i`.execute(owner)
  await sql`vacuum analyze prov_outbox`.execute(owner)
  await sql`checkpoint`.execute(owner)
}

const headOf = (owner: Db) =>
  owner.selectFrom('log_head').select(['size', 'edges']).where('log_id', '=', LOG).executeTakeFirstOrThrow()

async function noteOf(owner: Db): Promise<string> {
  const { note } = await owner
    .selectFrom('log_checkpoint')
    .select('note')
    .where('log_id', '=', LOG)
    .orderBy('size', 'desc')
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return note
}

/** The tree of a log that stands still, straight from its rows. */
function filesOf(owner: Db): LogSource {
  const full = (level: number, n: bigint) =>
    owner
      .selectFrom('log_tile')
      .select('data')
      .where('log_id', '=', LOG)
      .where('level', '=', level)
      .where('n', '=', n)
      .executeTakeFirst()
  return {
    async read(path) {
      if (path === 'checkpoint') return utf8(await noteOf(owner))
      const { level, n, width } = parseTilePath(path) ?? { level: 0, n: 0n, width: 0 }
      if (width === 256) return (await full(level, n))?.data
      const { bundle, levels } = decodeEdges((await headOf(owner)).edges)
      return level < 0 ? bundle : levels[level]
    },
  }
}
