import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { VerificationFailed } from '../../src/client/errors.ts'
import { type ChainOf, type HistoryEntry, history } from '../../src/client/history.ts'
import { openHistory } from '../../src/client/kept-history.ts'
import { checkPromises } from '../../src/client/promises.ts'
import { checkProofs, proveReads, readersOf } from '../../src/client/readers.ts'
import { checkReceipt, openVkey, readName } from '../../src/client/verify.ts'
import { openPolicy } from '../../src/client/witnessed.ts'
import { fromBase64Url, toBase64Url, toHex } from '../../src/kernel/bytes.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { formatVkey } from '../../src/provenance/note.ts'
import { setKey, setLeaf } from '../../src/provenance/readset.ts'
import { openWitnessKey } from '../../src/witness/key.ts'
import { runCli } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

const ORIGIN = 'node.example.org/provenance/1'
const KEYS = ['ab', 'cd', 'ef', '01'].map((pair) => pair.repeat(32))

let n: TestNode
let apple: Member
let banana: Member
let cherry: Member
let feed: Uuid
let folder: string
let signals: Uuid[]
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-history-'))
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  cherry = await n.member('cherry')
  const everybody = await apple.everybody()
  const items = await Promise.all(
    KEYS.map((hash) => apple.item({ type: 'media_hash', algorithm: 'sha256', hash }, everybody)),
  )
  signals = items.map(({ signal }) => signal)
  const others = await Promise.all(
    ['a1', 'b2'].map((pair) =>
      cherry.item({ type: 'media_hash', algorithm: 'sha256', hash: pair.repeat(32) }, everybody),
    ),
  )
  const sent = await apple.client.submit(await apple.sign(items))
  const more = await cherry.client.submit(await cherry.sign(others))
  expect([sent.accepted, more.accepted]).toEqual([4, 2])
  await apple.client.receipt(sent.submission ?? '')
  const found = (await banana.client.feeds()).feeds.find(({ audience }) => audience === everybody)
  feed = found?.feed ?? expect.fail('no feed of everybody')
  for (let cursor = found?.start ?? '', seen = 0; seen < 6; ) {
    const page = await banana.client.events(feed, { cursor, wait: 5 })
    seen += page.events.length
    cursor = page.next_cursor
  }
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

const chainOf = ({ slug }: Member): ChainOf => ({ party: slug, origin: ORIGIN })
const compare = (note: string) => apple.home.compare(apple.client, note)
const keyOf = (member: Member) => openVkey(member.home.pinned().vkey)
/** Waits until the batch of an answer is under a checkpoint. */
const published = async ({ client }: Member, read: string): Promise<string> => {
  const { id = '', place = '' } = readName(read) ?? {}
  return (await client.receipt(id, { read: place })) ?? expect.fail('the read was not published')
}
const entriesOf = async (member: Member, client: Pick<Client, 'chain' | 'tile'> = member.client) =>
  Array.fromAsync(history({ client, of: chainOf(member), head: await member.home.advance(member.client) }))

/** What an answer gave out of apple, as its reader saw it. */
interface Served {
  reader: string
  signals: string[]
  read: string
}
const served: Served[] = []
const pageOf = async (by: Member, limit: number): Promise<void> => {
  const { start } = (await by.client.feeds()).feeds.find((one) => one.feed === feed) ?? { start: '' }
  const { events, read } = await by.client.events(feed, { cursor: start, limit })
  const own = events.filter(({ source }) => source === 'apple').map(({ signal }) => signal)
  served.push({ reader: by.slug, signals: own, read })
}
const lookUp = async (by: Member, keys: readonly string[]): Promise<void> => {
  const queries = [{ type: 'media_hash' as const, profile: 'sha256', keys: [...keys] }]
  const { matches, read } = await by.client.lookUp({ purpose: 'investigation', queries })
  const own = matches.filter(({ event }) => event.source === 'apple').map(({ event }) => event.signal)
  served.push({ reader: by.slug, signals: own, read })
}
/** What apple's list must say: by reader the reads that gave something out, and how much. */
const expected = () =>
  [
    ...Map.groupBy(
      served.filter(({ signals: own }) => own.length > 0),
      ({ reader }) => reader,
    ),
  ]
    .map(([reader, own]) => ({
      reader,
      reads: own.length,
      items: own.reduce((sum, one) => sum + one.signals.length, 0),
    }))
    .toSorted((a, b) => (a.reader < b.reader ? -1 : 1))

