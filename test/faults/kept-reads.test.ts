import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuditOptions, auditLog } from '../../src/audit/audit.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { createRecordEraser } from '../../src/provenance/erase.ts'
import { createReadExpiry, NAMED_MS } from '../../src/provenance/expire-reads.ts'
import { epochKey, epochOf } from '../../src/provenance/record.ts'
import type { Party, World } from '../feeds/world.ts'
import { forge, LOG_KEY, sourceOf } from '../provenance/forge.ts'
import { DAY, NOON } from '../signals/factory.ts'
import { auditedWorld, type Given } from './audited.ts'
import { fieldIn, type Lies, type Plain, plainOf, put, relog } from './relog.ts'

let world: Awaited<ReturnType<typeof auditedWorld<Record<'apple' | 'banana' | 'cherry', Party>>>>
/** What an auditor is given once an entry names what is over, and once it is gone. */
let [named, gone]: Given[] = []
let plain: Plain[]
/** What each step did: batches named and removed by reader, and rows of the journal that were left. */
const done: Record<string, { named: number[]; removed: number[]; rows: number }> = {}

/** What banana and cherry read in the first days of the log. */
async function tell(w: World) {
  const parties = { apple: await w.admit('apple'), banana: await w.admit('banana'), cherry: await w.admit('cherry') }
  const { apple, banana, cherry } = parties
  const { audience, feed } = await w.group('berries', [apple, banana, cherry])
  const items = [w.item({ audience }), w.item({ audience })]
  await w.submit(apple, items)
  await w.project()
  for (const by of [banana, cherry]) await w.page(by, feed)
  const keys = items.map(({ value }) => value.sha256)
  await w.find(banana, [{ type: 'url', profile: 'url/1', keys }])
  for (const by of [banana, cherry]) await w.provenance.journal.flush(by.participant, by.slug)
  // Gathered a month later, as by a node that was away.
  await w.page(cherry, feed)
  w.pass(31 * DAY)
  await w.provenance.journal.flush(cherry.participant, 'cherry')
  await w.expire(apple.participant, 'apple')
  await w.project()
  await w.page(cherry, feed)
  await w.provenance.journal.flush(cherry.participant, 'cherry')
  return parties
}

beforeAll(async () => {
  world = await auditedWorld(tell)
  const { w, ids } = world
  for (const days of [379, 404, 405])
    await w.keys.create(epochKey(epochOf(new Date(NOON.getTime() + days * DAY))), 'symmetric').catch(() => {})
  const readers = [ids.apple, ids.banana, ids.cherry]
  const expiry = createReadExpiry({
    ...{ admin: w.t.admin, clock: w.clock, recorder: w.provenance },
    records: createRecordEraser({ keys: w.keys, logId: 1 }),
    policy: () => w.authority.policy('retention')?.body ?? '',
    isKept: async () => false,
  })
  const step = async (name: string): Promise<void> => {
    const all = { named: [] as number[], removed: [] as number[], rows: 0 }
    for (const { participant, slug } of readers) all.named.push(await expiry.name(participant, slug))
    await w.project()
    for (const { participant } of readers) all.removed.push(await expiry.remove(participant))
    all.rows = (await w.t.owner.selectFrom('read_journal').select('journal_id').execute()).length
    done[name] = all
  }
  w.pass(379 * DAY - (w.now().getTime() - NOON.getTime()))
  for (const { feed_id, kind } of w.authority.feedsOf(ids.banana.participant))
    if (kind === 'audience') await w.page(ids.banana, feed_id)
  await w.provenance.journal.flush(ids.banana.participant, 'banana')
  await w.project()
  await step('before')
  w.pass(25 * DAY)
  await step('named')
  named = await world.given()
  w.pass(NAMED_MS - 1)
  await step('a moment before')
  w.pass(1)
  await step('gone')
  gone = await world.given()
  await step('again')
  plain = plainOf(gone.records)
}, 120_000)
afterAll(() => world.w.end())

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

async function findings({ entries, records, snapshot }: Given, change: Partial<AuditOptions> = {}) {
  const audit = await auditLog({
    ...{ hash: sha256, source: sourceOf(forge(entries)), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 } },
    ...{ now: world.w.now(), kept: [], records: { records: () => each(records), snapshot: () => each(snapshot) } },
    ...change,
  })
  return audit.findings.filter(({ check }) => check >= 5)
}
const failing = async (given: Given): Promise<string[]> =>
  (await findings(given)).flatMap(({ check, result, says }) =>
    result === 'PASS' ? [] : [`${check} ${result}: ${says}`],
  )
