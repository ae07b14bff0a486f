import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant } from '../../src/db/as-participant.ts'
import { createCounting, createEventsOf, createSubmitted } from '../../src/governance/count.ts'
import { countedAnew } from '../../src/governance/reconcile.ts'
import { createGovernance, type GovernanceService } from '../../src/governance/service.ts'
import { firstSent } from '../../src/governance/store.ts'
import { waitsOf } from '../../src/governance/waits.ts'
import { Refusal } from '../../src/kernel/errors.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { createAuditLog } from '../../src/provenance/auditor.ts'
import { createExploring } from '../../src/provenance/explore.ts'
import { parseFilter } from '../../src/provenance/explore-filter.ts'
import { createExplorer, type Explorer, LOOKED_MAX, type Looker } from '../../src/provenance/explorer.ts'
import { createFactKeeping } from '../../src/publishing/facts.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import type { Party } from '../feeds/world.ts'
import { aReviewWorld, type ReviewWorld } from '../review/world.ts'
import { planned } from '../support/plans.ts'

let w: ReviewWorld
let apple: Party
let banana: Party
let cherry: Party
let item: SignalItem
let explorer: Explorer
let governance: GovernanceService
let round: () => Promise<number>
/** A log of its own, filled by hand. */
const LARGE = 9
const ENTRIES = 30_000

const auditor = (): Looker => ({ participant: w.programme.programme_id, slug: 'node', sees: 'all' })
const own = ({ participant, slug }: Party): Looker => ({ participant, slug, sees: 'own' })

beforeAll(async () => {
  w = await aReviewWorld()
  apple = await w.admit('apple')
  banana = await w.admit('banana')
  cherry = await w.admit('cherry')
  const { t, clock, keys, provenance, authority } = w
  const { projector } = t
  const directory = { slugOf: (id: Uuid) => authority.slugOf(id), audience: (id: Uuid) => authority.audience(id) }
  const counting = { projector, logId: 1, directory }
  round = createExploring({
    ...{ projector, keys, logId: 1, provenance, refresh: () => authority.refresh() },
    slugOf: (id) => authority.participantById(id)?.slug,
    submitted: createSubmitted({ projector, directory }),
    counted: createCounting(counting),
    atOnce: 4_096,
    late: createFactKeeping({ projector, logId: 1 }),
  }).round
  const auditing = createAuditLog({ app: t.app, clock, provenance })
  const none = async () => {
    throw new Refusal('not-found')
  }
  explorer = createExplorer({
    // No checkpoint is signed here: everything waits for one.
    ...{ db: t.ledger, keys, logId: 1, ledger: { checkpoint: async () => undefined, receipt: none } },
    ...{ auditing, timeoutMs: 2_000, eventsOf: createEventsOf(projector, () => authority.participants()) },
  })
  const participants = () => authority.participants()
  governance = createGovernance({
    ...{ db: t.ledger, clock, logId: 1, auditing, authority, timeoutMs: 2_000 },
    directory: {
      participants,
      groups: () => [...new Set(participants().flatMap((one) => authority.audiencesOf(one.participant_id)))],
    },
  })
  const { audience } = await w.group('fruit', [apple, banana, cherry])
  item = w.item({ audience })
  // A NUL is escaped in JSON that PostgreSQL keeps, and looks into for nobody.
  await w.submit(apple, [item, w.item({ audience, note: 'a\u0000b' }), w.item({ audience })])
  await w.settle()
  w.pass(90 * 60_000)
  await w.give(banana, { ...w.about(apple, item), outcome: 'not_violating', reason: 'policy_differs' })
  await w.give(cherry, { ...w.about(apple, item), outcome: 'ingested' })
  w.pass(60_000)
  await w.give(banana, { ...w.about(apple, item), outcome: 'confirmed_no_presence', reason: 'no_account' })
  await w.object(cherry, { ...w.about(apple, item), dispute: newId(w.now()), ground: 'false_match' })
  await settle()
})
afterAll(() => w.end())

async function settle(): Promise<void> {
  await w.settle()
  while ((await round()) > 0);
}

async function fill(): Promise<void> {
  const { owner } = w.t
  await sql`insert into log_entry (log_id, idx, event_id, participant_id, kind, actor, at, logged_at, recipients)
    select ${LARGE}::int, i, gen_random_uuid(), ${apple.participant}::uuid,
      (array['read.batch', 'signal.submitted', 'review.moved', 'signal.withdrawn'])[1 + i % 4],
      (array['apple', 'banana', 'cherry'])[1 + i % 3], to_timestamp(1e9 + i), to_timestamp(1e9 + i), array['banana']
    from generate_series(0, ${ENTRIES}::int) i`.execute(owner)
  for (const [term, every] of [
    ['party:apple', 3],
    ['recipient:banana', 5],
  ] as const)
    await sql`insert into log_mention (log_id, term, idx)
      select ${LARGE}::int, ${term}, i from generate_series(0, ${ENTRIES}::int, ${every}) i`.execute(owner)
  await sql`analyze log_entry, log_mention`.execute(owner)
}

