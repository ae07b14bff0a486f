import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createActivity } from '../../src/anomalies/count.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { createCounting, createSubmitted } from '../../src/governance/count.ts'
import { countedAnew } from '../../src/governance/reconcile.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { type Counted, createExploring, type DescribingOptions, describedFrom } from '../../src/provenance/explore.ts'
import { createFactKeeping, type FactKeeping } from '../../src/publishing/facts.ts'
import { factsAnew } from '../../src/publishing/facts-anew.ts'
import { aReviewWorld, type ReviewWorld } from '../review/world.ts'
import { type Cut, type CuttingProxy, proxyTo } from './proxy.ts'
import { seededRandom } from './random.ts'

const random = seededRandom('explored.test.ts')
const LOG = 1
/** So that there are three rounds, and entries that are read ahead. */
const AT_ONCE = 28
/** More than carrying all of them has: then the cut is not come to any more. */
const MOST = 300
const HOUR = 3_600_000
/** What the loop writes, in the order of its keys. */
const WRITTEN = {
  log_entry: 'idx',
  log_mention: 'term, idx',
  share_day: 'day, source, recipient, category, audience',
  activity_hour: 'hour, actor, kind',
  report_facts: 'first_idx',
} as const

let w: ReviewWorld
let proxy: CuttingProxy
let cutDb: Db
let whole: unknown

beforeAll(async () => {
  w = await aReviewWorld()
  await lived()
  proxy = await proxyTo(w.t.url('aldis_projector'))
  cutDb = connect({ url: proxy.url, max: 2 })
  await ended(() => exploring(w.t.projector))
  whole = await written()
})
afterAll(async () => {
  await cutDb?.destroy()
  await proxy?.close()
  await w?.end()
})

/** Signals that are shared, revised, answered twice, disputed, withdrawn and erased. */
async function lived(): Promise<void> {
  const [apple, banana, cherry] = [await w.admit('apple'), await w.admit('banana'), await w.admit('cherry')]
  const { audience } = await w.group('fruit', [apple, banana, cherry])
  for (let i = 0; i < 5; i++) {
    const [item, other] = [w.item({ audience }), w.item({ audience })]
    await w.submit(apple, [item, other])
    await w.settle()
    w.pass(HOUR)
    await w.give(banana, { ...w.about(apple, item), outcome: 'not_violating', reason: 'policy_differs' })
    await w.object(cherry, { ...w.about(apple, item), dispute: newId(w.now()), ground: 'false_match' })
    w.pass(HOUR)
    await w.give(banana, { ...w.about(apple, item), outcome: 'confirmed_no_presence', reason: 'no_account' })
    await w.revise(apple, other, { confidence: 51 })
    await w.withdraw(apple, other.signal)
    await w.settle()
    if (i === 2) await w.decide('signals.erase', { participant: 'apple', signals: [item.signal], basis: 'order' })
  }
  await w.settle()
}

function describingOver(projector: Db): DescribingOptions {
  const { keys, provenance, authority } = w
  const directory = { slugOf: (id: Uuid) => authority.slugOf(id), audience: (id: Uuid) => authority.audience(id) }
  return {
    ...{ projector, keys, logId: LOG, provenance, refresh: () => authority.refresh() },
    slugOf: (id) => authority.participantById(id)?.slug,
    submitted: createSubmitted({ projector, directory }),
  }
}

type Exploring = ReturnType<typeof createExploring>

/** All that the loop of a node writes. */
function exploring(projector: Db, late: FactKeeping = createFactKeeping({ projector, logId: LOG })): Exploring {
  const directory = { slugOf: (id: Uuid) => w.authority.slugOf(id), audience: (id: Uuid) => w.authority.audience(id) }
  const [shares, activity] = [createCounting({ projector, logId: LOG, directory }), createActivity(LOG)]
  const counted: Counted = {
    count: async (entries) => {
      const each = [await shares.count(entries), await activity.count(entries)]
      return async (tx) => {
        for (const put of each) await put(tx)
      }
    },
  }
  return createExploring({ ...describingOver(projector), atOnce: AT_ONCE, counted, late })
}

/** Turns rounds until there is nothing to do; answers what failed on the way. Each failure may be the end of the process. */
async function ended(next: () => Exploring, { anew = false } = {}): Promise<unknown[]> {
  const failures: unknown[] = []
  for (let one = next(); ; ) {
    try {
      if ((await one.round()) === 0) return failures
    } catch (error) {
      failures.push(error)
      if (failures.length > 100) throw error
      if (anew) one = next()
    }
  }
}

