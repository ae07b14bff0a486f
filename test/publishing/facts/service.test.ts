import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toHex } from '../../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../../src/kernel/ids.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { openedFields, openRecord, saidIn } from '../../../src/provenance/record.ts'
import { createFactKeeping, FACTS_CHARACTERS, factRows, keptFacts } from '../../../src/publishing/facts.ts'
import { createPublishing } from '../../../src/publishing/service.ts'
import { bytesOf, reportOf } from '../../../src/reports/document.ts'
import { createTally } from '../../../src/reports/tally.ts'
import type { Party } from '../../feeds/world.ts'
import { aFactWorld, type FactWorld, LOG } from './world.ts'

let f: FactWorld
let w: FactWorld['w']
let settle: FactWorld['settle']
let again: FactWorld['again']
let emptied: FactWorld['emptied']
let damson: Party
let fruit: Uuid
const HOUR = 3_600_000

beforeAll(async () => {
  f = await aFactWorld()
  ;({ w, settle, again, emptied } = f)
  const [apple, banana, cherry] = [await w.admit('apple'), await w.admit('banana'), await w.admit('cherry')]
  damson = await w.admit('damson')
  const { audience } = await w.group('fruit', [apple, banana, cherry, damson])
  fruit = audience
  const item = w.item({ audience })
  await w.submit(apple, [item, w.item({ audience })])
  await w.settle()
  w.pass(HOUR)
  await w.give(banana, { ...w.about(apple, item), outcome: 'not_violating', reason: 'policy_differs' })
  await w.object(cherry, { ...w.about(apple, item), dispute: newId(w.now()), ground: 'false_match' })
  w.pass(HOUR)
  await w.give(banana, { ...w.about(apple, item), outcome: 'confirmed_no_presence', reason: 'no_account' })
  w.pass(HOUR)
  await settle()
})
afterAll(() => w.end())

const periodNow = () => ({ from: w.now().getTime() - 30 * 24 * HOUR, to: w.now().getTime() })

/** The report of the first entries, each opened for itself. */
async function folded(size: bigint): Promise<string> {
  const period = periodNow()
  const tally = createTally(period)
  const { owner } = w.t
  for (const { event_id } of await w.provenance.entriesFrom(w.t.projector, {
    logId: LOG,
    from: 0n,
    limit: Number(size),
  })) {
    const row = await owner
      .selectFrom('prov_record')
      .selectAll()
      .where('event_id', '=', event_id)
      .executeTakeFirstOrThrow()
    const opened = openRecord(row, event_id, w.keys)
    const changes = await owner
      .selectFrom('signal_revision')
      .select(['signal_id as signal', 'revision'])
      .where('submission_id', '=', event_id)
      .execute()
    const sources = opened.flatMap((one) => {
      const [name, value] = saidIn(one) ?? []
      return name === 'source' ? [value as Record<string, unknown>] : []
    })
    tally.take({ kind: row.kind, time: row.at.getTime(), fields: openedFields(opened), sources, changes })
  }
  return bytesOf(reportOf({ period, checkpoint: 'note', k: 1, figures: tally.figures() }))
}

/** The draft of the node at a checkpoint over the first entries. */
async function drafted(size: bigint): Promise<string | undefined> {
  const publishing = createPublishing({
    ...{ admin: w.t.admin, clock: w.clock, auditing: async () => {} },
    checkpoint: async () => ({ size, note: 'note' }),
    facts: (from) => keptFacts(w.t.ledger, LOG, from),
  })
  const { person_id: person } = await w.t.owner.selectFrom('person').select('person_id').executeTakeFirstOrThrow()
  const by = { participant: w.programme.programme_id, slug: 'node', person }
  await publishing.begin(by, { period: periodNow(), k: 1 })
  while (await publishing.round());
  return publishing.drafting()?.digest
}

const digest = (text: string): string => toHex(sha256(new TextEncoder().encode(text)))
const entries = () => createFactKeeping({ projector: w.t.projector, logId: LOG }).upto()

test('a draft of kept facts is what the opened entries make, at whatever checkpoint', async () => {
  const size = await entries()
  expect(size).toBeGreaterThan(8n)
  expect(await folded(size)).toMatch(/"answers.corrected","reporting":1,"value":1/)
  for (let at = 1n; at <= size; at++) expect(await drafted(at)).toBe(digest(await folded(at)))
})

test('entries that were carried before facts were kept get theirs, the same, before any later entry', async () => {
  const all = () => w.t.owner.selectFrom('report_facts').selectAll().orderBy('first_idx').execute()
  const text = async () => (await all()).flatMap(({ first_idx, facts }) => placed(first_idx, facts))
  const [before, size] = [await text(), await entries()]
  await sql`delete from report_facts`.execute(w.t.owner)
  await w.submit(damson, [w.item({ audience: fruit })])
  await settle()
  expect((await text()).slice(0, before.length)).toEqual(before)
  expect((await all())[0]).toMatchObject({ first_idx: 0n, n: Number(size) })
  expect(await again()).toEqual([])
})