describe('who obtained my signals', { shuffle: false }, () => {
  let before: { reader: string; reads: number; items: number }[]
  beforeAll(async () => {
    // What the world above read while it waited.
    const totals = await readersNow()
    before = totals
    served.length = 0
  })
  const readersNow = async () => {
    await settle()
    const entries = await entriesOf(apple)
    return (await readersOf(each(entries), 'apple')).map(({ reader, reads, items }) => ({ reader, reads, items }))
  }
  /** Everything that was read until now is in the log: a read of each, and the receipt of it. */
  const settle = async (): Promise<void> => {
    await Promise.all(
      [apple, banana, cherry].map(async (by) => {
        const { read } = await by.client.lookUp({
          ...{ purpose: 'appeal', queries: [{ type: 'media_hash', profile: 'sha256', keys: ['d4'.repeat(32)] }] },
        })
        await published(by, read)
      }),
    )
  }

  test('is exactly what was served, whoever read what and how', { timeout: 120_000 }, async () => {
    const reader = fc.constantFrom('apple', 'banana', 'cherry')
    const one = fc.oneof(
      fc.record({ reader, keys: fc.subarray([...KEYS, 'a1'.repeat(32), 'c3'.repeat(32)], { minLength: 1 }) }),
      fc.record({ reader, limit: fc.integer({ min: 1, max: 6 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 8 }), async (plan) => {
        const by = { apple, banana, cherry } as Readonly<Record<string, Member>>
        for (const step of plan) {
          const member = by[step.reader] ?? apple
          await ('keys' in step ? lookUp(member, step.keys) : pageOf(member, step.limit))
        }
        const told = await readersNow()
        const known = new Map(before.map((row) => [row.reader, row]))
        const since = told.flatMap(({ reader: name, reads, items }) => {
          const { reads: r = 0, items: i = 0 } = known.get(name) ?? {}
          return reads === r ? [] : [{ reader: name, reads: reads - r, items: items - i }]
        })
        expect(since).toEqual(expected())
      }),
      { numRuns: 3 },
    )
  })

  test('is proven for one signal, read by read, offline, and shows nothing beside it', {
    timeout: 60_000,
  }, async () => {
    const [wanted = '' as Uuid] = signals
    const dir = join(folder, 'proofs')
    await settle()
    const proofs = async () =>
      proveReads(wanted, {
        ...{ client: apple.client, key: keyOf(apple), policy: undefined, dir, me: 'apple', compare },
        entries: each(await entriesOf(apple)),
      })
    const all = await proofs()
    const count = (rows: readonly { reader: string }[]) =>
      Object.fromEntries([...Map.groupBy(rows, ({ reader }) => reader)].map(([reader, own]) => [reader, own.length]))
    const given = served.filter((one) => one.signals.includes(wanted))
    // The world's own pages gave it out too, before anything was counted.
    for (const [reader, reads] of Object.entries(count(given))) expect(count(all)[reader]).toBeGreaterThanOrEqual(reads)
    const opened = all.map(({ file }) => checkReceipt(readFileSync(file, 'utf8'), keyOf(apple)))
    expect(opened.every(({ passed, item }) => passed && item?.signal === wanted)).toBe(true)

    const salts = await Promise.all(
      served
        .filter((one) => one.reader === 'banana')
        .map(async ({ read }) => {
          const { inner } = checkReceipt(await published(banana, read), keyOf(banana))
          return fromBase64Url(String(inner.find(({ name }) => name === 'set_salt')?.value)) ?? new Uint8Array(0)
        }),
    )
    for (const { file } of all) {
      const text = readFileSync(file, 'utf8')
      const extra = Buffer.from(/^extra (.+)$/m.exec(text)?.[1] ?? '', 'base64').toString()
      const { item, disclosures } = JSON.parse(extra) as { item: { salt: string }; disclosures: string[] }
      const bytes = [extra, ...disclosures.map((one) => Buffer.from(one, 'base64url').toString())].join('\n')
      for (const other of signals) if (other !== wanted) expect(bytes).not.toContain(other)
      for (const salt of salts) {
        expect(bytes).not.toContain(toBase64Url(salt))
        const key = setKey(sha256, salt, 'apple')
        for (let i = 0; i < 4; i++) {
          const own = toBase64Url(setLeaf(sha256, key, i, { signal: wanted, revision: 1 }).subarray(0, 32))
          if (own !== item.salt) expect(bytes).not.toContain(own)
        }
      }
    }
    const again = await proofs()
    expect(again).toEqual(all)
    // A node that proves something else than was asked for.
    const lying: Pick<Client, 'itemReceipt'> = {
      itemReceipt: (event, { from = 0 }) => apple.client.itemReceipt(event, { item: signals[1] ?? wanted, from }),
    }
    const entries = each(await entriesOf(apple))
    const asked = {
      ...{
        client: lying,
        key: keyOf(apple),
        policy: undefined,
        dir: join(folder, 'lies'),
        me: 'apple',
        entries,
        compare,
      },
    }
    await expect(proveReads(wanted, asked)).rejects.toMatchObject({ step: 'proof' })
  })

  test('is proven by the very entry of our chain, under a tree that continues the one that we keep', {
    timeout: 60_000,
  }, async () => {
    const [wanted = '' as Uuid] = signals
    await lookUp(banana, KEYS)
    await settle()
    const all = await entriesOf(apple)
    const asked = {
      ...{ client: apple.client, key: keyOf(apple), policy: undefined, dir: join(folder, 'entries') },
      ...{ me: 'apple', compare },
    }
    // What a second tree has at the same places: batches that our chain does not have.
    const others = all.map((entry, i) => ({ ...entry, c: all.at(i - 1)?.c ?? '' }))
    await expect(proveReads(wanted, { ...asked, entries: each(others) })).rejects.toMatchObject({ step: 'proof' })
    const contradicted = () => Promise.reject(new VerificationFailed('log', 'another tree'))
    await expect(proveReads(wanted, { ...asked, entries: each(all), compare: contradicted })).rejects.toMatchObject({
      step: 'log',
    })
    expect(existsSync(join(asked.dir, 'proofs'))).toBe(false)

    const proofs = await proveReads(wanted, { ...asked, entries: each(all) })
    expect(proofs.length).toBeGreaterThan(0)
    const check = (entries: readonly HistoryEntry[]) =>
      checkProofs(asked.dir, {
        ...{ me: 'apple', key: keyOf(apple), keyOf: () => keyOf(apple) },
        ours: new Map(entries.map((entry) => [entry.event, entry])),
      })
    expect(check(all)).toBe(proofs.length)
    expect(() => check(others)).toThrow('is of no batch of our chain')
    expect(() => check([])).toThrow('is of no batch of our chain')
  })

  test('is taken only under a checkpoint that the pinned witnesses cosigned', { timeout: 60_000 }, async () => {
    const [wanted = '' as Uuid] = signals
    await lookUp(banana, KEYS)
    await settle()
    const key = keyOf(apple)
    const { vkey } = openWitnessKey(join(folder, 'w'), 'w.example/w')
    const log = formatVkey(sha256, key.name, key.publicKey)
    const policy = openPolicy(`log ${log}\nwitness w ${vkey} http://127.0.0.1:1\nquorum w\n`, key)
    const dir = join(folder, 'witnessed')
    const asked = {
      client: apple.client,
      key,
      policy,
      dir,
      me: 'apple',
      compare,
      entries: each(await entriesOf(apple)),
    }
    await expect(proveReads(wanted, asked)).rejects.toMatchObject({
      ...{ step: 'proof', detail: expect.stringContaining('0 of 1 witnesses') },
    })
    expect(existsSync(join(dir, 'proofs'))).toBe(false)
  })

  test('is not for those whose signals they are not', { timeout: 60_000 }, async () => {
    await lookUp(banana, KEYS.slice(0, 1))
    const receipt = checkReceipt(await published(banana, served.at(-1)?.read ?? ''), keyOf(banana))
    const batch = (await entriesOf(apple)).find(({ index }) => index === receipt.index)?.event ?? expect.fail('none')
    const never = '01890000-0000-7000-8000-000000000000' as Uuid
    const answers = async (event: string) =>
      Promise.all(
        [`receipts/${event}`, `receipts/${event}?item=${signals[0]}`, `records/${event}`, 'chain?party=apple'].map(
          (path) =>
            cherry.client.transport
              .call({ method: 'GET', path: `/provenance/1/${path}`, idempotent: false })
              .catch((error: object) => ({ ...error, requestId: '' })),
        ),
      )
    const hidden = await answers(batch)
    expect(hidden).toEqual(await answers(never))
    expect(hidden.map((one) => (one as { status: number }).status)).toEqual([404, 404, 404, 404])
  })
})

async function* each<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all
}

