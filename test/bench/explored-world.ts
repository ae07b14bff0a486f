import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { init } from '../../src/cli/node/init.ts'
import { loadConfig } from '../../src/config.ts'
import { ensureEpochKeys, logKid, openBase } from '../../src/core.ts'
import { asParticipant } from '../../src/db/as-participant.ts'
import { migrateAt } from '../../src/db/open.ts'
import type { GovernanceService } from '../../src/governance/service.ts'
import { explorerOf, governanceOf } from '../../src/governing.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { createLogLoops } from '../../src/loops.ts'
import { createOverseeing } from '../../src/overseeing.ts'
import type { ActionName, PayloadOf } from '../../src/participants/action.ts'
import { openParts, type Parts } from '../../src/parts.ts'
import { createAuditLog } from '../../src/provenance/auditor.ts'
import type { Explorer, Looker } from '../../src/provenance/explorer.ts'
import { createLedger } from '../../src/provenance/ledger.ts'
import type { Publishing } from '../../src/publishing/service.ts'
import { type Actor, type Made, madeAt, type Year } from './explored-entries.ts'
import { putRows } from './explored-rows.ts'
import { ROOT } from './root.ts'
import type { World } from './world.ts'

const DATABASE = 'bench_explored'
const SLUGS = ['apricot', 'blackbird', 'cherry', 'dunnock', 'elder', 'finch', 'grape', 'heron'] as const
const DAY_MS = 86_400_000
export const DAYS = 365
/** Entries of one step; of so many that wait for their index at the most, and so many between two signatures. */
const AT_ONCE = 4_096
const WAITING_MOST = 65_536
const SIGNED_EVERY = 65_536n
const IDLE_MS = 10
const TOLD_EVERY_MS = 10_000

/** A year of a programme on a database of its own: its log came by the integrator, and is found by the explorer. */
export interface ExploredWorld {
  explorer: Explorer
  governance: GovernanceService
  publishing: Publishing
  auditor: Looker & { person: Uuid }
  /** Of the entries. */
  from: Date
  to: Date
  entries: number
  end(): Promise<void>
}