/** A forger's log: a batch without reads keeps its root. */
const remade = (entries: readonly Plain[]): Given => {
  const lies: Lies = { root: (batch) => (batch.reads.length === 0 ? String(fieldIn(batch, 'root')) : undefined) }
  return relog(entries, gone ?? expect.fail('no log'), lies)
}
const isBatch = (entry: Plain): boolean => fieldIn(entry, 'type') === 'read.batch'
const expired = (): number => plain.findIndex((entry) => fieldIn(entry, 'type') === 'reads.expired')
const changed = (change: (entry: Plain) => Plain): Plain[] => plain.with(expired(), change(plain[expired()] as Plain))
const reads = (given: Given | undefined, index: number): number =>
  given?.records.filter((line) => line.startsWith(`{"index":"${index}","read":`)).length ?? 0

describe('reads whose time is over', () => {
  test('are named by an entry first, and gone a day later; younger ones stay', () => {
    expect(done['before']).toMatchObject({ named: [0, 0, 0], removed: [0, 0, 0] })
    expect(done['named']?.named.some((n) => n > 0)).toBe(true)
    expect(done['named']).toMatchObject({ removed: [0, 0, 0], rows: done['before']?.rows })
    expect(done['a moment before']).toMatchObject({ named: [0, 0, 0], removed: [0, 0, 0], rows: done['before']?.rows })
    expect(done['gone']?.removed).toEqual(done['named']?.named)
    expect(done['gone']?.rows).toBeLessThan(done['before']?.rows ?? 0)
    expect(done['gone']?.rows).toBeGreaterThan(0)
    expect(done['again']).toMatchObject({ named: [0, 0, 0], removed: [0, 0, 0], rows: done['gone']?.rows })
  })
  test('are missing in no audit: each check passes before they go, and afterwards', async () => {
    for (const given of [named, gone]) expect(await failing(given ?? expect.fail('no log'))).toEqual([])
    const found = await findings(gone ?? expect.fail('no log'))
    const n = done['gone']?.removed.reduce((sum, one) => sum + one, 0)
    expect(found.find(({ check }) => check === 14)?.says).toContain(`; the time of ${n} batches is over`)
  })
  test('wait until the time of their entry is over too', async () => {
    const to = (one: Plain): number => Date.parse(String(fieldIn(one, 'to')))
    const isLate = (one: Plain): boolean => isBatch(one) && Date.parse(String(fieldIn(one, 'time'))) > to(one) + DAY
    const late = plain.filter(isLate)
    expect(late.map((one) => fieldIn(one, 'reader'))).toEqual(['cherry'])
    const over = Date.parse(String(fieldIn(plain[expired()] as Plain, 'time'))) - 400 * DAY
    expect(late.map((one) => to(one) < over)).toEqual([true])
    expect(done['named']?.named).toEqual([0, 1, 1])
    expect(late.map((one) => one.reads.length)).toEqual([1])
  })
  test('are still accepted from an export that was made before they went', async () => {
    const kept = named ?? expect.fail('no log')
    const rest = plain.slice(plainOf(kept.records).length)
    expect(await failing(remade([...plainOf(kept.records), ...rest]))).toEqual([])
  })
  test('leave their batch with its root and its counts, by source', () => {
    const at = plain.findIndex((entry) => isBatch(entry) && entry.reads.length === 0)
    expect([reads(named, at), reads(gone, at)]).toEqual([Number(fieldIn(plain[at] as Plain, 'n')), 0])
    const source = fieldIn(plain[at] as Plain, 'source') as Record<string, unknown>
    expect(source).toMatchObject({ party: expect.any(String), reads: expect.any(Number), items: expect.any(Number) })
  })
  test('may have been of any signal of that time: an erasure asks their reader', async () => {
    const { w, ids } = world
    const { holders } = createRecordEraser({ keys: w.keys, logId: 1 })
    const readers = [ids.apple, ids.banana, ids.cherry].map(({ participant }) => participant)
    const nothing = { slug: 'fig', signals: new Set<Uuid>(), entries: new Map<Uuid, bigint[]>() }
    const asked = (since: Date) =>
      w.t.admin.transaction().execute((tx) => holders(tx as never, readers, { ...nothing, since }))
    const early = readers.filter((_, i) => (done['gone']?.removed[i] ?? 0) > 0)
    expect(await asked(NOON)).toEqual(early)
    expect(await asked(new Date(NOON.getTime() + 379 * DAY))).toEqual([])
  })
})