describe('my history', () => {
  /** A node that answers for the chain what it makes of the true lines. */
  const lying = (make: (lines: string[], after: bigint) => string[]): Pick<Client, 'chain' | 'tile'> => ({
    tile: apple.client.tile,
    chain: async function* (query) {
      const all = await Array.fromAsync(apple.client.chain({ ...query, after: 0n }))
      const kept = make(all, query.after)
      yield* kept.filter((line) => BigInt(/"seq":"([0-9]+)"/.exec(line)?.[1] ?? 0) > query.after)
    },
  })
  type Line = { seq: string; event: string; index: string; record: { disclosures: string[]; chains: string[] } }
  const changed = (line: string | undefined, change: (told: Line) => unknown): string => {
    const told = JSON.parse(line ?? '{}') as Line
    change(told)
    return JSON.stringify(told)
  }
  const at = (place: number, change: (told: Line, all: Line[]) => unknown) => (lines: string[]) =>
    lines.with(
      place,
      changed(lines[place], (told) =>
        change(
          told,
          lines.map((line) => JSON.parse(line) as Line),
        ),
      ),
    )

  test('is whole: dense from the first link, each entry where the tree has it, and what was promised', async () => {
    const entries = await entriesOf(apple)
    expect(entries.map(({ seq }) => Number(seq))).toEqual(entries.map((_, i) => i + 1))
    expect(entries.map(({ kind }) => kind)).toContain('signal.submitted')
    expect(entries[0]?.kind).toBe('participant.admitted')
  })
  test.for<[what: string, step: string, make: (lines: string[]) => string[]]>([
    ['leaves an entry out', 'chain gap', (lines) => lines.toSpliced(1, 1)],
    [
      'leaves an entry out and counts on without it',
      'chain link',
      (lines) =>
        lines.toSpliced(1, 1).map((line, i) => changed(line, (told) => Object.assign(told, { seq: String(i + 1) }))),
    ],
    ['leaves the first out', 'chain gap', (lines) => lines.slice(1)],
    ['swaps two entries', 'chain gap', (lines) => lines.with(0, lines[1] ?? '').with(1, lines[0] ?? '')],
    [
      'names another index',
      'chain entry',
      at(0, (told) => Object.assign(told, { index: String(BigInt(told.index) + 1n) })),
    ],
    [
      'names an index before the last',
      'chain order',
      at(1, (told, all) => Object.assign(told, { index: all[0]?.index })),
    ],
    [
      'alters a field',
      'chain record',
      at(0, ({ record }) => {
        const [first = ''] = record.disclosures
        const [salt, name] = JSON.parse(Buffer.from(first, 'base64url').toString()) as string[]
        const forged = toBase64Url(Buffer.from(JSON.stringify([salt, name, 'signal.withdrawn'])))
        record.disclosures = record.disclosures.with(0, forged) as never
      }),
    ],
    [
      'alters a record with all its digests',
      'chain link',
      at(0, ({ record }) => {
        const field = toBase64Url(Buffer.from(JSON.stringify(['', 'type', 'signal.submitted'])))
        const time = toBase64Url(Buffer.from(JSON.stringify(['', 'time', '2026-01-01T00:00:00.000Z'])))
        const _sd = [field, time].map((one) => toBase64Url(sha256(one))).toSorted()
        Object.assign(record, {
          disclosures: [field, time],
          payload: JSON.stringify({ _sd, _sd_alg: 'sha-256', v: 1 }),
        })
      }),
    ],
    [
      "answers another entry's fields",
      'chain record',
      at(0, ({ record }, all) => Object.assign(record, { disclosures: all[1]?.record.disclosures })),
    ],
    ['hides what an entry is', 'chain record', at(0, ({ record }) => Object.assign(record, { disclosures: [] }))],
    [
      "answers another entry's link",
      'chain link',
      at(0, ({ record }, all) => Object.assign(record, { chains: all[1]?.record.chains })),
    ],
    ['hides our link', 'chain link', at(0, ({ record }) => Object.assign(record, { chains: [] }))],
    [
      "invents another party's link",
      'chain entry',
      at(0, ({ record }) => Object.assign(record, { chain_digests: [toBase64Url(sha256('another'))] })),
    ],
    [
      'adds an entry at the end',
      'chain link',
      (lines) => [
        ...lines,
        changed(lines.at(-1), (told) => {
          told.seq = String(BigInt(told.seq) + 1n)
          told.index = String(BigInt(told.index) + 1n)
        }),
      ],
    ],
    ['answers no JSON', 'chain line', () => ['{"seq":"1"']],
    ['answers another form', 'chain line', at(0, (told) => Object.assign(told, { record: {} }))],
  ])('is refused from a node that %s, as %s', async ([, step, make]) => {
    // Two entries at least, and none that is still to be published.
    const head = await apple.home.advance(apple.client)
    const told = Array.fromAsync(history({ client: lying(make), of: chainOf(apple), head }))
    await expect(told).rejects.toMatchObject({ name: 'VerificationFailed', step })
  })

  test('is refused from a node whose database lost a link, or has that of another entry', async () => {
    const links = () => n.t.owner.selectFrom('log_chain_seg').selectAll().where('party', '=', 'apple')
    const [first, second] = await links().orderBy('first_seq').execute()
    if (first === undefined || second === undefined) throw new Error('two links')
    // Of one link, unless a busy machine let more of them come in one round.
    const { first_seq } = second
    const away = n.t.owner.deleteFrom('log_chain_seg').where('party', '=', 'apple').where('first_seq', '=', first_seq)
    await away.execute()
    await expect(entriesOf(apple)).rejects.toMatchObject({ step: 'chain gap' })
    // The entries of the first links, told once more as the second.
    await n.t.owner
      .insertInto('log_chain_seg')
      .values({ ...first, first_seq })
      .execute()
    await expect(entriesOf(apple)).rejects.toMatchObject({ step: 'chain order' })
    await away.execute()
    await n.t.owner.insertInto('log_chain_seg').values(second).execute()
    expect((await entriesOf(apple)).length).toBeGreaterThan(1)
  })
  test('is refused once it ends before what was verified, or is another', async () => {
    const dir = mkdtempSync(join(folder, 'kept-'))
    const head = await apple.home.advance(apple.client)
    const kept = openHistory(dir, chainOf(apple))
    expect(await kept.extend(apple.client, head)).toBeGreaterThan(1)
    const later = openHistory(dir, chainOf(apple))
    expect({ ...later.place, link: toHex(later.place.link) }).toEqual({ ...kept.place, link: toHex(kept.place.link) })
    const shorter = lying((lines) => lines.slice(0, -1))
    await expect(later.extend(shorter, head)).rejects.toMatchObject({ step: 'chain head' })
    const other = lying((lines) =>
      lines.map((line) => changed(line, (told) => Object.assign(told.record, { chains: [] }))),
    )
    await expect(later.extend(other, head)).rejects.toMatchObject({ step: 'chain head' })
    await expect(later.extend(apple.client, { ...head, size: 1n })).rejects.toMatchObject({ step: 'chain head' })
    expect(await later.extend(apple.client, head)).toBe(0)
  })
  test('is kept whole by two that extend it at once, and neither blames the node', async () => {
    const dir = mkdtempSync(join(folder, 'kept-'))
    const head = await apple.home.advance(apple.client)
    const [one, two, late] = [1, 2, 3].map(() => openHistory(dir, chainOf(apple)))
    if (one === undefined || two === undefined || late === undefined) throw new Error('three')
    // It was asked a little earlier.
    const first = one.extend(
      lying((lines) => lines.slice(0, -1)),
      head,
    )
    const after: Pick<Client, 'chain' | 'tile'> = {
      tile: apple.client.tile,
      chain: async function* (query) {
        await first
        yield* apple.client.chain(query)
      },
    }
    await Promise.all([first, two.extend(after, head)])
    const n = Number(two.place.seq)
    const again = await Array.fromAsync(openHistory(dir, chainOf(apple)).entries())
    expect(again.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: n }, (_, i) => i + 1))
    // Its head was taken before the one under which another has verified more.
    expect(await late.extend(apple.client, { ...head, size: head.size - 1n })).toBe(0)
    expect(late.place.seq).toBe(BigInt(n))
  })
  test('in the folder is that which was verified, or refused', async () => {
    const dir = mkdtempSync(join(folder, 'kept-'))
    const head = await apple.home.advance(apple.client)
    const kept = openHistory(dir, chainOf(apple))
    await kept.extend(apple.client, head)
    const file = join(dir, 'history', '1', 'chain.ndjson')
    // What a crash left behind the noted place is no part of it.
    appendFileSync(file, '{"seq":"9')
    const again: HistoryEntry[] = await Array.fromAsync(openHistory(dir, chainOf(apple)).entries())
    expect(again.map(({ event }) => event)).toEqual(
      (await entriesOf(apple)).slice(0, again.length).map(({ event }) => event),
    )
    expect(await openHistory(dir, chainOf(apple)).extend(apple.client, head)).toBe(0)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('"seq":"1"', '"seq":"2"'))
    await expect(Array.fromAsync(openHistory(dir, chainOf(apple)).entries())).rejects.toMatchObject({
      step: 'chain gap',
    })
    writeFileSync(file, '')
    await expect(openHistory(dir, chainOf(apple)).extend(apple.client, head)).rejects.toThrow('lines are missing')
    expect(() => openHistory(dir, chainOf(banana))).toThrow('another log or party')
  })

  describe('holds what was promised', () => {
    /** A folder with one promise and its receipt. */
    const aFolder = async () => {
      const dir = mkdtempSync(join(folder, 'promised-'))
      const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())
      const { submission, countersignature } = await apple.client.submit(await apple.sign([item]))
      const event = submission ?? expect.fail('not stored')
      const header = Buffer.from(countersignature?.protected ?? '', 'base64url').toString()
      const { rec } = JSON.parse(header) as { rec: string }
      const receipt = (await apple.client.receipt(event)) ?? expect.fail('not published')
      writeFileSync(join(dir, 'events.ndjson'), `${JSON.stringify({ event, rec, at: new Date().toISOString() })}\n`)
      const keep = (text: string) => writeFileSync(join(dir, 'receipts', `${event}.tlog-proof`), text)
      mkdirSync(join(dir, 'receipts'))
      return { dir, event, rec, receipt, keep }
    }
    const check = async (dir: string, entries: readonly HistoryEntry[], now = new Date()) =>
      checkPromises(dir, {
        key: keyOf(apple),
        keyOf: () => keyOf(apple),
        endedAt: () => undefined,
        entries: each(entries),
        now,
      })

    test('and not by a log that had ended before it was promised', async () => {
      const { dir, receipt, keep } = await aFolder()
      keep(receipt)
      const next = { ...keyOf(apple), name: 'node.example.org/provenance/2' }
      const checkAt = (ended: Date | undefined) =>
        checkPromises(dir, {
          ...{ key: next, keyOf: () => keyOf(apple), endedAt: () => ended },
          ...{ entries: each([]), now: new Date() },
        })
      await expect(checkAt(new Date(Date.now() - 60_000))).rejects.toMatchObject({ step: 'chain promise' })
      for (const ended of [new Date(Date.now() + 60_000), undefined])
        expect(await checkAt(ended)).toMatchObject({ submissions: 1, receipts: 0, alone: 1 })
      // Noted once more, from an answer that came after the log had ended.
      const notes = join(dir, 'events.ndjson')
      const noted = JSON.parse(readFileSync(notes, 'utf8')) as object
      const [before, after] = [-30_000, 30_000].map((ms) => new Date(Date.now() + ms).toISOString())
      writeFileSync(notes, `${JSON.stringify({ ...noted, at: after, signed_at: before })}\n`)
      expect(await checkAt(new Date())).toMatchObject({ submissions: 1, alone: 1 })
    })

    test('and a receipt of a log before against our chain in that log, as far as the folder has it', async () => {
      const { dir, event, receipt, keep } = await aFolder()
      keep(receipt)
      const links = await entriesOf(apple)
      const at = links.findIndex((link) => link.event === event)
      const own = links[at] ?? expect.fail('no link')
      const next = { ...keyOf(apple), name: 'node.example.org/provenance/2' }
      const heldBy = (entries: readonly HistoryEntry[], size = own.index + 1n) =>
        checkPromises(dir, {
          ...{ key: next, keyOf: () => keyOf(apple), endedAt: () => undefined, entries: each([]), now: new Date() },
          chainIn: () => ({ place: { ...own, size }, entries: () => each(entries) }),
        })
      expect(await heldBy(links)).toMatchObject({ submissions: 1, receipts: 0, former: 1, alone: 0 })
      expect(await heldBy(links.slice(0, at), own.index)).toMatchObject({ submissions: 1, former: 0, alone: 1 })
      await expect(heldBy(links.slice(0, at))).rejects.toThrow(`the chain leaves ${event} out`)
      const other = links.with(at, { ...own, c: toBase64Url(new Uint8Array(32)) })
      await expect(heldBy(other)).rejects.toThrow(`link ${own.seq} is of another entry than ${event}`)
    })

    test('and says what waits, until it has waited too long', async () => {
      const { dir, event, receipt, keep } = await aFolder()
      const entries = await entriesOf(apple)
      const none = { submissions: 0, reads: 0, receipts: 0, former: 0, alone: 0, others: 0 }
      const nothing = { ...none, waiting: [], ended: [], later: 0, torn: [] }
      expect(await check(dir, entries)).toEqual({ ...nothing, waiting: [event] })
      const late = new Date(Date.now() + 901_000)
      await expect(check(dir, entries, late)).rejects.toMatchObject({ step: 'chain promise' })
      keep(receipt)
      expect(await check(dir, entries, late)).toEqual({ ...nothing, submissions: 1, receipts: 1 })
    })
    test('but for what cannot be held any more, which is told apart', async () => {
      const { dir, event } = await aFolder()
      const late = new Date(Date.now() + 901_000)
      const ends = (names: readonly string[]) =>
        checkPromises(dir, {
          ...{ key: keyOf(apple), keyOf: () => keyOf(apple), endedAt: () => undefined, now: late },
          ...{ entries: each([]), endedOf: async () => new Set(names) },
        })
      expect(await ends([event])).toMatchObject({ submissions: 0, waiting: [], ended: [event] })
      await expect(ends(['another'])).rejects.toMatchObject({ step: 'chain promise' })
    })
    test('and counts as in the chain no receipt of an entry that only others are parties to', async () => {
      const { dir, receipt, keep } = await aFolder()
      keep(receipt)
      const { submission } = await cherry.client.submit(
        await cherry.sign([await cherry.item({ type: 'url', raw: 'https://bad.example/b' }, await cherry.everybody())]),
      )
      const text = (await cherry.client.receipt(submission ?? '')) ?? expect.fail('not published')
      // As a recipient has it: without a link of its own.
      const [, extra = ''] = /^extra (.+)$/m.exec(text) ?? []
      const told = JSON.parse(Buffer.from(extra, 'base64').toString()) as { chains: string[]; chain_digests?: string[] }
      const { chains, chain_digests = [] } = told
      const hidden = [...chain_digests, ...chains.map((one) => toBase64Url(sha256(one)))].toSorted()
      const cut = Buffer.from(JSON.stringify({ ...told, chains: [], chain_digests: hidden })).toString('base64')
      writeFileSync(join(dir, 'receipts', `${submission}.tlog-proof`), text.replace(extra, cut))
      expect(await check(dir, await entriesOf(apple))).toMatchObject({ submissions: 1, receipts: 1, others: 1 })
    })
    test('or a chain that leaves it out is refused, and a receipt of another entry', async () => {
      const { dir, event, receipt, keep } = await aFolder()
      keep(receipt)
      const entries = await entriesOf(apple)
      const truncated = entries.slice(
        0,
        entries.findIndex((entry) => entry.event === event),
      )
      await expect(check(dir, truncated)).rejects.toMatchObject({ step: 'chain promise' })
      keep(receipt.replace(/\n\n.*/s, (end) => end.replace(/— (.)/, '— x$1')))
      await expect(check(dir, entries)).rejects.toMatchObject({ step: 'receipt' })
      keep((await aFolder()).receipt)
      await expect(check(dir, entries)).rejects.toMatchObject({ step: 'chain promise' })
    })
  })

  test('is told by the command line, verified, and once more only as far as it is new', {
    timeout: 120_000,
  }, async () => {
    const { dir } = apple.home
    const one = await runCli(dir, 'history', '--verify')
    expect([one.code, one.lines.map(({ result }) => result)]).toEqual([0, ['PASS', 'PASS', 'PASS']])
    const listed = await runCli(dir, 'history', '--since', '1')
    expect(listed.lines[0]).toMatchObject({ seq: '2' })
    // What banana read is named once its batch is an entry.
    await vi.waitFor(
      async () => {
        const { lines } = await runCli(dir, 'readers')
        expect(lines.map(({ reader }) => reader)).toContain('banana')
      },
      { timeout: 20_000, interval: 500 },
    )
    const readers = await runCli(dir, 'readers', '--verify')
    expect([readers.code, readers.lines.slice(0, 4).map(({ result }) => result)]).toEqual([
      0,
      ['PASS', 'PASS', 'PASS', 'PASS'],
    ])
    expect(readers.lines.slice(4).map(({ reader }) => reader)).toContain('banana')
    const proofs = await runCli(dir, 'readers', '--signal', signals[0] ?? '')
    const files = proofs.lines.map(({ file }) => String(file))
    expect(files.length).toBeGreaterThan(0)
    const offline = await runCli(dir, 'verify', ...files)
    expect([offline.code, offline.lines.map(({ passed }) => passed)]).toEqual([0, files.map(() => true)])
    expect(offline.lines[0]?.['item']).toMatchObject({ signal: signals[0], source: 'apple' })
    // The owner of the tables rewrites one link of the chain.
    const rewrite = (from: string, to: string) =>
      sql`update prov_record set payload = replace(payload, ${from}, ${to}) where kind = 'signal.submitted'`.execute(
        n.t.owner,
      )
    await rewrite('"v":1', '"v":1 ')
    rmSync(join(dir, 'history'), { recursive: true })
    const forged = await runCli(dir, 'history', '--verify')
    await rewrite('"v":1 ', '"v":1')
    expect([forged.code, forged.lines.at(-1)?.['result']]).toEqual([7, 'FAIL'])
  })
})