const never = async (): Promise<never> => {
  throw new Error('nobody asks for it')
}

const find = async (q: string, by = auditor()) =>
  (await explorer.page(by, { filter: parseFilter(q), limit: 100 })).rows.map(({ kind, actor }) => `${kind} ${actor}`)
const audits = async (): Promise<number> =>
  (await w.t.owner.selectFrom('prov_record').select('event_id').where('kind', '=', 'audit.read').execute()).length

test('a signal is told of whoever sent it first, also where another source took the same id', async () => {
  for (const [first, second] of [
    [apple, cherry],
    [cherry, apple],
  ] as const) {
    const one = w.item({ audience: item.audience })
    for (const source of [first, second]) {
      w.pass(1_000)
      await w.submit(source, [one])
    }
    const sources = [apple.participant, banana.participant, cherry.participant]
    const [told] = await firstSent(w.t.projector, sources, [one.signal])
    expect(told?.participant_id).toBe(first.participant)
  }
})

describe('the explorer', () => {
  test.for([
    ['kind:signal.submitted', ['signal.submitted apple']],
    ['kind:feedback.given', ['feedback.given banana', 'feedback.given cherry', 'feedback.given banana']],
    ['kind:feedback.given actor:cherry', ['feedback.given cherry']],
    [
      'kind:feedback.given -actor:cherry -actor:null recipient:apple',
      ['feedback.given banana', 'feedback.given banana'],
    ],
    ['kind:signal.* recipient:cherry', ['signal.submitted apple']],
    ['kind:signal.* recipient:cherry recipient:banana', ['signal.submitted apple']],
    ['kind:signal.* recipient:apple', []],
    ['party:cherry kind:dispute.*', ['dispute.opened cherry']],
    ['party:cherry -party:apple kind:dispute.*', []],
    ['kind:signal.submitted at<2020-01-01', []],
    ['kind:signal.submitted at>=2090-01-01', []],
  ] as const)('%s finds %o', async ([q, found]) => {
    expect((await find(q)).toSorted()).toEqual(found.toSorted())
  })
  test('by a signal finds whatever is about it: what its source did, and what others said', async () => {
    const kinds = new Set((await find(`signal:${item.signal}`)).map((one) => one.split(' ')[0]))
    for (const kind of ['signal.submitted', 'feedback.given', 'dispute.opened']) expect(kinds).toContain(kind)
    expect(await find(`signal:${newId(w.now())}`)).toEqual([])
  })
  test('by time finds exactly what was logged from one instant to before another', async () => {
    const { rows } = await explorer.page(auditor(), { filter: parseFilter('kind:feedback.given'), limit: 10 })
    const at = rows[0]?.at ?? new Date(0)
    const until = at.toISOString()
    expect((await find(`kind:feedback.given at>=${until}`)).length).toBeGreaterThan(0)
    expect(await find(`kind:feedback.given at<${until}`)).toHaveLength(rows.filter((one) => one.at < at).length)
  })
  test('pages are by the number of the last entry, and no entry is missed or told twice', async () => {
    const all = (await explorer.page(own(apple), { filter: parseFilter(''), limit: 200 })).rows.map(
      ({ index }) => index,
    )
    const paged: bigint[] = []
    for (let below: bigint | undefined, first = true; first || below !== undefined; first = false) {
      const page = await explorer.page(own(apple), { filter: parseFilter(''), below, limit: 3 })
      paged.push(...page.rows.map(({ index }) => index))
      below = page.next
    }
    expect(paged).toEqual(all)
  })
  test('shows an organisation the entries that it is a party to, and no others', async () => {
    const told = await find('', own(cherry))
    expect(told).toContain('dispute.opened cherry')
    expect(told.filter((one) => /feedback.given banana|signal.submitted/.test(one))).toEqual([])
    expect(await find('party:banana', own(cherry))).toEqual([])
  })
  test('tells a source of what others did with several sources nothing of the other ones', async () => {
    for (const kind of ['tombstone.acked', 'read.batch'] as const)
      await asParticipant(w.t.app, banana.participant, (tx) =>
        w.provenance.record(tx, {
          ...{ kind, event_id: newId(w.now()), participant_id: banana.participant, at: w.now(), actor: 'banana' },
          ...{ fields: {}, sources: [{ party: 'apple' }, { party: 'cherry' }] },
        }),
      )
    await settle()
    const both = ['read.batch banana', 'tombstone.acked banana']
    const among = async (q: string, by: Party) =>
      (await find(q, own(by))).filter((one) => both.includes(one)).toSorted()
    for (const q of ['', '-party:cherry', '-recipient:cherry', 'party:banana', 'actor:banana party:apple'])
      expect([q, await among(q, apple)]).toEqual([q, both])
    for (const q of ['party:cherry', 'recipient:cherry', 'actor:banana party:cherry'])
      expect([q, await among(q, apple)]).toEqual([q, []])
    expect(await among('recipient:banana', apple)).toEqual(['read.batch banana'])
    expect(await among('party:cherry', banana)).toEqual(both)
    const acked = { filter: parseFilter('kind:tombstone.acked'), limit: 10 }
    const shown = async (by: Looker) => (await explorer.page(by, acked)).rows.map(({ recipients }) => recipients)
    expect([await shown(own(apple)), await shown(own(banana))]).toEqual([[['apple']], [['apple', 'cherry']]])
    const filed = await explorer.rows(own(apple), { ...acked, form: 'csv', most: 10 })
    const [index] = filed.map((row) => row.index)
    const alone = await explorer.entry(own(apple), index ?? 0n)
    expect([filed[0]?.recipients, alone?.recipients]).toEqual([['apple'], ['apple']])
  })
  test('records each page before it is told, and one of one’s own never', async () => {
    const before = await audits()
    await find('kind:erasure')
    expect(await audits()).toBe(before + 1)
    await find('', own(cherry))
    expect(await audits()).toBe(before + 1)
    w.weather.healthy = false
    await expect(find('')).rejects.toThrow('log-behind')
    w.weather.healthy = true
  })
  test('says that an entry without a checkpoint is pending', async () => {
    const { rows } = await explorer.page(auditor(), { filter: parseFilter('kind:signal.*'), limit: 5 })
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['pending']))
  })
  test('is written anew from nothing as it was', async () => {
    const all = () => w.t.owner.selectFrom('log_entry').selectAll().orderBy('idx').execute()
    const shares = () => w.t.owner.selectFrom('share_day').selectAll().orderBy('recipient').execute()
    const [entries, counted] = [await all(), await shares()]
    for (const table of ['log_entry', 'log_mention', 'share_day', 'report_facts'])
      await sql.raw(`delete from ${table}`).execute(w.t.owner)
    while ((await round()) > 0);
    expect((await all()).slice(0, entries.length)).toEqual(entries)
    expect(await shares()).toEqual(counted)
  })
  describe('of a large log reads no table from end to end', () => {
    beforeAll(() => fill())
    afterAll(async () => {
      for (const table of ['log_entry', 'log_mention'])
        await sql`delete from ${sql.table(table)} where log_id = ${LARGE}`.execute(w.t.owner)
    })
    const BY = [auditor, () => own(apple)]
    const QUERIES = [
      '',
      'kind:signal.*',
      'kind:erasure',
      'actor:apple',
      'recipient:banana',
      '-kind:erasure',
      'at>=2020-01-01',
    ]
    test('a file of what is rare among them is refused by name after so many pages, and told of nowhere', async () => {
      let told = 0
      const filing = (pagesMax: number) =>
        createExplorer({
          ...{ db: w.t.ledger, keys: w.keys, logId: LARGE, timeoutMs: 2_000, pagesMax, eventsOf: async () => [] },
          ledger: { checkpoint: async () => undefined, receipt: never },
          auditing: async () => {
            told += 1
          },
        }).rows(auditor(), { filter: parseFilter('kind:feed.*'), form: 'csv', most: 10 })
      await expect(filing(3)).rejects.toMatchObject({ code: 'filter-range', detail: expect.stringContaining('narrow') })
      expect(told).toBe(0)
      expect([await filing(4), told]).toEqual([[], 1])
    })
    test.for(BY.flatMap((by, i) => QUERIES.map((q) => [q, i, by] as const)))('%s (%i)', async ([q, , by]) => {
      const asked = planned(w.t.ledger)
      const large = createExplorer({
        ...{ db: asked.db, keys: w.keys, logId: LARGE, timeoutMs: 2_000 },
        ledger: { checkpoint: async () => undefined, receipt: never },
        ...{ auditing: async () => {}, eventsOf: async () => [] },
      })
      const page = await large.page(by(), { filter: parseFilter(q), limit: 100 })
      expect(page.found.n).toBeLessThanOrEqual(LOOKED_MAX)
      const plans = await asked.plans()
      expect(plans.length).toBeGreaterThan(0)
      expect(plans.join('\n')).not.toContain('Seq Scan')
    })
  })
})

