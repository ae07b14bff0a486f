import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant } from '../../src/db/as-participant.ts'
import { concat, toBase64Url, toHex, u32 } from '../../src/kernel/bytes.ts'
import { newId, type Uuid, uuidBytes } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { ERASURE_TARGETS_MAX } from '../../src/participants/schema.ts'
import { commitment } from '../../src/provenance/commitment.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import type { NewEvent } from '../../src/provenance/events.ts'
import { createFlusher } from '../../src/provenance/flush.ts'
import { createJournal, type PreparedRead, type Read } from '../../src/provenance/journal.ts'
import {
  disclosedBy,
  type KeptRead,
  keptUnlessLost,
  valueIn as keptValueIn,
  partsIn,
  partsUnlessLost,
} from '../../src/provenance/kept-read.ts'
import type { Given } from '../../src/provenance/ledger.ts'
import { leafHash, rootFromPath, verifyConsistency } from '../../src/provenance/merkle.ts'
import { formatVkey } from '../../src/provenance/note.ts'
import { setKey, setLeaf, setProof } from '../../src/provenance/readset.ts'
import { parseReceipt, type Receipt, type Verified, verifyReceipt } from '../../src/provenance/receipt.ts'
import { epochKey, nextGeneration, openRecord, saidIn } from '../../src/provenance/record.ts'
import { openLog, originOf } from '../../src/provenance/service.ts'
import { decodeBundle } from '../../src/provenance/tile.ts'
import { SIGNAL_TYPE } from '../../src/signals/schema.ts'
import { leafOf, mth, tileOf } from './definition.ts'
import { aLog, asOwner, type LogWorld, logOf, NOON, ORIGIN, PROGRAMME, rowsOf, type Slug } from './world.ts'

const NOT_FOUND = { code: 'not-found' }
const receiptIn = (given: Given): Receipt =>
  (given.outcome === 'receipt' ? parseReceipt(given.text) : undefined) ?? expect.fail('no receipt')
const verified = (w: LogWorld, given: Given): Verified =>
  verifyReceipt(receiptIn(given), { hash: sha256, key: w.key, verify: verifyEd25519 })
const namesIn = (fields: readonly { name: string }[]): string[] => fields.map(({ name }) => name).toSorted()
const valueIn = (fields: readonly { name: string; value: unknown }[], name: string): unknown =>
  fields.find((field) => field.name === name)?.value

describe('the service', () => {
  let w: LogWorld
  beforeAll(async () => {
    w = await aLog()
  })
  afterAll(() => w.end())

  test('opens a log once, under an origin that stays', async () => {
    expect(await originOf(w.t.integrator, 1)).toBe(ORIGIN)
    expect(await originOf(w.t.integrator, 2)).toBeUndefined()
    const again = openLog(w.t.admin, { logId: 1, origin: 'other.example/provenance/1', at: NOON, anchor: w.anchor })
    await expect(again).rejects.toMatchObject({ code: '23505' })
    expect(await originOf(w.t.integrator, 1)).toBe(ORIGIN)
  })
  test('admits nothing that must be logged while the log is behind', () => {
    expect(() => w.provenance.admit()).not.toThrow()
    w.health.ok = false
    expect(() => w.provenance.admit()).toThrow(expect.objectContaining({ code: 'log-behind', retryAfter: 5 }))
    w.health.ok = true
  })
  test('passes on that there is something to index', () => {
    const { woken } = w.health
    w.provenance.wake()
    expect(w.health.woken).toBe(woken + 1)
  })
  test('writes a record with its change or not at all', async () => {
    const event = w.anEvent('apple')
    const rolledBack = asParticipant(w.t.app, w.ids.apple, async (tx) => {
      await w.provenance.record(tx, event)
      throw new RangeError('the change failed')
    })
    await expect(rolledBack).rejects.toThrow(RangeError)
    const stored = () =>
      w.t.owner.selectFrom('prov_record').select('c').where('event_id', '=', event.event_id).execute()
    expect(await stored()).toEqual([])
    expect((await rowsOf(w)).outbox).not.toContain(event.event_id)
    const told = await asParticipant(w.t.app, w.ids.apple, (tx) => w.provenance.record(tx, event))
    expect(told.event_id).toBe(event.event_id)
    expect(await stored()).toEqual([{ c: told.c }])
    expect((await rowsOf(w)).outbox).toContain(event.event_id)
  })
  test('refuses a record with a field that its kind does not have', async () => {
    const fields = { od: 'digest', token: 'x' }
    await expect(w.record('apple', { fields })).rejects.toThrow(TypeError)
  })
  test('tells the entries from any place on, dense and in order, with kind and time', async () => {
    const integrator = w.integrator()
    for (const slug of ['apple', 'plum', 'fig', 'kiwi', 'apple'] as const) {
      await w.record(slug)
      await w.record(slug, {
        kind: 'feedback.given',
        fields: { outcome: 'seen_here' },
        at: new Date(NOON.getTime() + 1_000),
      })
      await integrator.round()
    }
    const { events } = await rowsOf(w)
    const tell = (from: bigint, limit: number) => w.provenance.entriesFrom(w.t.projector, { logId: 1, from, limit })
    const all = await tell(0n, 1_000)
    expect(all.map(({ idx, event_id }) => ({ idx, event_id }))).toEqual(events)
    expect(all.slice(-2).map(({ kind, participant_id }) => [kind, participant_id])).toEqual([
      ['signal.submitted', w.ids.apple],
      ['feedback.given', w.ids.apple],
    ])
    expect(all.at(-1)?.at).toEqual(new Date(NOON.getTime() + 1_000))
    for (const [from, limit] of [
      [0, 3],
      [1, 1],
      [3, 4],
      [4, 1_000],
      [events.length - 1, 5],
    ] as const)
      expect(await tell(BigInt(from), limit)).toEqual(all.slice(from, from + limit))
    expect(await tell(BigInt(events.length), 5)).toEqual([])
  })
  test('tells no entry that is indexed but not behind the fence', async () => {
    await w.record('fig')
    await w.integrator().round()
    const from = (await rowsOf(w)).head.size
    await w.record('apple')
    await asOwner(w, 'revoke update on log_fence from aldis_integrator')
    await expect(w.integrator().round()).rejects.toMatchObject({ code: '42501' })
    await asOwner(w, 'grant update on log_fence to aldis_integrator')
    expect(await w.provenance.entriesFrom(w.t.projector, { logId: 1, from, limit: 10 })).toEqual([])
    const last = await w.provenance.entriesFrom(w.t.projector, { logId: 1, from: from - 1n, limit: 10 })
    expect(last.map(({ idx }) => idx)).toEqual([from - 1n])
    await w.integrator().round()
    expect((await w.provenance.entriesFrom(w.t.projector, { logId: 1, from, limit: 10 })).length).toBe(1)
  })
  test('counts entries and what waits', async () => {
    await w.integrator().round()
    const before = await w.provenance.state(w.t.integrator)
    expect(before).toMatchObject({ outbox: 0, projected: 0n })
    await w.record('fig')
    await w.record('fig')
    expect(await w.provenance.state(w.t.integrator)).toEqual({ ...before, outbox: 2 })
    await w.integrator().round()
    expect(await w.provenance.state(w.t.integrator)).toEqual({ ...before, size: before.size + 2n })
  })
})

