import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AnomaliesOptions, createAnomalies } from '../../src/anomalies/service.ts'
import { dayBefore } from '../../src/anomalies/sighting-rules.ts'
import { createGovernance } from '../../src/governance/service.ts'
import { noWaits } from '../../src/governance/waits.ts'
import { dayOf } from '../../src/kernel/day.ts'
import { createAuditLog } from '../../src/provenance/auditor.ts'
import { aWorld, type World } from '../feeds/world.ts'
import { type Share, toldOf } from './told.ts'

const LOG = 1
const HOUR = 3_600_000
let w: World
let shares: AnomaliesOptions['shares']

beforeAll(async () => {
  w = await aWorld()
  const auditing = createAuditLog({ app: w.t.app, clock: w.clock, provenance: w.provenance })
  shares = createGovernance({
    ...{ db: w.t.ledger, clock: w.clock, logId: LOG, auditing, authority: w.authority, timeoutMs: 2_000 },
    directory: { participants: () => [], groups: () => [] },
  }).shares
  const hour = new Date(w.now().getTime() - 40 * 24 * HOUR)
  await w.t.owner
    .insertInto('activity_hour')
    .values({ log_id: LOG, hour, actor: 'aster', kind: 'read.batch', entries: 1, items: 1n })
    .execute()
})
afterAll(() => w.end())

/** What a look at what is there tells, as `<day> <rule> <subject> <measured>`. */
async function told(): Promise<string[]> {
  const anomalies = createAnomalies({
    ...{ admin: w.t.admin, ledger: w.t.ledger, clock: w.clock, logId: LOG, programme: w.programme.programme_id },
    ...{ recorder: w.provenance, shares },
    ...{ longestGap: async () => 0, refused: async () => new Map() },
    ...{ used: async () => [], looked: async () => [] },
  })
  await anomalies.look()
  const rows = await w.t.owner.selectFrom('anomaly_case').selectAll().execute()
  return rows.map(({ day, rule, subject, measured }) => `${day} ${rule} ${subject} ${measured}`).sort()
}

describe('what was shared', () => {
  const AUDIENCES = ['0198c000-0000-7000-8000-000000000001', '0198c000-0000-7000-8000-000000000002'] as const
  /** Several days, sources, recipients, categories and audiences, with figures that differ all over. */
  const rowsTo = (today: string): (Share & { audience: string })[] =>
    Array.from({ length: 32 }, (_, back) => dayBefore(today, back - 1)).flatMap((day, i) =>
      ['aster', 'birch', 'cedar'].flatMap((source, s) =>
        ['aster', 'birch', 'cedar', 'date'].flatMap((recipient, r) =>
          AUDIENCES.map((audience, a) => ({
            ...{ day, source, recipient, audience },
            category: (i < 8 && s === 0) || (i + a) % 3 === 0 ? 'trafficking' : 'grooming',
            shared: 1 + ((i * 7 + s * 3 + r + a) % 5),
            not_violating: s === 1 ? 2 : 0,
            answered: r === 3 ? 0 : (i + s + r) % 7,
          })),
        ),
      ),
    )
  async function count(rows: readonly (Share & { audience: string })[]): Promise<void> {
    for (const { day, source, recipient, category, audience, shared, not_violating, answered } of rows)
      await sql`insert into share_day
        (log_id, day, source, recipient, category, audience, shared, not_violating, answered, waits)
        values (${LOG}, ${day}::date, ${source}, ${recipient}, ${category}, ${audience}::uuid, ${shared},
          ${not_violating}, ${answered}, ${noWaits()})`.execute(w.t.owner)
  }

  test('is added up by the database, and tells the rules what its rows told them', async () => {
    const today = dayOf(w.now())
    const rows = rowsTo(today)
    await count(rows)
    const [from, to] = [dayBefore(today, 28), dayBefore(today, -1)]
    const within = rows.filter(({ day }) => day >= from && day < to)
    const known = toldOf(within, today)
    const summed = await shares({ from, to, recent: dayBefore(today, 6), due: dayBefore(today, 7) })
    for (const part of ['mixes', 'answers', 'due'] as const)
      expect(summed[part].toSorted(byText)).toEqual(known[part].toSorted(byText))
    expect(await told()).toEqual([
      '2026-02-28 category_drift aster 58',
      '2026-02-28 feedback_missing date 100',
      '2026-02-28 not_confirmed birch 88',
      '2026-03-01 category_drift aster 66',
      '2026-03-01 feedback_missing date 100',
      '2026-03-01 not_confirmed birch 89',
    ])
  })
})

const byText = (a: object, b: object): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