/** Every row, facts each with its index: where rows of them end is nothing that they say. */
async function written(): Promise<unknown> {
  const { owner } = w.t
  const of = async (table: keyof typeof WRITTEN) =>
    (
      await sql<Record<string, unknown>>`select * from ${sql.table(table)} order by ${sql.raw(WRITTEN[table])}`.execute(
        owner,
      )
    ).rows
  const facts = (await of('report_facts')).flatMap((row) =>
    (JSON.parse(String(row['facts'])) as [number, ...unknown[]][]).map(([place, ...said]) => [
      BigInt(String(row['first_idx'])) + BigInt(place),
      ...said,
    ]),
  )
  const [entries, mentions] = [await of('log_entry'), await of('log_mention')]
  return { entries, mentions, shares: await of('share_day'), activity: await of('activity_hour'), facts }
}

async function emptied(...tables: readonly string[]): Promise<void> {
  for (const table of tables) await sql`delete from ${sql.table(table)}`.execute(w.t.owner)
}

const recounted = async (): Promise<string[]> => {
  const { t, provenance, authority } = w
  const { projector } = t
  const described = (at: { from: bigint; limit: number }) => describedFrom(describingOver(projector), at)
  const directory = { slugOf: (id: Uuid) => authority.slugOf(id) }
  const { differences } = await countedAnew({ projector, logId: LOG, provenance, directory })
  return [...differences, ...(await factsAnew({ projector, logId: LOG, described }))]
}

/** Whether it came to the cut. */
async function cutOnce(cut: Cut, tables: readonly string[], anew: boolean): Promise<boolean> {
  await emptied(...tables)
  proxy.arm(cut)
  await ended(() => exploring(cutDb), { anew })
  const hit = proxy.disarm()
  expect(await written(), JSON.stringify({ ...cut, tables, anew })).toEqual(whole)
  return hit
}

const ALL = Object.keys(WRITTEN)
const STARTS = [
  ['from nothing', ALL],
  ['from entries that have no facts', ['report_facts']],
] as const
describe('the loop that carries entries to where they are found by', () => {
  test('writes what the log makes, counted again', async () => {
    const entries = await w.t.owner.selectFrom('log_entry').select('kind').execute()
    expect(entries.length).toBeGreaterThan(2 * AT_ONCE)
    expect(entries.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['erasure', 'signal.withdrawn', 'dispute.opened']),
    )
    expect(await recounted()).toEqual([])
  })
  test.for(
    STARTS.flatMap(([start, tables]) => (['before', 'after'] as const).map((when) => [start, when, tables] as const)),
  )(
    '%s, cut off %s each of its messages gets there, goes on or is started anew, and writes the same, nothing twice',
    { timeout: 180_000 },
    async ([, when, tables]) => {
      // Every fourth, from a place that the seed draws; `ALDIS_FAULT_ROUNDS` asks for all of them.
      const step = process.env['ALDIS_FAULT_ROUNDS'] === undefined ? 4 : 1
      let burst = random.below(step)
      for (let n = 0; burst < MOST && (await cutOnce({ burst, when }, tables, n % 2 === 0)); n++) burst += step
      expect(burst).toBeGreaterThan(10)
      expect(burst).toBeLessThan(MOST)
      expect(await recounted()).toEqual([])
    },
  )
  test('of several processes, one of which keeps no facts, writes the same as of one', {
    timeout: 60_000,
  }, async () => {
    const before: FactKeeping = { upto: async () => 2n ** 62n, count: async () => async () => {} }
    const pools = [1, 2, 3].map(() => connect({ url: w.t.url('aldis_projector'), max: 2 }))
    const failures: unknown[] = []
    for (let i = 0; i < 4; i++) {
      await emptied(...ALL)
      const each = pools.map((db, k) => ended(() => (k === 2 ? exploring(db, before) : exploring(db))))
      failures.push(...(await Promise.all(each)).flat())
      // Where the one without facts was the last, they are made up for by the next round of another.
      await ended(() => exploring(w.t.projector))
      expect(await written()).toEqual(whole)
    }
    // Of two that write the same the rows of one conflict, and nothing else fails.
    expect(failures.map((error) => (error as { code?: string }).code).filter((code) => code !== '23505')).toEqual([])
    expect(await recounted()).toEqual([])
    await Promise.all(pools.map((db) => db.destroy()))
  })
})