describe('the journal', () => {
  let w: LogWorld
  beforeAll(async () => {
    w = await aLog()
  })
  afterAll(() => w.end())

  const items = Array.from({ length: 4 }, (_, i) => ({ signal: newId(NOON), revision: i + 1 }))
  const aRead = (change: Partial<Read> = {}): Read => ({
    ...{ route: '/v1/lookup', as_of: { log: '7' }, n: 3, body: 'a-digest', asked: ['one', 'two'], purpose: 'matching' },
    sources: [
      { party: 'plum', items: items.slice(0, 2) },
      { party: 'fig', items: items.slice(2, 3) },
    ],
    ...change,
  })
  const prepared = (change: Partial<Read> = {}): PreparedRead => w.provenance.prepareRead(aRead(change))
  const insert = (slug: Slug, ...reads: readonly PreparedRead[]): Promise<string[]> =>
    asParticipant(w.t.app, w.ids[slug], (tx) => w.provenance.insertReads(tx, w.ids[slug], reads))
  const flush = async (slug: Slug): Promise<number> => (await w.provenance.journal.flush(w.ids[slug], slug)).reads
  const journalOf = (slug: Slug) =>
    w.t.owner.selectFrom('read_journal').selectAll().where('participant_id', '=', w.ids[slug]).execute()
  const pendingOf = (slug: Slug) =>
    w.t.owner.selectFrom('read_pending').selectAll().where('participant_id', '=', w.ids[slug]).execute()
  const batchesOf = (slug: Slug) =>
    w.t.owner
      .selectFrom('read_batch')
      .selectAll()
      .where('participant_id', '=', w.ids[slug])
      .orderBy('batch_no')
      .execute()
  const nameOf = (name = ''): { id: Uuid; place: number; c: string } => {
    const [, id = '', place = '', c = ''] = /^([^.]+)\.([0-9]+) (.+)$/.exec(name) ?? expect.fail('no name')
    return { id: id as Uuid, place: Number(place), c }
  }
  /** The fields of an event, as auditors see them. */
  const auditedFields = async (event_id: Uuid) => {
    await w.publish()
    return verified(w, await w.ledger.receipt(w.holder('kiwi', true), event_id)).fields
  }
  const keptIn = ({ kept }: PreparedRead): KeptRead => JSON.parse(kept)
  const saidIn = (read: PreparedRead, wanted: string): unknown => keptValueIn(keptIn(read), wanted)
  const saltOf = (read: PreparedRead): Buffer => Buffer.from(String(saidIn(read, 'set_salt')), 'base64url')

  test('has a read when its transaction is committed, and not before', async () => {
    const before = await journalOf('kiwi')
    await asParticipant(w.t.app, w.ids.kiwi, async (tx) => {
      await w.provenance.insertReads(tx, w.ids.kiwi, [prepared()])
      expect(await journalOf('kiwi')).toEqual(before)
    })
    expect((await journalOf('kiwi')).length).toBe(before.length + 1)
    expect(await w.provenance.journal.pending()).toContain(w.ids.kiwi)
  })
  test('has no read whose transaction failed', async () => {
    const before = [await journalOf('kiwi'), await pendingOf('kiwi')]
    const failed = asParticipant(w.t.app, w.ids.kiwi, async (tx) => {
      await w.provenance.insertReads(tx, w.ids.kiwi, [prepared()])
      throw new RangeError('no answer')
    })
    await expect(failed).rejects.toThrow(RangeError)
    expect([await journalOf('kiwi'), await pendingOf('kiwi')]).toEqual(before)
  })
  test("takes no read in another's name", async () => {
    const forged = asParticipant(w.t.app, w.ids.kiwi, (tx) => w.provenance.insertReads(tx, w.ids.apple, [prepared()]))
    await expect(forged).rejects.toMatchObject({ code: '42501' })
  })
  test('names each read by row and place and says its commitment', async () => {
    const reads = Array.from({ length: 513 }, () => prepared({ sources: [] }))
    const names = (await insert('kiwi', ...reads)).map(nameOf)
    expect(names.map(({ c }) => c)).toEqual(reads.map(({ c }) => toBase64Url(c)))
    expect(names.map(({ place }) => place)).toEqual([...Array(512).keys(), 0])
    expect(new Set(names.map(({ id }) => id)).size).toBe(2)
  })
  test('keeps of the keys that were asked for their number and a salted digest, and in the clear nothing', async () => {
    const [one, other] = [prepared({ asked: ['a-secret-key'] }), prepared({ asked: ['a-secret-key'] })]
    expect(saidIn(one, 'asked')).toEqual({ n: 1, digest: expect.stringMatching(/^[\w-]{43}$/) })
    expect(saidIn(one, 'asked')).not.toEqual(saidIn(other, 'asked'))
    expect(JSON.stringify(one)).not.toContain('a-secret-key')
    await insert('kiwi', one)
    for (const { body } of await journalOf('kiwi')) expect(body.includes('lookup')).toBe(false)
  })

  describe('flushed', () => {
    test('is one event that names reader, number and span, and to each source its reads, items and root', async () => {
      await flush('apple')
      const first = prepared()
      const second = prepared({ sources: [{ party: 'plum', items: items.slice(3) }] })
      const third = prepared({ sources: [] })
      const from = w.clock()
      await insert('apple', first, second)
      w.pass(2_000)
      await insert('apple', third)
      const outbox = (await rowsOf(w)).outbox
      expect(await flush('apple')).toBe(3)
      const [event_id, ...more] = (await rowsOf(w)).outbox.filter((id) => !outbox.includes(id))
      expect(more).toEqual([])
      const batch = (await batchesOf('apple')).at(-1)
      expect(batch).toMatchObject({ event_id, n: 3 })
      expect(await pendingOf('apple')).toEqual([])

      const root = (leaves: readonly Uint8Array[]): string => toBase64Url(mth(leaves.map(leafOf)))
      const setOf = (read: PreparedRead, party: string): Uint8Array => {
        const [own] = partsIn([keptIn(read)])
        const { n, root: told } = own?.find((part) => part.party === party) ?? expect.fail('no part')
        expect(n).toBeGreaterThan(0)
        return Buffer.from(told, 'base64url')
      }
      const fields = await auditedFields(event_id ?? newId(NOON))
      expect(fields.filter(({ name }) => name !== 'source')).toEqual([
        { name: 'type', value: 'read.batch' },
        { name: 'time', value: w.clock().toISOString() },
        { name: 'actor', value: 'apple' },
        { name: 'reader', value: 'apple' },
        { name: 'n', value: 3 },
        { name: 'root', value: root([first.c, second.c, third.c]) },
        { name: 'from', value: from.toISOString() },
        { name: 'to', value: w.clock().toISOString() },
      ])
      const plum = [concat(u32(0), setOf(first, 'plum')), concat(u32(1), setOf(second, 'plum'))]
      const fig = [concat(u32(0), setOf(first, 'fig'))]
      expect(fields.filter(({ name }) => name === 'source').map(({ value }) => value)).toEqual([
        { party: 'plum', reader: 'apple', reads: 2, items: 3, root: root(plum) },
        { party: 'fig', reader: 'apple', reads: 1, items: 1, root: root(fig) },
      ])
    })
    test('takes no more sources into one event than a receipt holds; the rest follows', async () => {
      await flush('fig')
      const from = (n: number, first = 0): PreparedRead =>
        prepared({
          sources: Array.from({ length: n }, (_, i) => ({ party: `source-${first + i}`, items: items.slice(0, 1) })),
        })
      const names = await insert('fig', from(45), from(25, 33), from(10, 56), from(60))
      expect(new Set(names.map((name) => nameOf(name).id)).size).toBe(3)
      const flushed = []
      for (let more = true; more; ) {
        const one = await w.provenance.journal.flush(w.ids.fig, 'fig')
        flushed.push([one.reads, one.links])
        more = one.more
      }
      // Within a millisecond rows have any order.
      expect(flushed.toSorted()).toEqual(
        [
          [1, 61],
          [2, 59],
          [1, 11],
        ].toSorted(),
      )
      await w.publish()
      const { id, place } = nameOf(names[1])
      expect(verified(w, await w.ledger.readReceipt(w.holder('fig'), id, place)).passed).toBe(true)
    })
    test('of many sources with the longest names has a receipt also for an auditor, who opens all', async () => {
      await flush('plum')
      const [reader, ...names] = Array.from({ length: 91 }, (_, i) => `${i}`.padStart(63, 'a'))
      const reads = [0, 29, 59, 88].map((first, i) =>
        prepared({
          sources: names.slice(first, [29, 59, 88, 90][i]).map((party) => ({ party, items: items.slice(0, 1) })),
        }),
      )
      for (const read of reads) await insert('plum', read)
      const links = []
      for (let more = true; more; ) {
        const one = await w.provenance.journal.flush(w.ids.plum, reader ?? '')
        links.push(one.links)
        more = one.more
      }
      expect(links.toSorted()).toEqual([32, 60])
      await w.publish()
      for (const { event_id } of (await batchesOf('plum')).slice(-links.length))
        expect(verified(w, await w.ledger.receipt(w.holder('kiwi', true), event_id)).passed).toBe(true)
    })
    test('of 255 sources still has a receipt, for its reader, for each source and for an auditor', async () => {
      await flush('kiwi')
      const sources = Array.from({ length: 255 }, (_, i) => ({ party: `source-${i}`, items: items.slice(0, 1) }))
      const [name] = await insert('kiwi', prepared({ sources }))
      expect(await w.provenance.journal.flush(w.ids.kiwi, 'kiwi')).toEqual({
        reads: 1,
        links: 256,
        lost: 0,
        more: false,
      })
      await w.publish()
      const { id, place } = nameOf(name)
      expect(verified(w, await w.ledger.readReceipt(w.holder('kiwi'), id, place)).passed).toBe(true)
      const { event_id } = (await batchesOf('kiwi')).at(-1) ?? expect.fail('no batch')
      const source = { ...w.holder('plum'), slug: 'source-7' }
      expect(verified(w, await w.ledger.receipt(source, event_id)).passed).toBe(true)
      // All that an auditor opens would be too much: the receipt shows the parts of none, and the records all.
      const audited = verified(w, await w.ledger.receipt(w.holder('fig', true), event_id))
      expect([audited.passed, audited.fields.some(({ name }) => name === 'source')]).toEqual([true, false])
    })
    test('of several sources shows to an auditor who read no more than to any reader', async () => {
      await flush('kiwi')
      const sources = ['plum', 'fig'].map((party) => ({ party, items: items.slice(0, 1) }))
      const [name] = await insert('kiwi', prepared({ sources }))
      await flush('kiwi')
      await w.publish()
      const { id, place } = nameOf(name)
      const given = (auditor: boolean) => w.ledger.readReceipt(w.holder('kiwi', auditor), id, place)
      expect(await given(true)).toEqual(await given(false))
    })
    test('rests as long as the rates of the log need, by a clock that nobody sets', async () => {
      let ms = 0
      const flusher = createFlusher({
        ...{ journal: w.provenance.journal, refresh: async () => {}, monotonic: () => ms },
        slugOf: (participant) => Object.entries(w.ids).find(([, id]) => id === participant)?.[0] ?? expect.fail('who'),
        onLost: () => expect.fail('no key is lost'),
      })
      while ((await flusher.round()) > 0) ms += 60_000
      ms += 60_000
      await insert('apple', prepared(), prepared())
      expect(await flusher.round()).toBe(2)
      await insert('apple', prepared())
      ms += 999
      expect(await flusher.round()).toBe(0)
      ms += 1
      expect(await flusher.round()).toBe(1)
    })
    test('queues with each row what its sources are given of it, as the journal says it', async () => {
      await flush('apple')
      await insert('apple', prepared(), prepared({ sources: [] }), prepared())
      const { journal_id, parts } = (await pendingOf('apple'))[0] ?? expect.fail('nothing waits')
      const kept = await w.t.owner
        .selectFrom('read_journal')
        .select(['journal_id', 'body', 'epoch'])
        .where('journal_id', '=', journal_id)
        .executeTakeFirstOrThrow()
      const sealed = { ...kept, parts: parts ?? expect.fail('without parts') }
      const opened = partsUnlessLost(w.keys, sealed) ?? expect.fail('no key')
      const n = prepared().sources.length
      expect(opened.map((own) => own.length)).toEqual([n, 0, n])
      expect(partsIn(keptUnlessLost(w.keys, kept) ?? [])).toEqual(opened)
      expect(partsUnlessLost(w.keys, { ...sealed, journal_id: newId(NOON) })).toBeUndefined()
      expect(keptUnlessLost(w.keys, { ...kept, body: sealed.parts })).toBeUndefined()
      await flush('apple')
    })
    test('is made of the journal alone where that was sealed again under a later key', async () => {
      await flush('apple')
      await insert('apple', prepared())
      const { journal_id } = (await pendingOf('apple'))[0] ?? expect.fail('nothing waits')
      const journal = w.t.owner.selectFrom('read_journal').where('journal_id', '=', journal_id)
      const { body, epoch } = await journal.select(['body', 'epoch']).executeTakeFirstOrThrow()
      const [to, aad] = [nextGeneration(epoch), uuidBytes(journal_id)]
      await w.keys.create(epochKey(to), 'symmetric')
      const again = w.keys.seal(epochKey(to), w.keys.open(epochKey(epoch), body, aad), aad)
      const moved = w.t.owner.updateTable('read_journal').set({ body: Buffer.from(again), epoch: to })
      await moved.where('journal_id', '=', journal_id).execute()
      expect(await w.provenance.journal.flush(w.ids.apple, 'apple')).toEqual({
        reads: 1,
        links: 1 + prepared().sources.length,
        lost: 0,
        more: false,
      })
    })
    test('holds no reader up where the key of their month is lost: of those reads the entry holds the commitments alone', async () => {
      await flush('apple')
      const event = await w.record('apple')
      const [before] = (await insert('apple', prepared(), prepared())).map(nameOf)
      const kid = epochKey((await journalOf('apple'))[0]?.epoch ?? expect.fail('no row'))
      await w.keys.destroy(kid)
      await w.keys.create(kid, 'symmetric')
      const [after] = (await insert('apple', prepared())).map(nameOf)
      const told: unknown[] = []
      const flusher = createFlusher({
        ...{ journal: { ...w.provenance.journal, pending: async () => [w.ids.apple] }, refresh: async () => {} },
        ...{ slugOf: () => 'apple', onLost: (...lost) => told.push(lost) },
      })
      expect(await flusher.round()).toBe(3)
      expect(told).toEqual([['apple', 2]])
      const batch = (await batchesOf('apple')).at(-1)?.event_id ?? expect.fail('no batch')
      await w.publish()
      const receiptOf = ({ id, place } = nameOf()) => w.ledger.readReceipt(w.holder('apple'), id, place)
      await expect(receiptOf(before)).rejects.toMatchObject(NOT_FOUND)
      expect(verified(w, await receiptOf(after)).passed).toBe(true)
      // Which reads plum's part of the batch is made of nobody can tell any more.
      const asked = { signal: items[0]?.signal ?? expect.fail('no item'), from: 0 }
      await expect(w.ledger.itemReceipt(w.holder('plum'), batch, asked)).rejects.toMatchObject(NOT_FOUND)
      const { passed, fields } = verified(w, await w.ledger.receipt(w.holder('kiwi', true), event))
      expect([passed, fields]).toEqual([true, []])
    })
    test('again without a read is nothing', async () => {
      await flush('apple')
      const before = [await batchesOf('apple'), (await rowsOf(w)).outbox]
      expect(await flush('apple')).toBe(0)
      expect([await batchesOf('apple'), (await rowsOf(w)).outbox]).toEqual(before)
    })
    test('twice at once is one event with every read in it', async () => {
      await flush('fig')
      const before = (await batchesOf('fig')).length
      await insert('fig', prepared(), prepared())
      const counts = await Promise.all([flush('fig'), flush('fig'), flush('fig')])
      expect(counts.toSorted()).toEqual([0, 0, 2])
      expect((await batchesOf('fig')).slice(before).map(({ n }) => n)).toEqual([2])
    })
    test('anew after it failed is the same event', async () => {
      await flush('plum')
      const ids: Uuid[] = []
      let down = true
      const journal = createJournal({
        ...{ db: w.t.app, ledger: w.t.ledger, clock: w.clock, keys: w.keys, origin: ORIGIN, salt: w.provenance.salt },
        saltText: () => toBase64Url(w.provenance.salt()),
        record: async (tx, event: NewEvent) => {
          ids.push(event.event_id)
          await w.provenance.record(tx, event)
          if (down) throw new RangeError('lost before COMMIT')
        },
      })
      await insert('plum', prepared())
      const before = [await batchesOf('plum'), await pendingOf('plum'), (await rowsOf(w)).outbox]
      await expect(journal.flush(w.ids.plum, 'plum')).rejects.toThrow(RangeError)
      expect([await batchesOf('plum'), await pendingOf('plum'), (await rowsOf(w)).outbox]).toEqual(before)
      down = false
      expect(await journal.flush(w.ids.plum, 'plum')).toEqual({ reads: 1, links: 2, lost: 0, more: false })
      expect(ids).toEqual([expect.stringMatching(/^.{8}-.{4}-8/), ids[0]])
      expect((await batchesOf('plum')).at(-1)?.event_id).toBe(ids[0])
      await insert('plum', prepared())
      await journal.flush(w.ids.plum, 'plum')
      expect(ids[2]).not.toBe(ids[0])
    })
    test('a second time, as if it had never been, is refused as the event that is there', async () => {
      await insert('plum', prepared())
      await flush('plum')
      await w.publish()
      const log = await logOf(w)
      const { batch_no, event_id } = (await batchesOf('plum')).at(-1) ?? expect.fail('no batch')
      const mine = `participant_id = '${w.ids.plum}' and batch_no = ${batch_no}`
      await asOwner(
        w,
        `insert into read_pending select participant_id, journal_id, day from read_journal where ${mine}`,
        `update read_journal set batch_no = null, batch_at = null where ${mine}`,
        `delete from read_batch where ${mine}`,
        `update read_head set batch_no = batch_no - 1 where participant_id = '${w.ids.plum}'`,
      )
      await expect(flush('plum')).rejects.toMatchObject({ code: '23505' })
      // Where the record was lost too, the log that has the event takes it no second time.
      await asOwner(w, `delete from prov_record where event_id = '${event_id}'`)
      expect(await flush('plum')).toBe(1)
      expect((await batchesOf('plum')).at(-1)?.event_id).toBe(event_id)
      expect(await w.integrator().round()).toBe(0)
      expect((await rowsOf(w)).outbox).toEqual([])
      expect(await logOf(w)).toBe(log)
    })
    test('gives its reads their places in the batch, over several rows', async () => {
      await flush('apple')
      const reads = Array.from({ length: 515 }, () =>
        prepared({ sources: [{ party: 'plum', items: items.slice(0, 1) }] }),
      )
      const names = [...(await insert('apple', ...reads)), ...(await insert('apple', reads[0] ?? prepared()))].map(
        nameOf,
      )
      expect(await flush('apple')).toBe(516)
      await w.publish()
      const rows = Map.groupBy(names, ({ id }) => id)
      const places: number[] = []
      for (const [id, row] of rows) {
        for (const place of new Set([0, row.length - 1])) {
          const given = await w.ledger.readReceipt(w.holder('apple'), id, place)
          expect(verified(w, given).passed).toBe(true)
          const { index = -1, size } = receiptIn(given).extra.inner ?? {}
          expect(size).toBe(516)
          if (place === 0) places.push(...row.map((one) => index + one.place))
          else expect(places).toContain(index)
        }
      }
      expect([...rows.values()].map((row) => row.length)).toEqual([512, 3, 1])
      expect(places.toSorted((one, other) => one - other)).toEqual([...Array(516).keys()])
    })
  })

  describe('a receipt of a read', () => {
    test('comes once its batch is signed, and verifies without the node', async () => {
      await flush('apple')
      const read = prepared()
      const [, name] = await insert('apple', prepared(), read)
      const { id, place, c } = nameOf(name)
      const ask = () => w.ledger.readReceipt(w.holder('apple'), id, place)
      expect(await ask()).toEqual({ outcome: 'pending' })
      await expect(w.ledger.readReceipt(w.holder('apple'), id, place + 1)).rejects.toMatchObject(NOT_FOUND)
      await flush('apple')
      expect(await ask()).toEqual({ outcome: 'pending' })
      await w.integrator().round()
      expect(await ask()).toEqual({ outcome: 'pending' })
      await w.publish()
      const given = await ask()
      const result = verified(w, given)
      expect([result.passed, result.steps.length]).toEqual([true, 6])
      // What the header of the answer named is what the log has.
      expect(toBase64Url(commitment(sha256, receiptIn(given).extra.inner?.payload ?? ''))).toBe(c)
      expect(valueIn(result.fields, 'reader')).toBe('apple')
      expect(Object.fromEntries(result.inner.map((field) => [field.name, field.value]))).toEqual({
        ...{ route: '/v1/lookup', channel: 'api', as_of: { log: '7' }, n: 3, body: 'a-digest', purpose: 'matching' },
        ...{ asked: saidIn(read, 'asked'), set_salt: saidIn(read, 'set_salt') },
      })
    })
    test('is not given to anyone else, nor of what never was', async () => {
      const [name] = await insert('apple', prepared())
      await flush('apple')
      await w.publish()
      const { id, place } = nameOf(name)
      expect((await w.ledger.readReceipt(w.holder('apple'), id, place)).outcome).toBe('receipt')
      await expect(w.ledger.readReceipt(w.holder('plum'), id, place)).rejects.toMatchObject(NOT_FOUND)
      await expect(w.ledger.readReceipt(w.holder('kiwi', true), id, place)).rejects.toMatchObject(NOT_FOUND)
      await expect(w.ledger.readReceipt(w.holder('apple'), id, 1)).rejects.toMatchObject(NOT_FOUND)
      await expect(w.ledger.readReceipt(w.holder('apple'), newId(NOON), 0)).rejects.toMatchObject(NOT_FOUND)
    })
    test('shows to a source who got how much of it, and proves each item; of others, nothing', async () => {
      await flush('apple')
      const read = prepared()
      await insert('apple', prepared({ sources: [] }), read)
      await flush('apple')
      const { event_id } = (await batchesOf('apple')).at(-1) ?? expect.fail('no batch')
      await w.publish()
      const { passed, fields } = verified(w, await w.ledger.receipt(w.holder('plum'), event_id))
      expect([passed, namesIn(fields)]).toEqual([true, ['source', 'time', 'type']])
      const source = valueIn(fields, 'source') as { root: string; reader: string; party: string; items: number }
      expect(source).toMatchObject({ party: 'plum', reader: 'apple', reads: 1, items: 2 })
      const { data, path } = setProof(sha256, { salt: saltOf(read), party: 'plum', items: items.slice(0, 2) }, 1)
      const set =
        rootFromPath(sha256, { leaf: leafHash(sha256, data), index: 1n, size: 2n, path }) ?? expect.fail('no root')
      expect(toBase64Url(leafHash(sha256, concat(u32(1), set)))).toBe(source.root)
    })
    describe('proves to a source that a reader obtained one signal', () => {
      const [wanted, beside] = [items[0] ?? expect.fail('none'), items[1] ?? expect.fail('none')]
      /** Three reads, of which the last two gave the signal out. */
      const aBatch = async () => {
        await flush('apple')
        const reads = [
          prepared({ sources: [{ party: 'plum', items: [beside] }] }),
          prepared({
            sources: [
              { party: 'fig', items: [wanted] },
              { party: 'plum', items: [beside, wanted] },
            ],
          }),
          prepared({ sources: [{ party: 'plum', items: [{ ...wanted, revision: 9 }, wanted] }] }),
        ]
        await insert('apple', ...reads)
        await flush('apple')
        const { event_id } = (await batchesOf('apple')).at(-1) ?? expect.fail('no batch')
        return { reads, event_id }
      }
      const proofOf = async (event_id: Uuid, asked: { revision?: number; from?: number } = {}, slug: Slug = 'plum') =>
        w.ledger.itemReceipt(w.holder(slug), event_id, { signal: wanted.signal, from: 0, ...asked })
      const given = (proof: Given | { outcome: 'none' }): Given =>
        proof.outcome === 'none' ? expect.fail('no proof') : proof

      test('read by read, and says when there is no more', async () => {
        const { event_id } = await aBatch()
        await expect(proofOf(event_id)).rejects.toMatchObject(NOT_FOUND)
        await w.integrator().round()
        expect(await proofOf(event_id)).toEqual({ outcome: 'pending' })
        await w.publish()
        const told = { signal: wanted.signal, source: 'plum', reader: 'apple' }
        const first = verified(w, given(await proofOf(event_id)))
        expect([first.passed, first.item]).toEqual([true, { ...told, revision: wanted.revision, read: 1 }])
        const second = verified(w, given(await proofOf(event_id, { from: 2 })))
        expect([second.passed, second.item]).toEqual([true, { ...told, revision: 9, read: 2 }])
        expect(await proofOf(event_id, { from: 3 })).toEqual({ outcome: 'none' })
      })
      test('in the revision that is named', async () => {
        const { event_id } = await aBatch()
        await w.publish()
        const { item } = verified(w, given(await proofOf(event_id, { revision: 9 })))
        expect([item?.revision, item?.read]).toEqual([9, 2])
        expect(await proofOf(event_id, { revision: 4 })).toEqual({ outcome: 'none' })
      })
      test('and shows no other signal, salt, source or asked key', async () => {
        const { event_id, reads } = await aBatch()
        await w.publish()
        const receipt = receiptIn(given(await proofOf(event_id)))
        const text = [
          JSON.stringify(receipt.extra),
          ...receipt.extra.disclosures.map((one) => Buffer.from(one, 'base64url').toString()),
          ...receipt.extra.chains.map((one) => Buffer.from(one, 'base64url').toString()),
        ].join('\n')
        expect(text).toContain(wanted.signal)
        expect(text).not.toContain(beside.signal)
        expect(text).not.toContain('fig')
        const own = receipt.extra.item?.salt ?? ''
        for (const [j, read] of reads.entries()) {
          const salt = saltOf(read)
          expect(text).not.toContain(toBase64Url(salt))
          for (const party of ['plum', 'fig']) {
            const key = setKey(sha256, salt, party)
            expect(text).not.toContain(toBase64Url(key))
            for (const i of [0, 1]) {
              const leaf = toBase64Url(setLeaf(sha256, key, i, wanted).subarray(0, 32))
              if (j === 1 && party === 'plum' && i === 1) expect(leaf).toBe(own)
              else expect(text).not.toContain(leaf)
            }
          }
          for (const [, disclosed] of disclosedBy(keptIn(read)).opened) expect(text).not.toContain(String(disclosed))
        }
      })
      test('and to nobody else: to the reader and to strangers there is nothing', async () => {
        const { event_id } = await aBatch()
        await w.publish()
        const asked = async (id: Uuid, slug: Slug) =>
          w.ledger
            .itemReceipt(w.holder(slug), id, { signal: wanted.signal, from: 0 })
            .catch((error: unknown) => ({ ...(error as Error), stack: '' }))
        const never = await asked(newId(NOON), 'kiwi')
        expect(never).toMatchObject(NOT_FOUND)
        expect(await asked(event_id, 'kiwi')).toEqual(never)
        expect(await asked(event_id, 'apple')).toEqual({ outcome: 'none' })
        expect(
          await w.ledger
            .itemReceipt({ ...w.holder('kiwi'), auditor: true }, event_id, {
              ...{ signal: wanted.signal, from: 0 },
            })
            .catch((error: unknown) => (error as { code: string }).code),
        ).toBe('not-found')
      })
      test('of which only so many may wait', async () => {
        const { event_id } = await aBatch()
        await w.publish()
        const settled = await Promise.allSettled(Array.from({ length: 8 }, () => proofOf(event_id)))
        const refusals = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
        expect(new Set(refusals)).toEqual(new Set(['busy']))
        expect(settled.some(({ status }) => status === 'fulfilled')).toBe(true)
      })
    })
    test('of a sealed segment has the sets that were made when it was sealed', async () => {
      await flush('fig')
      const set_salt = w.provenance.salt()
      const sources = w.provenance.sourceSets(set_salt, [{ party: 'plum', items }])
      const segment = { route: '/v1/feeds', as_of: { feed: newId(NOON), seq: '9' }, n: 4, body: 'b', set_salt, sources }
      const [name] = await insert('fig', w.provenance.prepareSegmentRead(segment))
      await flush('fig')
      await w.publish()
      const { id, place } = nameOf(name)
      const { passed, inner } = verified(w, await w.ledger.readReceipt(w.holder('fig'), id, place))
      expect([passed, valueIn(inner, 'set_salt')]).toEqual([true, toBase64Url(set_salt)])
      const { event_id } = (await batchesOf('fig')).at(-1) ?? expect.fail('no batch')
      const source = valueIn(await auditedFields(event_id), 'source') as { root: string }
      const root = Buffer.from(sources[0]?.root ?? '', 'base64url')
      expect(source.root).toBe(toBase64Url(leafHash(sha256, concat(u32(0), root))))
    })
  })
})