describe('an audit finds', () => {
  const fourteen = async (entries: readonly Plain[]): Promise<string> => {
    const failed = await failing(remade(entries))
    expect(failed.map((one) => one.split(':')[0])).toEqual(['14 FAIL'])
    return failed[0] ?? ''
  }
  const young = (): number => plain.findLastIndex((entry) => isBatch(entry) && entry.reads.length > 0)
  /** The youngest batch, without its reads: by its own word they were made before it by more than they are kept. */
  const datedBack = (): Plain => {
    const batch = plain[young()] as Plain
    const to = new Date(Date.parse(String(fieldIn(batch, 'time'))) - 401 * DAY).toISOString()
    const fields = batch.fields.filter(([name]) => name !== 'source')
    return put(put({ ...batch, fields, reads: [] }, 'from', to), 'to', to)
  }
  const without = (at: number): Plain[] => plain.with(at, { ...(plain[at] as Plain), reads: [] })

  test('reads that are missing before their time', async () => {
    expect(await fourteen(without(young()))).toContain(`entry ${young()}: its reads are missing, and no entry says`)
  })
  test('reads that are named before their time, whether they are there or not', async () => {
    const name = (entry: Plain): Plain => {
      const n = Number(fieldIn(entry, 'n')) + Number(fieldIn(plain[young()] as Plain, 'n'))
      const batches = [...(fieldIn(entry, 'batches') as string[]), String(young())]
      return put(put(entry, 'batches', batches), 'n', n)
    }
    // Read by banana, as what the entry names.
    const at = plain.findLastIndex(
      (entry) => fieldIn(entry, 'type') === 'reads.expired' && fieldIn(entry, 'subject') === 'banana',
    )
    const early = plain.with(at, name(plain[at] as Plain))
    expect(await fourteen(early)).toContain(`it ends the reads of entry ${young()} before their time`)
    const gone = early.with(young(), { ...(early[young()] as Plain), reads: [] })
    expect(await fourteen(gone)).toContain(`it ends the reads of entry ${young()} before their time`)
  })
  test('reads of a batch that is dated back, so that their time would be over at once', async () => {
    const [at, batch] = [young(), datedBack()]
    const made = Date.parse(String(fieldIn(batch, 'time')))
    const of = { batches: [String(at)], n: fieldIn(batch, 'n'), subject: fieldIn(batch, 'reader') }
    const named = Object.entries({ ...of, after: undefined, time: new Date(made + 1_000).toISOString() }).reduce(
      (entry, [name, value]) => put(entry, name, value),
      { ...(plain[expired()] as Plain), event: newId(world.w.now()) },
    )
    expect(await fourteen([...plain.with(at, batch), named])).toContain(
      `it ends the reads of entry ${at} before their time`,
    )
  })
  test('a part of a batch that is missing, even of one that is over', async () => {
    const kept = plainOf(named?.records ?? [])
    const at = kept.findIndex((entry, i) => isBatch(entry) && entry.reads.length > 1 && plain[i]?.reads.length === 0)
    const batch = kept[at] ?? expect.fail('no batch')
    const isOf = (one: Plain): boolean => one.event === batch.event || one.reads.length === 0
    const lies: Lies = { root: (one) => (isOf(one) ? String(fieldIn(one, 'root')) : undefined) }
    const part = plain.with(at, { ...batch, reads: batch.reads.slice(1) })
    const failed = await failing(relog(part, gone ?? expect.fail('no log'), lies))
    expect(failed).toEqual([expect.stringMatching(/^14 FAIL/)])
  })
  test.for<[what: string, change: (entry: Plain) => Plain, says: string]>([
    ['another rule', (entry) => put(entry, 'policy', '{"read_journal_days":1}'), 'it goes by another rule'],
    ['a rule that says nothing of reads', (entry) => put(entry, 'rule', 'signal_days'), 'it goes by another rule'],
    ['no batch', (entry) => put(entry, 'batches', []), 'it names another number of reads'],
    ['another number', (entry) => put(entry, 'n', 1_000), 'it names another number of reads'],
    ['what is no batch', (entry) => put(entry, 'batches', ['0']), 'it names what is no batch of reads before it'],
    ['what is no place', (entry) => put(entry, 'batches', ['x']), 'it names what is no batch of reads before it'],
    ['another reader', (entry) => put(entry, 'subject', 'owl'), 'is of another reader'],
    ['an earlier time', (entry) => put(entry, 'time', NOON.toISOString()), 'before their time'],
  ])('an entry that ends reads by %s', async ([, change, says]) => {
    expect(await fourteen(changed(change))).toContain(says)
  })
  test('nothing for sure in a log that was closed, which has no state, once their time is over: an entry of the next one may name them', async () => {
    const log = remade(without(young()))
    const closed = ({ records }: Given = log) => ({ records: { records: () => each(records) } })
    const fourteenth = async (days: number, change: Partial<AuditOptions> = closed(), given = log) => {
      const now = new Date(world.w.now().getTime() + days * DAY)
      return (await findings(given, { ...change, now })).find(({ check }) => check === 14)
    }
    const missing = { result: 'FAIL', says: expect.stringContaining('its reads are missing') }
    expect(await fourteenth(0)).toMatchObject(missing)
    const early = remade(plain.with(young(), datedBack()))
    expect(await fourteenth(0, closed(early), early)).toMatchObject(missing)
    // The log that is written now names what is over itself.
    expect(await fourteenth(400, {})).toMatchObject(missing)
    expect(await fourteenth(400)).toMatchObject({
      result: 'UNKNOWN',
      says: expect.stringContaining('the log after this one'),
    })
  })
})
