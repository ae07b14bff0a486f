import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { asParticipant, atLog } from '../../src/db/as-participant.ts'
import { LOGIN_ROLES, OWNER_ROLE } from '../../src/db/roles.ts'
import { toHex } from '../../src/kernel/bytes.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { genesisLink, nextLink } from '../../src/provenance/chain.ts'
import { openCheckpoint } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import type { Integrator } from '../../src/provenance/integrate.ts'
import { moveFence } from '../../src/provenance/store.ts'
import { decodeBundle, decodeEdges } from '../../src/provenance/tile.ts'
import { leafOf, mth, tileOf } from './definition.ts'
import { flipped } from './vectors.ts'
import { aLog, asOwner, type LogWorld, logOf, NOON, ORIGIN, rowsOf, type Slug } from './world.ts'

const SLUGS: readonly Slug[] = ['apple', 'plum', 'fig', 'kiwi']
const at = (seconds: number): Date => new Date(NOON.getTime() + seconds * 1_000)

/** Rounds until nothing waits; a round that met a rival is repeated, as the loop does. */
async function drain(integrator: Integrator): Promise<void> {
  for (let quiet = 0; quiet < 2; ) {
    const n = await integrator.round().catch((error: unknown) => {
      expect(error).toMatchObject({ code: '23505' })
      return 1
    })
    quiet = n === 0 ? quiet + 1 : 0
  }
}

/** What must be true of any log: dense, each event once, tiles, root and chains as their definitions say. */
async function holds(world: LogWorld, expected: readonly Uuid[]): Promise<void> {
  const { head, fence, events, tiles, chains, segments, outbox, entries } = await rowsOf(world)
  expect(events.map(({ idx }) => idx)).toEqual(entries.map((_, i) => BigInt(i)))
  expect(events.map(({ event_id }) => event_id)).toEqual(entries.map(({ event_id }) => event_id))
  expect(events.map(({ event_id }) => event_id).toSorted()).toEqual([...expected].toSorted())
  expect(outbox).toEqual([])
  const leaves = entries.map(({ entry }) => leafOf(entry))
  expect([head.size, toHex(head.root)]).toEqual([BigInt(leaves.length), toHex(mth(leaves))])
  expect([fence.size, toHex(fence.root)]).toEqual([head.size, toHex(head.root)])
  for (const { level, n, data } of tiles) {
    if (level >= 0) expect(toHex(data), `${level}/${n}`).toBe(toHex(tileOf(level, Number(n), leaves)))
    else expect(decodeBundle(data)?.map(leafOf)).toEqual(leaves.slice(256 * Number(n), 256 * (Number(n) + 1)))
  }
  expect(tiles.length).toBe(2 * Math.floor(leaves.length / 256))
  expect(toHex(decodeEdges(head.edges).levels[0] ?? leafOf(head.root))).toBe(
    toHex(tileOf(0, Math.floor(leaves.length / 256), leaves)),
  )
  for (const { party, seq, link } of chains) {
    const own = entries.flatMap(({ c, chains: links }, idx) =>
      links.flatMap((one) => (one.party === party ? [{ ...one, c, idx }] : [])),
    )
    let last = genesisLink(sha256, ORIGIN, party)
    for (const [i, one] of own.entries()) {
      last = nextLink(sha256, last, BigInt(i + 1), one.c)
      expect([one.seq, toHex(one.link)]).toEqual([BigInt(i + 1), toHex(last)])
    }
    expect([seq, toHex(link)]).toEqual([BigInt(own.length), toHex(last)])
    const packed = Buffer.concat(segments.filter((one) => one.party === party).map(({ data }) => data))
    expect(own.map((_, i) => packed.readBigUInt64BE(40 * i))).toEqual(own.map(({ idx }) => BigInt(idx)))
    expect(packed.length).toBe(40 * own.length)
  }
}

