import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { auditedAcks, auditedFeeds, auditedLookups } from '../../src/feeds/audited.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { auditedPeople, auditedProgramme } from '../../src/participants/audited.ts'
import { createAuditor } from '../../src/provenance/auditor.ts'
import { decodeBatch } from '../../src/provenance/batch.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { createAuditedSignals } from '../../src/signals/audited.ts'
import { aWorld, type Party, type World } from '../feeds/world.ts'
import { forge, LOG_KEY, sourceOf } from '../provenance/forge.ts'
import type { Given } from './audited.ts'
import { fieldIn, type Plain, type PlainRead, plainOf, put, relog } from './relog.ts'

let w: World
let honest: Given
let plain: Plain[]
let hidden: { audience: Uuid; feed: Uuid }
let open: { audience: Uuid; feed: Uuid }

/** A sealed audience of which everything was read that can be: its feed, a bucket, a signal; and a full one beside it. */
beforeAll(async () => {
  w = await aWorld()
  const [apple, banana] = [await w.admit('apple'), await w.admit('banana')]
  await w.decide('participant.admit', { slug: 'owl', name: 'owl', kind: 'observer' })
  hidden = await w.group('hidden', [apple, banana], 'sealed')
  open = await w.group('open', [apple, banana])
  const items = [w.item({ audience: hidden.audience }, 'email'), w.item({ audience: hidden.audience }, 'email')]
  const comes = w.item({ audience: open.audience }, 'email')
  await w.submit(apple, [...items, comes])
  await w.project()
  await w.page(banana, open.feed)
  w.pass(1_000)
  await w.revise(apple, comes, { audience: hidden.audience })
  w.pass(1_000)
  await w.withdraw(apple, items[1]?.signal ?? newId(w.now()))
  await w.project()
  await w.divide()
  for (const { feed } of [hidden, open]) await w.page(banana, feed)
  await lookedUp(banana, { audience: hidden.audience, snapshot: 4n, signal: items[0]?.signal ?? newId(w.now()) })
  await w.provenance.journal.flush(banana.participant, 'banana')
  await comeAndGo(apple)
  honest = await given()
  plain = plainOf(honest.records)
}, 120_000)
afterAll(() => w.end())

/** Two signals that go to the sealed audience: one comes back, one is erased there. */
async function comeAndGo(by: Party): Promise<void> {
  const [back, gone] = [w.item({ audience: open.audience }, 'email'), w.item({ audience: open.audience }, 'email')]
  await w.submit(by, [back, gone])
  for (const [item, audience] of [
    [back, hidden.audience],
    [gone, hidden.audience],
    [back, open.audience],
  ] as const) {
    await w.project()
    w.pass(1_000)
    await w.revise(by, item, { audience })
  }
  await w.project()
  await w.decide('signals.erase', { participant: by.slug, signals: [gone.signal], basis: 'subject_request' })
  await w.project()
}

async function lookedUp(by: Party, of: { audience: Uuid; snapshot: bigint; signal: Uuid }): Promise<void> {
  const purpose = 'appeal' as const
  await w.feeds.sealed.bucket(w.reader(by, 'bucket'), { ...of, prefix: '0', purpose })
  await w.feeds.sealed.open(w.reader(by, 'opening'), { ...of, purpose })
}

/** What the node gives its auditor. */
async function given(): Promise<Given> {
  const participants = () => w.authority.participants()
  const { state, values, ...changes } = createAuditedSignals({ categorySlug: w.rules.categorySlug, participants })
  const owl = { participant: w.authority.participantBySlug('owl')?.participant_id as Uuid, slug: 'owl', auditor: true }
  const entriesOf = async () => {
    const batches = await w.t.owner.selectFrom('log_batch').selectAll().orderBy('first_idx').execute()
    return batches.flatMap(({ n, data }) => decodeBatch(data, n).map(({ entry }) => new Uint8Array(entry)))
  }
  const shared = [auditedFeeds(participants), auditedLookups(participants)]
  const auditor = createAuditor({
    ...{ db: w.t.ledger, app: w.t.app, keys: w.keys, clock: w.clock, logId: 1, present: true },
    ...{ provenance: w.provenance, participants, published: async () => BigInt((await entriesOf()).length) },
    audited: {
      ...changes,
      state: [...shared, ...auditedProgramme, ...auditedPeople, state, values, auditedAcks(participants)],
    },
  })
  const snapshot = await Array.fromAsync(await auditor.snapshot(owl))
  while ((await w.integrate()) > 0);
  const entries = await entriesOf()
  const records = await Array.fromAsync(await auditor.export(owl, { from: 0n, to: BigInt(entries.length) }))
  const trim = (line: string): string => line.trimEnd()
  return { entries, records: records.map(trim), snapshot: snapshot.map(trim) }
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

/** Of the checks from 5 on those that did not pass. */
async function failing({ entries, records, snapshot }: Given): Promise<string[]> {
  const { findings } = await auditLog({
    ...{ hash: sha256, source: sourceOf(forge(entries)), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 } },
    ...{ now: w.now(), kept: [] },
    records: { records: () => each(records), snapshot: () => each(snapshot) },
  })
  return findings.flatMap(({ check, result, says }) =>
    check < 5 || result === 'PASS' ? [] : [`${check} ${result}: ${says}`],
  )
}
/** The log with one read of banana's batch otherwise. */
function reread(fits: (read: PlainRead) => boolean, change: (read: PlainRead) => PlainRead): Given {
  const at = plain.findIndex(
    (entry) => fieldIn(entry, 'type') === 'read.batch' && fieldIn(entry, 'reader') === 'banana',
  )
  const batch = plain[at]
  if (batch === undefined) throw new Error('no batch')
  const i = batch.reads.findIndex(fits)
  const read = batch.reads[i]
  if (read === undefined) throw new Error('no such read')
  return relog(plain.with(at, { ...batch, reads: batch.reads.with(i, change(read)) }), honest)
}
const isPage = (read: PlainRead): boolean => Object(fieldIn(read, 'as_of'))['feed'] === hidden.feed
const isBucket = (read: PlainRead): boolean => Object(fieldIn(read, 'as_of'))['snapshot'] !== undefined

describe('the reads of a sealed audience', () => {
  test('pass every check, though they name no source', async () => {
    expect(await failing(honest)).toEqual([])
  })
  test('of its feed gave out what stands there, no more', async () => {
    const [why = ''] = await failing(reread(isPage, (read) => put(read, 'n', 9)))
    expect(why).toMatch(/^14 FAIL.*another number than it says/)
  })
  test('of a bucket gave out no more than had come there, to members of a sealed audience', async () => {
    const more = await failing(reread(isBucket, (read) => put(read, 'n', 99)))
    expect(more[0]).toMatch(/^14 FAIL.*more than had come there/)
    const full = { audience: open.audience, snapshot: '1' }
    const other = await failing(reread(isBucket, (read) => put(read, 'as_of', full)))
    expect(other[0]).toMatch(/^14 FAIL.*has no buckets/)
  })
})