describe('the ledger', () => {
  let w: LogWorld
  beforeAll(async () => {
    w = await aLog()
  })
  afterAll(() => w.end())

  /** A dispute of apple about a signal of plum, that fig got. */
  const aDispute = async (): Promise<Uuid> => {
    const event_id = await w.record('apple', {
      ...{ kind: 'dispute.closed', subject: 'plum' },
      fields: { dispute: newId(NOON), signal: newId(NOON), ground: 'outdated', result: 'ended', person: newId(NOON) },
    })
    w.disclosed.add(`${w.ids.fig} ${event_id}`)
    return event_id
  }
  const told = async (slug: Slug, event_id: Uuid, auditor = false) => {
    const given = await w.ledger.receipt(w.holder(slug, auditor), event_id)
    const { passed, fields } = verified(w, given)
    const { chains, chain_digests = [] } = receiptIn(given).extra
    const parties = chains.map((text) => JSON.parse(Buffer.from(text, 'base64url').toString())[2].party)
    return { passed, fields: namesIn(fields), parties, hidden: chain_digests.length }
  }
  /** What auditors looked at, in its order, as the log says. */
  const audits = async (): Promise<string[]> => {
    const rows = await w.t.owner
      .selectFrom('prov_record')
      .selectAll()
      .where('kind', '=', 'audit.read')
      .orderBy('event_id')
      .execute()
    return rows.map((row) => {
      const opened = openRecord(row, row.event_id, w.keys).map((one) => saidIn(one))
      return String(opened.find((said) => said?.[0] === 'range')?.[1])
    })
  }
  const seen = ['dispute', 'ground', 'result', 'signal', 'subject', 'time', 'type']

  test('has nothing to show before the first checkpoint', async () => {
    const empty = await aLog()
    expect(await empty.ledger.checkpoint()).toBeUndefined()
    await empty.record('apple')
    await empty.integrator().round()
    for (const path of ['tile/0/000.p/1', 'tile/entries/000.p/1'])
      await expect(empty.ledger.tile(path)).rejects.toMatchObject(NOT_FOUND)
    await expect(empty.ledger.inclusion(0n, 1n)).rejects.toMatchObject(NOT_FOUND)
    await expect(empty.ledger.consistency(0n, 1n)).rejects.toMatchObject(NOT_FOUND)
    await empty.end()
  })
  test('names its key as checkpoints are verified with it', () => {
    expect(w.ledger.vkey()).toBe(formatVkey(sha256, ORIGIN, w.keys.publicKey('log-1')))
  })

  describe('gives of one event', () => {
    test('to its actor: its own fields and chain', async () => {
      const id = await aDispute()
      await w.publish()
      const fields = ['actor', ...seen, 'person'].toSorted()
      expect(await told('apple', id)).toEqual({ passed: true, fields, parties: ['apple'], hidden: 1 })
    })
    test('to its subject: what concerns it, and its own chain', async () => {
      const id = await aDispute()
      await w.publish()
      expect(await told('plum', id)).toEqual({ passed: true, fields: seen, parties: ['plum'], hidden: 1 })
    })
    test('to a recipient of the signal: what it must know, and no chain', async () => {
      const id = await aDispute()
      await w.publish()
      expect(await told('fig', id)).toEqual({ passed: true, fields: ['result'], parties: [], hidden: 2 })
    })
    test('to an auditor: all of it', async () => {
      const id = await aDispute()
      await w.publish()
      const fields = ['actor', ...seen, 'person'].toSorted()
      expect(await told('kiwi', id, true)).toEqual({ passed: true, fields, parties: ['apple', 'plum'], hidden: 0 })
    })
    test('to an auditor what it sees as one alone, after an entry that it looked; and what is its own or waits without', async () => {
      const id = await aDispute()
      await w.integrator().round()
      const [owl, before] = [w.holder('kiwi', true), await audits()]
      expect(await w.ledger.receipt(owl, id)).toEqual({ outcome: 'pending' })
      expect(await w.ledger.record(owl, id)).toBe('pending')
      expect(await audits()).toEqual(before)
      await w.publish()
      const { index } = receiptIn(await w.ledger.receipt(owl, id))
      await w.ledger.record(owl, id)
      const looks = [...before, `entry ${index}`, `entry ${index}`]
      expect(await audits()).toEqual(looks)
      // Its actor sees all but the chain of the other.
      await w.ledger.record(w.holder('apple', true), id)
      expect(await audits()).toEqual([...looks, `entry ${index}`])
      const own = await w.record('kiwi')
      await w.publish()
      await w.ledger.receipt(owl, own)
      await w.ledger.receipt({ ...owl, recorded: true }, id)
      expect(await audits()).toHaveLength(looks.length + 1)
    })
    test('to an auditor nothing while what must be logged is not admitted', async () => {
      const id = await aDispute()
      await w.publish()
      w.health.ok = false
      try {
        for (const ask of [w.ledger.receipt, w.ledger.record])
          await expect(ask(w.holder('kiwi', true), id)).rejects.toMatchObject({ code: 'log-behind' })
      } finally {
        w.health.ok = true
      }
    })
    test('to an auditor in its own chain as much as to any party', async () => {
      await aDispute()
      await w.publish()
      const { seq = 0n } = (await rowsOf(w)).chains.find(({ party }) => party === 'plum') ?? {}
      const chain = async (auditor: boolean) =>
        Array.fromAsync(await w.ledger.chain(w.holder('plum', auditor), { after: seq - 1n, limit: 1 }))
      const before = await audits()
      expect(await chain(false)).toHaveLength(1)
      expect(await chain(true)).toEqual(await chain(false))
      expect(await audits()).toEqual(before)
    })
    test('to a stranger: as much as of an event that never was', async () => {
      const id = await aDispute()
      const stranger = w.holder('kiwi')
      const asked = async (event_id: Uuid) =>
        w.ledger.receipt(stranger, event_id).catch((error: unknown) => ({ ...(error as Error), stack: '' }))
      const never = await asked(newId(NOON))
      expect(never).toMatchObject(NOT_FOUND)
      expect(await asked(id)).toEqual(never)
      await w.integrator().round()
      expect(await asked(id)).toEqual(never)
      await w.publish()
      expect(await asked(id)).toEqual(never)
    })
    test('while it waits for its index or checkpoint: to who wrote it, that it waits', async () => {
      const id = await aDispute()
      expect(await w.ledger.receipt(w.holder('apple'), id)).toEqual({ outcome: 'pending' })
      for (const slug of ['plum', 'fig', 'kiwi'] as const)
        await expect(w.ledger.receipt(w.holder(slug), id)).rejects.toMatchObject(NOT_FOUND)
      await w.integrator().round()
      for (const slug of ['apple', 'plum', 'fig'] as const)
        expect(await w.ledger.receipt(w.holder(slug), id)).toEqual({ outcome: 'pending' })
      await w.signer.round()
      expect(await w.ledger.receipt(w.holder('plum'), id)).toEqual({ outcome: 'pending' })
      await w.publish()
      expect((await told('plum', id)).passed).toBe(true)
    })
  })

  test('while it waits says so to an auditor too, whom the state of the log names it, and to no other stranger', async () => {
    const event = w.anEvent('apple')
    await asParticipant(w.t.app, w.ids.apple, (tx) => w.provenance.record(tx, event))
    expect(await w.ledger.receipt(w.holder('kiwi', true), event.event_id)).toEqual({ outcome: 'pending' })
    await expect(w.ledger.receipt(w.holder('kiwi'), event.event_id)).rejects.toMatchObject(NOT_FOUND)
    await expect(w.ledger.receipt(w.holder('kiwi', true), newId(NOON))).rejects.toMatchObject(NOT_FOUND)
    await w.publish()
    expect((await told('kiwi', event.event_id, true)).passed).toBe(true)
  })

  test('of an act of the programme that is told to all says to everybody that it waits, and of no other act', async () => {
    const act = (kind: NewEvent['kind'], fields: NewEvent['fields']) => {
      const event = w.anEvent('apple', { kind, participant_id: PROGRAMME, actor: 'node', fields })
      return asParticipant(w.t.app, PROGRAMME, async (tx) => {
        await w.provenance.record(tx, event)
        return event.event_id
      })
    }
    const forAll = await act('hash_profile.published', { kid: 'year-1', suite: 'oprf-ristretto255-sha512' })
    const forFew = await act('signal.submitted', { od: 'digest', n: 1, refused: 0 })
    expect(await w.ledger.receipt(w.holder('kiwi'), forAll)).toEqual({ outcome: 'pending' })
    expect(await w.ledger.record(w.holder('kiwi'), forAll)).toBe('pending')
    await expect(w.ledger.receipt(w.holder('kiwi'), forFew)).rejects.toMatchObject(NOT_FOUND)
    await w.publish()
    expect((await told('kiwi', forAll)).passed).toBe(true)
  })

  test('gives a receipt of an erasure that took as much as one may, in a log of a million million entries', async () => {
    const targets = Array.from({ length: ERASURE_TARGETS_MAX }, () => ['9'.repeat(12), 'A'.repeat(43)])
    const types = Object.fromEntries(Object.keys(SIGNAL_TYPE).map((type) => [type, 100]))
    const fields = { targets, n: 100, types, basis: 'b'.repeat(63), approval: newId(NOON), notified: 999 }
    const event_id = await w.record('apple', { kind: 'erasure', subject: 'apple', fields })
    await w.publish()
    for (const holder of [w.holder('apple'), w.holder('kiwi', true)])
      expect(verified(w, await w.ledger.receipt(holder, event_id)).passed).toBe(true)
  })

  test('gives a receipt of no entry whose record is another', async () => {
    const [one, other] = [await aDispute(), await aDispute()]
    await w.publish()
    await asOwner(
      w,
      `update prov_record set c = (select c from prov_record where event_id = '${other}') where event_id = '${one}'`,
    )
    await expect(w.ledger.receipt(w.holder('apple'), one)).rejects.toThrow(`has no record`)
    expect((await told('apple', other)).passed).toBe(true)
  })

  describe('of a log with full tiles', () => {
    let big: LogWorld
    /** Published; two entries more are indexed. */
    const SIZE = 300
    beforeAll(async () => {
      big = await aLog()
      const grow = async (n: number): Promise<void> => {
        const rows = Array.from({ length: n }, () => big.provenance.prepare(big.anEvent('apple')))
        await asParticipant(big.t.app, big.ids.apple, (tx) => big.provenance.insert(tx, rows))
      }
      await grow(200)
      await big.publish()
      await grow(100)
      await big.publish()
      await grow(2)
      await big.integrator().round()
    })
    afterAll(() => big.end())
    const leavesOf = async () => (await rowsOf(big)).entries.map(({ entry }) => leafOf(entry))

    test.for<[path: string, level: number, n: number, width: number]>([
      ['tile/0/000', 0, 0, 256],
      ['tile/0/000.p/7', 0, 0, 7],
      ['tile/0/000.p/255', 0, 0, 255],
      ['tile/0/001.p/44', 0, 1, 44],
      ['tile/0/001.p/3', 0, 1, 3],
      ['tile/1/000.p/1', 1, 0, 1],
    ])('serves %s as it is defined', async ([path, level, n, width]) => {
      const tile = await big.ledger.tile(path)
      expect(toHex(tile)).toBe(toHex(tileOf(level, n, await leavesOf()).slice(0, 32 * width)))
    })
    test.for<[path: string, from: number, to: number]>([
      ['tile/entries/000', 0, 256],
      ['tile/entries/000.p/7', 0, 7],
      ['tile/entries/001.p/44', 256, 300],
      ['tile/entries/001.p/1', 256, 257],
    ])('serves %s with exactly its entries', async ([path, from, to]) => {
      const bundle = await big.ledger.tile(path)
      expect(decodeBundle(bundle)?.map((entry) => toHex(leafOf(entry)))).toEqual(
        (await leavesOf()).slice(from, to).map(toHex),
      )
    })
    test.for([
      ...['tile/0/001.p/45', 'tile/0/001.p/46', 'tile/0/001', 'tile/0/002.p/1', 'tile/1/000.p/2', 'tile/2/000.p/1'],
      ...['tile/entries/001.p/45', 'tile/entries/001', 'tile/0/x001/000', 'tile/63/000.p/1'],
    ])('does not have %s: it is beyond what is published', async (path) => {
      await expect(big.ledger.tile(path)).rejects.toMatchObject(NOT_FOUND)
    })
    test.for(['', 'tile/0/0', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/../0/000', 'checkpoint'])(
      'does not have %j: it is no tile',
      async (path) => {
        await expect(big.ledger.tile(path)).rejects.toMatchObject(NOT_FOUND)
      },
    )
    test('proves every kind of place in every published size', async () => {
      const leaves = await leavesOf()
      for (const [index, size] of [
        [0, 1],
        [0, SIZE],
        [199, 200],
        [200, 201],
        [255, 256],
        [256, 257],
        [299, SIZE],
      ] as const) {
        const path = await big.ledger.inclusion(BigInt(index), BigInt(size))
        const leaf = leaves[index] ?? expect.fail('no such leaf')
        const root = rootFromPath(sha256, { leaf, index: BigInt(index), size: BigInt(size), path })
        expect(toHex(root ?? leaf), `${index} of ${size}`).toBe(toHex(mth(leaves.slice(0, size))))
      }
    })
    test('proves that it only grew', async () => {
      const leaves = await leavesOf()
      for (const [from, to] of [
        [0, SIZE],
        [1, SIZE],
        [200, SIZE],
        [256, 257],
        [SIZE, SIZE],
      ] as const) {
        const path = await big.ledger.consistency(BigInt(from), BigInt(to))
        const [root1, root2] = [mth(leaves.slice(0, from)), mth(leaves.slice(0, to))]
        expect(verifyConsistency(sha256, { size1: BigInt(from), size2: BigInt(to), root1, root2, path })).toBe(true)
      }
    })
    test('proves nothing beyond what is published, and no size that shrinks', async () => {
      for (const [index, size] of [
        [0n, 301n],
        [301n, 302n],
        [5n, 5n],
        [6n, 5n],
      ] as const)
        await expect(big.ledger.inclusion(index, size)).rejects.toMatchObject(NOT_FOUND)
      await expect(big.ledger.consistency(200n, 301n)).rejects.toMatchObject(NOT_FOUND)
      await expect(big.ledger.consistency(9n, 8n)).rejects.toMatchObject({ code: 'invalid-query' })
    })
    test('shows the newest checkpoint, of the tree that it names', async () => {
      const latest = await big.ledger.checkpoint()
      expect([latest?.size, latest?.at]).toEqual([BigInt(SIZE), NOON])
      expect(toHex(latest?.root ?? new Uint8Array(0))).toBe(toHex(mth((await leavesOf()).slice(0, SIZE))))
    })
  })
})