/** Facts with their index, however they are put together. */
const placed = (first: bigint, facts: string): string[] =>
  (JSON.parse(facts) as [number, ...unknown[]][]).map(
    ([place, ...more]) => `${first + BigInt(place)} ${JSON.stringify(more)}`,
  )

/** Every insertion into the table fails while `work` runs. */
async function failing(table: string, work: () => Promise<void>): Promise<void> {
  const { owner } = w.t
  const on = sql.table(table)
  await sql`create function planted() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$`.execute(
    owner,
  )
  await sql`create trigger planted before insert on ${on} for each statement execute function planted()`.execute(owner)
  try {
    await work()
  } finally {
    await sql`drop trigger planted on ${on}`.execute(owner)
    await sql`drop function planted()`.execute(owner)
  }
}

// Whichever of them is written first, the failure of another takes it back: they are written in one transaction.
test.for(['log_entry', 'log_mention', 'report_facts'])(
  'entries and their facts are there together or not at all: cut off at %s, neither is',
  async (table) => {
    const found = async () => {
      const { rows } = await sql<{ n: string }>`
        select (select count(*) from log_entry) || ' ' || (select count(*) from log_mention) as n`.execute(w.t.owner)
      return [rows[0]?.n, await entries()]
    }
    await w.submit(damson, [w.item({ audience: fruit })])
    await w.settle()
    const before = await found()
    await failing(table, async () => {
      await expect(f.carry()).rejects.toThrow('planted')
      expect(await found()).toEqual(before)
    })
    await f.carry()
    const { n } = await w.t.owner
      .selectFrom('log_entry')
      .select(({ fn }) => fn.countAll<bigint>().as('n'))
      .executeTakeFirstOrThrow()
    expect(await entries()).toBe(BigInt(n))
    expect(await entries()).toBeGreaterThan(before[1] as bigint)
    expect(await again()).toEqual([])
  },
)

test('a fact is of the kind that its record says, whatever the row beside it', async () => {
  const facts = () => w.t.owner.selectFrom('report_facts').select(['first_idx', 'facts']).orderBy('first_idx').execute()
  const before = await facts()
  const mislabelled = (from: string, to: string) => sql`update prov_record set kind = ${to} where kind = ${from}`
  await mislabelled('feedback.given', 'review.moved').execute(w.t.owner)
  await emptied()
  expect((await facts()).flatMap(({ first_idx, facts }) => placed(first_idx, facts))).toEqual(
    before.flatMap(({ first_idx, facts }) => placed(first_idx, facts)),
  )
  await mislabelled('review.moved', 'feedback.given').execute(w.t.owner)
})

test('counted anew, a fact that was changed with SQL alone is named', async () => {
  await sql`update report_facts set facts = replace(facts, '"not_violating"', '"outdated"')`.execute(w.t.owner)
  expect(await again()).toEqual([expect.stringMatching(/^facts: entries 0 to \d+ say something else/)])
  await sql`update report_facts set facts = replace(facts, '"outdated"', '"not_violating"')`.execute(w.t.owner)
  expect(await again()).toEqual([])
})

test('a row of facts ends with the entry that brings it to its length, and the next one goes on from there', () => {
  const signals = Array.from({ length: 1_000 }, () => newId(w.now()))
  const at = w.now()
  const made = Array.from({ length: 20 }, (_, i) => ({
    ...{
      idx: 100n + BigInt(i),
      place: 0n,
      event_id: newId(at),
      participant_id: newId(at),
      kind: 'signal.submitted',
      at,
    },
    ...{ actor: 'apple', parties: [], recipients: [], signal: undefined, items: 1_000 },
    shares: [{ category: 'grooming', audience: newId(at), signals }],
    opened:
      i === 3
        ? undefined
        : {
            fields: new Map([
              ['type', 'signal.submitted'],
              ['time', at.toISOString()],
            ]),
            sources: [],
          },
  }))
  const rows = factRows(made)
  expect(rows.length).toBe(3)
  expect(rows.reduce((sum, { n }) => sum + n, 0)).toBe(20)
  expect(rows.map(({ sealed }) => sealed)).toEqual([1, 0, 0])
  let next = 100n
  for (const { first_idx, n, facts } of rows) {
    expect(first_idx).toBe(next)
    expect(facts.length).toBeLessThan(FACTS_CHARACTERS + 50_000)
    next += BigInt(n)
  }
})