export async function openExploredWorld(
  world: World,
  entries: number,
  say: (text: string) => void,
): Promise<ExploredWorld> {
  const to = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS)
  const from = new Date(to.getTime() - DAYS * DAY_MS)
  const clock = { now: from }
  const { parts, programme, person, actors } = await founded(world, clock)
  // Of a connection each: rows are put while others look how far they are.
  const db = new pg.Pool({ connectionString: world.url('postgres', DATABASE), max: 3 })
  const close = async (): Promise<void> => {
    await db.end()
    await parts.close()
  }
  try {
    for (let at = from.getTime(); at < to.getTime() + 2 * DAY_MS; at += DAY_MS)
      await ensureEpochKeys(parts.keys, new Date(at))
    const year = { actors, audience: await audienceOf(db), from: from.getTime() + DAY_MS, step: 0 }
    await load({ parts, db, clock, say }, { ...year, step: ((DAYS - 2) * DAY_MS) / entries }, entries)
    clock.now = new Date(to.getTime() + DAY_MS)
    const ledger = ledgerOf(parts)
    return {
      explorer: explorerOf(parts, ledger),
      governance: governanceOf(parts),
      publishing: createOverseeing(parts, ledger, silentLog, () => false).publishing,
      auditor: { participant: programme, slug: 'node', person, sees: 'all' },
      ...{ from, to, entries, end: close },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Programme and participants, by the same services as the command line's. */
async function founded(world: World, clock: { now: Date }) {
  const dir = join(world.dir, 'explored')
  mkdirSync(dir)
  const config = loadConfig({
    ...{ DATABASE_URL: world.url('postgres', DATABASE), DATA_DIR: dir, CONFIG_DIR: join(ROOT, 'config') },
    LOG_ORIGIN: 'node.example.org/provenance/1',
  })
  await migrateAt(config, systemClock)
  const now = (): Date => clock.now
  const { admins, programme_id: programme } = await init(
    config,
    {
      ...{ slug: 'orchard', trust_domain: 'orchard.example', node_origin: 'https://node.example.org' },
      admins: [
        { name: 'Ada', organisation: 'office' },
        { name: 'Ben', organisation: 'office' },
      ],
    },
    now,
  )
  const [ada, ben] = admins
  if (ada === undefined || ben === undefined) throw new Error('two administrators')
  const base = await openBase({ config, clock: now, log: silentLog, small: 4 })
  const parts = await openParts(base, { onWake: () => {}, healthy: () => true })
  const decide = async <A extends ActionName>(action: A, payload: PayloadOf<A>): Promise<void> => {
    const { request_id } = await parts.participants.propose(action, payload, ada)
    await parts.participants.approve(request_id, ben, now())
    await parts.participants.execute(request_id, ada)
  }
  for (const slug of SLUGS) await decide('participant.admit', { slug, name: slug, kind: 'platform' })
  await parts.authority.refresh()
  const actors = SLUGS.map((slug): Actor => {
    const { participant_id } = parts.authority.participantBySlug(slug) ?? {}
    if (participant_id === undefined) throw new Error(`${slug} was not admitted`)
    return { participant: participant_id, slug }
  })
  return { parts, programme, person: ada, actors }
}

async function audienceOf(db: pg.Pool): Promise<Uuid> {
  const { rows } = await db.query<{ audience_id: Uuid }>('select audience_id from audience')
  const [found] = rows
  if (found === undefined) throw new Error('the programme has no audience')
  return found.audience_id
}

interface Loading {
  parts: Parts
  db: pg.Pool
  clock: { now: Date }
  say(text: string): void
}

/** Makes entries, gives them their index and carries them to where they are found by, all three side by side. */
async function load(loading: Loading, year: Year, entries: number): Promise<void> {
  const { parts, db, say } = loading
  const loops = createLogLoops(parts, { onCarried() {}, onPublished() {}, onHalted() {} }, silentLog)
  const one = async (query: string): Promise<bigint> => {
    const { rows } = await db.query<{ n: string | null }>(query)
    return BigInt(rows[0]?.n ?? 0)
  }
  const size = () => one('select size as n from log_head')
  const found = () => one('select max(idx) + 1 as n from log_entry')
  const before = await one('select (select size from log_head) + (select count(*) from prov_outbox) as n')
  const all = before + BigInt(entries)
  const at = { filled: 0, indexed: 0n, found: 0n, busy: 0 }

  const fill = async (): Promise<void> => {
    for (; at.filled < entries; at.filled += AT_ONCE) {
      while (BigInt(at.filled) - at.indexed > WAITING_MOST) await delay(IDLE_MS)
      await put(loading, year, { from: at.filled, to: Math.min(entries, at.filled + AT_ONCE) })
    }
  }
  const index = async (): Promise<void> => {
    for (let signed = 0n; at.indexed < all; at.indexed = await size()) {
      if (!(await patiently(loops.integrate.turn))) await delay(IDLE_MS)
      if (at.indexed - signed < SIGNED_EVERY) continue
      await patiently(loops.sign.turn)
      signed = at.indexed
    }
    await patiently(loops.sign.turn)
    await loops.publish.turn()
  }
  const explore = async (): Promise<void> => {
    for (; at.found < all; at.found = await found()) {
      const began = performance.now()
      if (await patiently(loops.explore.turn)) at.busy += performance.now() - began
      else await delay(IDLE_MS)
    }
  }
  const tell = (): void => {
    const rate = at.busy === 0 ? 0 : Math.round((1_000 * Number(at.found)) / at.busy)
    say(
      `explored: ${Math.min(at.filled, entries)} made, ${at.indexed} indexed, ${at.found} found (${rate} a second of the explore loop)`,
    )
  }
  const timer = setInterval(tell, TOLD_EVERY_MS)
  await Promise.all([fill(), index(), explore()]).finally(() => clearInterval(timer))
  tell()
  await db.query('vacuum analyze log_entry, log_mention, log_batch, prov_record, signal_revision, share_day')
  await db.query('checkpoint')
}

/** Records as the node makes them, in the name of each actor, and the rows that they tell of before them. */
async function put({ parts, db }: Loading, year: Year, { from, to }: { from: number; to: number }): Promise<void> {
  const made = Array.from({ length: to - from }, (_, i): Made => madeAt(from + i, year))
  await putRows(db, year.audience, made)
  const { provenance, pools } = parts
  for (const [participant, own] of Map.groupBy(made, ({ event }) => event.participant_id)) {
    const rows = own.map(({ event }) => provenance.prepare(event))
    await patiently(() => asParticipant(pools.app, participant, (tx) => provenance.insert(tx, rows)))
  }
}

/** On a machine that others use too a connection may be long in coming. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 'busy')) throw error
      await delay(IDLE_MS)
    }
  }
}

/** The log as it is given out; of feeds there are none. */
function ledgerOf({ pools, clock, keys, logId, origin, provenance, programme }: Parts) {
  return createLedger({
    ...{ db: pools.ledger, keys, journal: provenance.journal, logId, origin, kid: logKid(logId), closed: false },
    programme: programme.programme_id,
    auditing: createAuditLog({ app: pools.app, clock, provenance }),
    isRecipient: async () => false,
    shared: { submissions: async () => [], places: async () => [], items: async () => [] },
    itemProofsWaiting: 1,
  })
}