describe('the integrator', () => {
  let w: LogWorld
  let integrator: Integrator
  let known: Uuid[] = []
  beforeAll(async () => {
    w = await aLog()
    integrator = w.integrator()
  })
  afterAll(() => w.end())

  const recorded = async (slug: Slug, change: Parameters<LogWorld['record']>[1] = {}): Promise<Uuid> => {
    const id = await w.record(slug, change)
    known = [...known, id]
    return id
  }
  const indexOf = async (id: Uuid): Promise<bigint | undefined> =>
    (await rowsOf(w)).events.find(({ event_id }) => event_id === id)?.idx

  test('gives what waits dense indices in the order of time and id, whoever wrote it', async () => {
    const from = (await rowsOf(w)).head.size
    const times = [7, 3, 5, 3, 1, 9, 3]
    const made: { id: Uuid; seconds: number }[] = []
    for (const [i, seconds] of times.entries())
      made.push({ id: await recorded(SLUGS[i % 4] ?? 'apple', { at: at(seconds) }), seconds })
    expect(await integrator.round()).toBe(times.length)
    const order = made.toSorted((a, b) => a.seconds - b.seconds || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
    expect((await rowsOf(w)).events.slice(Number(from)).map(({ event_id }) => event_id)).toEqual(order)
    await holds(w, known)
  })
  test('changes nothing where nothing waits', async () => {
    const before = await logOf(w)
    expect(await integrator.round()).toBe(0)
    expect(await w.integrator().round()).toBe(0)
    expect(await logOf(w)).toBe(before)
  })
  test('makes full tiles of what comes in one transaction, and moves every chain on', async () => {
    const { apple } = w.ids
    const rows = Array.from({ length: 300 }, (_, i) =>
      w.provenance.prepare(w.anEvent('apple', { at: at(20 + i), subject: i % 3 === 0 ? 'plum' : 'fig' })),
    )
    await asParticipant(w.t.app, apple, (tx) => w.provenance.insert(tx, rows))
    known = [...known, ...rows.map(({ event_id }) => event_id)]
    expect(await integrator.round()).toBe(300)
    expect((await rowsOf(w)).tiles.length).toBeGreaterThan(0)
    await holds(w, known)
  })
  test('lets an event wait for the one it comes after, over rounds', async () => {
    const [first, second, third] = [newId(NOON), newId(NOON), newId(NOON)]
    await recorded('plum', { event_id: third, at: at(1), after: second })
    await recorded('apple', { event_id: second, at: at(2), after: first })
    const free = await recorded('fig', { at: at(3) })
    expect(await integrator.round()).toBe(1)
    expect([await indexOf(free), await indexOf(second), await indexOf(third)]).toEqual([
      expect.any(BigInt),
      undefined,
      undefined,
    ])
    expect(await integrator.round()).toBe(0)
    await recorded('apple', { event_id: first, at: at(4) })
    expect(await integrator.round()).toBe(3)
    const places = (await rowsOf(w)).events.slice(-3).map(({ event_id }) => event_id)
    expect(places).toEqual([first, second, third])
    await holds(w, known)
  })
  test('lets nobody wait behind an event that comes after one of the same round', async () => {
    const [cause, effect, next] = [newId(at(0)), newId(at(0)), newId(at(0))]
    await recorded('plum', { event_id: next, at: at(3) })
    await recorded('plum', { event_id: effect, at: at(2), after: cause })
    await recorded('apple', { event_id: cause, at: at(1) })
    await integrator.round()
    const { events } = await rowsOf(w)
    expect(events.slice(-3).map(({ event_id }) => event_id)).toEqual([cause, effect, next])
  })
  test('puts every event after the one it comes after, whatever their times', async () => {
    const some = fc.array(fc.record({ seconds: fc.nat({ max: 5 }), after: fc.option(fc.nat()) }), {
      minLength: 1,
      maxLength: 7,
    })
    await fc.assert(
      fc.asyncProperty(some, async (events) => {
        const ids = events.map(() => newId(NOON))
        const afters = new Map<Uuid, Uuid>()
        for (const [i, { seconds, after }] of events.entries()) {
          const event_id = ids[i] ?? newId(NOON)
          const earlier = after === null || i === 0 ? undefined : ids[after % i]
          if (earlier !== undefined) afters.set(event_id, earlier)
          await recorded('apple', { event_id, at: at(seconds), ...(earlier !== undefined && { after: earlier }) })
        }
        expect(await integrator.round()).toBe(ids.length)
        const order = (await rowsOf(w)).events.map(({ event_id }) => event_id)
        for (const [id, earlier] of afters) expect(order.indexOf(earlier)).toBeLessThan(order.indexOf(id))
      }),
      { numRuns: 6 },
    )
    await holds(w, known)
  })
  test('races a rival without a gap or a double, while events come in', async () => {
    const rivals = [w.integrator(), w.integrator(), integrator]
    const writing = Promise.all(
      SLUGS.map(async (slug) => {
        for (let i = 0; i < 15; i++) await recorded(slug, { subject: SLUGS[i % 4] ?? 'fig' })
      }),
    )
    await Promise.all([writing, ...rivals.map(drain)])
    await Promise.all(rivals.map(drain))
    expect(known.length).toBeGreaterThanOrEqual(60)
    await holds(w, known)
  })
  test('that does not get the lock of the head does nothing and does not wait', async () => {
    await recorded('apple')
    await w.t.owner.transaction().execute(async (tx) => {
      await tx.selectFrom('log_head').select('size').forUpdate().execute()
      expect(await integrator.round()).toBe(0)
    })
    expect(await integrator.round()).toBe(1)
    await holds(w, known)
  })

  describe('that fails', () => {
    const indexing = [
      [
        'log_event',
        'revoke insert on log_event from aldis_integrator',
        'grant insert on log_event to aldis_integrator',
      ],
      [
        'log_batch',
        'revoke insert on log_batch from aldis_integrator',
        'grant insert on log_batch to aldis_integrator',
      ],
      [
        'log_chain_seg',
        'revoke insert on log_chain_seg from aldis_integrator',
        'grant insert on log_chain_seg to aldis_integrator',
      ],
      [
        'log_chain',
        'revoke update on log_chain from aldis_integrator',
        'grant update on log_chain to aldis_integrator',
      ],
      ['log_tile', 'revoke insert on log_tile from aldis_integrator', 'grant insert on log_tile to aldis_integrator'],
      [
        'log_head',
        // One column suffices to lock the row, and then not to move it on.
        'revoke update on log_head from aldis_integrator; grant update (log_id) on log_head to aldis_integrator',
        'grant update on log_head to aldis_integrator',
      ],
    ] as const

    test.for(indexing)('at %s leaves no trace, and the next round does all of it', async ([table, revoke, grant]) => {
      const room = table === 'log_tile' ? 256 - Number((await rowsOf(w)).head.size % 256n) : 2
      const rows = Array.from({ length: room }, () => w.provenance.prepare(w.anEvent('plum')))
      await asParticipant(w.t.app, w.ids.plum, (tx) => w.provenance.insert(tx, rows))
      known = [...known, ...rows.map(({ event_id }) => event_id)]
      const before = await rowsOf(w)
      await asOwner(w, ...revoke.split('; '))
      await expect(integrator.round()).rejects.toMatchObject({ code: '42501' })
      await asOwner(w, grant)
      expect(await rowsOf(w)).toEqual(before)
      expect(await integrator.round()).toBe(room)
      await holds(w, known)
    })

    const later = [
      [
        'clears the outbox',
        'revoke delete on prov_outbox from aldis_integrator',
        'grant delete on prov_outbox to aldis_integrator',
      ],
      [
        'moves the fence',
        'revoke update on log_fence from aldis_integrator',
        'grant update on log_fence to aldis_integrator',
      ],
    ] as const
    const followers = ['the same process', 'a new process', 'a rival that knew nothing of it'] as const
    const cases = later.flatMap(([step, revoke, grant]) => followers.map((by) => ({ step, revoke, grant, by })))

    test.for(cases)(
      'before it $step has indexed for good: $by redoes the rest, and changes nothing',
      async ({ revoke, grant, by }) => {
        const rival = w.integrator()
        await rival.round()
        const fence = (await rowsOf(w)).fence.size
        await recorded('fig', { subject: 'apple' })
        await recorded('kiwi')
        await asOwner(w, revoke)
        await expect(integrator.round()).rejects.toMatchObject({ code: '42501' })
        await asOwner(w, grant)
        const indexed = await logOf(w)
        const { head, fence: behind } = await rowsOf(w)
        expect([head.size - fence, behind.size]).toEqual([2n, fence])
        const next = {
          'the same process': integrator,
          'a new process': w.integrator(),
          'a rival that knew nothing of it': rival,
        }[by]
        // The head is none that it left: it looks whether what waits has its place.
        expect(await next.round()).toBe(0)
        expect(await logOf(w)).toBe(indexed)
        await holds(w, known)
      },
    )
    test('before it moves the fence finds it moved on by another, and never moves it back', async () => {
      await recorded('fig')
      await integrator.round()
      const { size, root } = (await rowsOf(w)).fence
      await atLog(w.t.integrator, 1, (tx) => moveFence(tx, 1, size - 1n, flipped(root, 0)))
      await holds(w, known)
    })
  })
})

describe('the signer', () => {
  let s: LogWorld
  beforeAll(async () => {
    s = await aLog()
  })
  afterEach(() => s.halts.lift())
  afterAll(() => s.end())

  const checkpoints = async () =>
    s.t.owner.selectFrom('log_checkpoint').selectAll().orderBy('at').orderBy('size').execute()
  const signedNow = async () => s.t.owner.selectFrom('log_signed').selectAll().executeTakeFirstOrThrow()
  /** A log with another entry, all of it signed at this moment. */
  const published = async (): Promise<void> => {
    await s.record('apple', { subject: 'plum' })
    await s.publish()
  }

  test('signs no empty log', async () => {
    const empty = await aLog()
    expect(await empty.signer.round()).toBe(false)
    empty.pass(24 * 3_600_000)
    expect(await empty.signer.round()).toBe(false)
    expect(await empty.t.owner.selectFrom('log_checkpoint').selectAll().execute()).toEqual([])
    await empty.end()
  })
  test('signs what is behind the fence, once', async () => {
    const before = (await checkpoints()).length
    await s.record('apple')
    await s.record('plum', { subject: 'fig' })
    await s.integrator().round()
    expect(await s.signer.round()).toBe(true)
    expect(await s.signer.round()).toBe(false)
    const made = (await checkpoints()).slice(before)
    const { size, root } = (await rowsOf(s)).head
    expect(made.map((one) => one.size)).toEqual([size])
    expect(openCheckpoint(made[0]?.note ?? '', s.key, verifyEd25519)).toMatchObject({
      outcome: 'signed',
      checkpoint: { origin: ORIGIN, size, root: new Uint8Array(root) },
    })
  })
  test('signs an unchanged log again when its checkpoint is an hour old', async () => {
    await published()
    const before = await checkpoints()
    s.pass(3_599_999)
    expect(await s.signer.round()).toBe(false)
    s.pass(1)
    expect(await s.signer.round()).toBe(true)
    const last = before.at(-1)
    expect((await checkpoints()).slice(before.length)).toEqual([{ ...last, at: s.clock() }])
  })
  test('signs nothing that is indexed but not behind the fence', async () => {
    await published()
    const { size } = await signedNow()
    await s.record('kiwi')
    await asOwner(s, 'revoke update on log_fence from aldis_integrator')
    await expect(s.integrator().round()).rejects.toMatchObject({ code: '42501' })
    await asOwner(s, 'grant update on log_fence to aldis_integrator')
    expect(await s.signer.round()).toBe(false)
    expect([(await rowsOf(s)).head.size, (await signedNow()).size]).toEqual([size + 1n, size])
    await s.integrator().round()
    expect(await s.signer.round()).toBe(true)
    expect((await signedNow()).size).toBe(size + 1n)
  })
  test('lets one of two rivals sign', async () => {
    for (let i = 0; i < 5; i++) {
      await s.record('fig')
      await s.integrator().round()
      const before = (await checkpoints()).length
      const won = await Promise.all([s.signer.round(), s.signer.round(), s.signer.round()])
      expect(won.filter((one) => one).length).toBe(1)
      expect((await checkpoints()).length).toBe(before + 1)
    }
  })
  test('signs a log of many batches, from where it last was', async () => {
    for (let i = 0; i < 70; i++) {
      await s.record(SLUGS[i % 4] ?? 'apple', { subject: SLUGS[i % 3] ?? 'plum' })
      await s.integrator().round()
    }
    expect(await s.signer.round()).toBe(true)
    const { entries } = await rowsOf(s)
    expect(toHex((await signedNow()).root)).toBe(toHex(mth(entries.map(({ entry }) => leafOf(entry)))))
  })

  describe('refuses, and signs nothing,', () => {
    /** The log is changed behind its back; after that it is as it was, and stays halted until that is lifted. */
    const refuses = async (change: () => Promise<unknown>, undo: () => Promise<unknown>): Promise<void> => {
      await change()
      const before = [await checkpoints(), await signedNow()]
      await expect(s.signer.round()).rejects.toMatchObject({ name: 'LogHalted', reason: 'root-differs' })
      expect([await checkpoints(), await signedNow()]).toEqual(before)
      await undo()
      await expect(s.signer.round()).rejects.toMatchObject({ name: 'LogHalted', reason: 'root-differs' })
      s.halts.lift()
    }
    /** A batch that was indexed and not signed yet: two entries, one of three parties and a decoy. */
    const aBatch = async () => {
      await s.record('apple', { sources: [{ party: 'plum' }, { party: 'fig' }], kind: 'read.batch', fields: { n: 1 } })
      await s.record('kiwi')
      await s.integrator().round()
      const batch = (await rowsOf(s)).batches.at(-1) ?? expect.fail('no batch')
      const put = (data: Uint8Array) =>
        s.t.owner
          .updateTable('log_batch')
          .set({ data: Buffer.from(data) } as object)
          .where('first_idx', '=', batch.first_idx)
          .execute()
      return { ...batch, put }
    }

    test('a batch of which one bit is another', async () => {
      const { data, put } = await aBatch()
      const offsets = [0, 4].map((where) => data.readUInt32BE(where))
      /** Whose record it is (the 32 bytes of two ids) is no part of an entry. */
      const isId = (place: number): boolean => offsets.some((offset) => place >= offset && place < offset + 32)
      const bits = fc.nat({ max: 8 * data.length - 1 }).filter((bit) => !isId(Math.floor(bit / 8)))
      await fc.assert(
        fc.asyncProperty(bits, (bit) =>
          refuses(
            () => put(flipped(data, bit)),
            () => put(data),
          ),
        ),
        { numRuns: 40 },
      )
      expect(await s.signer.round()).toBe(true)
    })
    test('a batch that ends early', async () => {
      const { data, put } = await aBatch()
      for (const length of [0, 3, 100, data.length - 1])
        await refuses(
          () => put(data.subarray(0, length)),
          () => put(data),
        )
      expect(await s.signer.round()).toBe(true)
    })
    test('a batch that is gone, or shorter by an entry', async () => {
      const { first_idx } = await aBatch()
      const where = `where first_idx = ${first_idx}`
      await refuses(
        () => asOwner(s, `update log_batch set first_idx = 1000000 ${where}`),
        () => asOwner(s, `update log_batch set first_idx = ${first_idx} where first_idx = 1000000`),
      )
      await refuses(
        () => asOwner(s, `update log_batch set n = 1 ${where}`),
        () => asOwner(s, `update log_batch set n = 2 ${where}`),
      )
      expect(await s.signer.round()).toBe(true)
    })
    test('another root behind the fence, and another range behind its own last signature', async () => {
      await aBatch()
      const { fence } = await rowsOf(s)
      const { range } = await signedNow()
      await refuses(
        () =>
          s.t.owner
            .updateTable('log_fence')
            .set({ root: Buffer.from(flipped(fence.root, 7)) })
            .execute(),
        () => s.t.owner.updateTable('log_fence').set({ root: fence.root }).execute(),
      )
      await refuses(
        () =>
          s.t.owner
            .updateTable('log_signed')
            .set({ range: Buffer.from(flipped(range, 8 * 8 + 7)) })
            .execute(),
        () => s.t.owner.updateTable('log_signed').set({ range }).execute(),
      )
      expect(await s.signer.round()).toBe(true)
    })
  })
})

describe('the database lets', () => {
  let w: LogWorld
  beforeAll(async () => {
    w = await aLog()
  })
  afterAll(() => w.end())

  /** What may be changed in what is otherwise for ever: by whom. */
  const MUTABLE: Readonly<Record<string, readonly string[]>> = {
    // The administrator ends a log, and changes nothing else of it.
    log_head: ['aldis_admin', 'aldis_integrator'],
    log_fence: ['aldis_integrator'],
    log_chain: ['aldis_integrator'],
    // The administrator locks it to close the log.
    log_signed: ['aldis_admin', 'aldis_signer'],
    log_event: [],
    log_batch: [],
    log_tile: [],
    log_chain_seg: [],
    log_checkpoint: [],
    log_cosignature: [],
    log_published: ['aldis_signer'],
    log_witness: ['aldis_signer'],
    log_outage: ['aldis_signer'],
    // An erasure takes disclosures away.
    prov_record: ['aldis_admin'],
    prov_outbox: [],
    read_batch: ['aldis_admin'],
    read_journal: ['aldis_admin', 'aldis_app'],
  }
  const may = async (table: string, privilege: 'update' | 'delete' | 'truncate'): Promise<string[]> => {
    const { rows } = await sql<{ rolname: string }>`
      select rolname from pg_roles where rolname like 'aldis\_%' and rolname <> ${OWNER_ROLE}
        and (has_table_privilege(oid, ${table}, ${privilege})
          or (${privilege} = 'update' and has_any_column_privilege(oid, ${table}, 'update')))
      order by rolname`.execute(w.t.owner)
    return rows.map(({ rolname }) => rolname)
  }

  test.for(Object.entries(MUTABLE))('%s be changed by none but %j', async ([table, roles]) => {
    expect(await may(table, 'update')).toEqual(roles)
  })
  /** The outbox is cleared once indexed; reads go when their time is over. */
  const DELETABLE: Readonly<Record<string, readonly string[]>> = {
    prov_outbox: ['aldis_integrator'],
    read_journal: ['aldis_admin'],
  }
  test.for(Object.keys(MUTABLE))('nobody delete from %s but who clears what is over', async (table) => {
    expect(await may(table, 'delete')).toEqual(DELETABLE[table] ?? [])
    expect(await may(table, 'truncate')).toEqual([])
  })
  test('of records and reads nothing be changed but the place in a batch, and what an erasure takes away', async () => {
    const { rows } = await sql<{ says: string }>`
      select grantee || ' ' || table_name || '.' || column_name as says from information_schema.column_privileges
      where table_name in ('read_journal', 'prov_record') and privilege_type = 'UPDATE' and grantee like 'aldis\_%'
        and grantee <> ${OWNER_ROLE}
      order by 1`.execute(w.t.owner)
    expect(rows.map(({ says }) => says)).toEqual([
      'aldis_admin prov_record.body',
      'aldis_admin prov_record.epoch',
      'aldis_admin read_journal.body',
      'aldis_admin read_journal.epoch',
      'aldis_app read_journal.batch_at',
      'aldis_app read_journal.batch_no',
    ])
  })
  test.for(LOGIN_ROLES)('%s, in fact, neither change nor delete an entry', async (role) => {
    const { app, ledger, integrator, signer, projector, admin } = w.t
    const db = {
      ...{ aldis_app: app, aldis_ledger: ledger, aldis_integrator: integrator },
      ...{ aldis_signer: signer, aldis_projector: projector, aldis_admin: admin },
    }[role]
    const columns = {
      log_event: 'idx',
      log_batch: 'data',
      log_tile: 'data',
      log_chain_seg: 'data',
      log_checkpoint: 'note',
      log_cosignature: 'line',
      prov_record: 'payload',
    }
    for (const [table, column] of Object.entries(columns)) {
      for (const statement of [
        `update ${table} set ${column} = ${column}`,
        `delete from ${table}`,
        `truncate ${table}`,
      ])
        await expect(sql.raw(statement).execute(db), statement).rejects.toMatchObject({ code: '42501' })
    }
  })
  test('a participant write no record in the name of another', async () => {
    const write = asParticipant(w.t.app, w.ids.apple, (tx) => w.provenance.record(tx, w.anEvent('plum')))
    await expect(write).rejects.toMatchObject({ code: '42501' })
  })
  test('a participant see no record of another', async () => {
    const event_id = await w.record('plum')
    const seen = (slug: Slug) =>
      asParticipant(w.t.app, w.ids[slug], (tx) =>
        tx.selectFrom('prov_record').select('event_id').where('event_id', '=', event_id).execute(),
      )
    expect(await seen('apple')).toEqual([])
    expect(await seen('plum')).toEqual([{ event_id }])
  })
})

test('a record of usual size lies in its row alone', async () => {
  const w = await aLog()
  const beside = async (): Promise<bigint> => {
    const { rows } = await sql<{ n: bigint }>`
      select pg_relation_size(reltoastrelid) as n from pg_class where relname = 'prov_record'`.execute(w.t.owner)
    return rows[0]?.n ?? -1n
  }
  const before = await beside()
  await sql`insert into prov_record (participant_id, event_id, log_id, kind, at, payload, c, body, epoch)
    values (${newId(new Date())}, ${newId(new Date())}, 1, 'read', now(), ${randomBytes(350).toString('hex')},
      ${randomBytes(32)}, ${randomBytes(3_000)}, 1)`.execute(w.t.owner)
  const after = await beside().finally(() => w.end())
  expect(after).toBe(before)
})