describe('the matrix', () => {
  test('counts each signal once for each recipient, and of several answers the last', async () => {
    const { cells } = await governance.matrix(auditor(), {})
    const cell = (source: string, recipient: string) =>
      cells.find((one) => one.source === source && one.recipient === recipient)
    expect(cell('apple', 'banana')).toMatchObject({
      ...{
        shared: 3,
        confirmed: 1,
        not_violating: 0,
        answered: 1,
        disputed: 0,
        median_hours: 2,
        expected: 'as-allowed',
      },
    })
    expect(cell('apple', 'cherry')).toMatchObject({ shared: 3, answered: 0, disputed: 1, median_hours: null })
    expect(cell('banana', 'apple')).toMatchObject({ shared: 0, allowed: true, expected: 'none' })
  })
  test('adds up days, categories and audiences of a pair, of the period that is asked for', async () => {
    const count = (day: string, category: string, shared: number) => sql`
      insert into share_day (log_id, day, source, recipient, category, audience, shared, answered, waits)
      values (1, ${day}::date, 'quince', 'fig', ${category}, ${item.audience}, ${shared}, 1, ${waitsOf(3_600_000)})`
    await count('2025-03-01', 'grooming', 2).execute(w.t.owner)
    await count('2025-03-01', 'trafficking', 3).execute(w.t.owner)
    await count('2025-03-02', 'grooming', 4).execute(w.t.owner)
    await count('2025-02-28', 'grooming', 7).execute(w.t.owner)
    const asked = { from: '2025-03-01', to: '2025-03-03' }
    const cellOf = async (more = {}) =>
      (await governance.matrix(auditor(), { ...asked, ...more })).cells.find(
        ({ source, recipient }) => source === 'quince' && recipient === 'fig',
      )
    expect(await cellOf()).toMatchObject({ shared: 9, answered: 3, median_hours: 1, before: 7 })
    expect(await cellOf({ category: 'trafficking' })).toMatchObject({ shared: 3, answered: 1, before: 0 })
    await sql`delete from share_day where source = 'quince'`.execute(w.t.owner)
  })
  test('is what the entries of the log make, counted again from the first', async () => {
    const { t, provenance, authority } = w
    const directory = { slugOf: (id: Uuid) => authority.slugOf(id), audience: (id: Uuid) => authority.audience(id) }
    const counting = { projector: t.projector, logId: 1, directory }
    expect(await countedAnew({ ...counting, provenance })).toEqual({ entries: expect.any(BigInt), differences: [] })
    await sql`update share_day set shared = shared + 1 where recipient = 'cherry'`.execute(t.owner)
    const { differences } = await countedAnew({ ...counting, provenance })
    expect(differences).toEqual([expect.stringMatching(/apple cherry .* shared 4, the log says 3/)])
    await sql`update share_day set shared = shared - 1 where recipient = 'cherry'`.execute(t.owner)
  })
  test('of an organisation is its own row and column, and is no read', async () => {
    const before = await audits()
    const { cells } = await governance.matrix(own(cherry), {})
    expect(cells.every(({ source, recipient }) => source === 'cherry' || recipient === 'cherry')).toBe(true)
    expect(await audits()).toBe(before)
    await governance.matrix(auditor(), {})
    expect(await audits()).toBe(before + 1)
  })
  test('of an organisation knows no audience but its own', async () => {
    await w.group('berries', [apple, banana])
    expect(governance.groups(auditor())).toEqual(expect.arrayContaining(['berries', 'fruit']))
    expect(governance.groups(own(banana))).toContain('berries')
    expect(governance.groups(own(cherry))).not.toContain('berries')
    await expect(governance.matrix(own(cherry), { group: 'berries' })).rejects.toMatchObject({ code: 'filter-value' })
    const { cells } = await governance.matrix(own(banana), { group: 'berries' })
    expect(cells.some(({ source, recipient }) => source === 'apple' && recipient === 'banana')).toBe(true)
  })
  test.for([
    [{ from: '2026-01-02', to: '2026-01-02' }, 'filter-value'],
    [{ from: '2026-02-30', to: '2026-03-40' }, 'filter-value'],
    [{ from: '2026-02-31', to: '2026-03-10' }, 'filter-value'],
    [{ from: '2026-02-01', to: '2026-02-29' }, 'filter-value'],
    [{ to: '2026-02-30' }, 'filter-value'],
    [{ from: '0000-01-01', to: '0000-02-01' }, 'filter-value'],
    [{ from: '2024-01-01', to: '2026-01-01' }, 'filter-range'],
    [{ group: 'nobody' }, 'filter-value'],
  ] as const)('of %o is refused by %s', async ([asked, code]) => {
    await expect(governance.matrix(auditor(), asked)).rejects.toMatchObject({ code })
  })
})
