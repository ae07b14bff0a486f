import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { inOneStep, nodeConnections } from '../../src/db/dump.ts'
import type { WholeDatabase } from '../../src/db/open.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { backup } from '../../src/operations/backup.ts'
import { copyDatabase } from '../../src/operations/copy.ts'
import { verifiedManifest } from '../../src/operations/folder.ts'
import { contentsOf, restore } from '../../src/operations/refill.ts'
import { emptyRoot } from '../../src/provenance/merkle.ts'
import { type LogStanding, logStandings } from '../../src/provenance/standing.ts'
import { createSealedValues } from '../../src/signals/values.ts'
import { aTestNode, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'
import { digests, restoring, type Unmade, unmade } from './world.ts'

let n: TestNode
let dir: string
let sealed: { source: Uuid; signal: Uuid }
let folders = 0
const targets: Unmade[] = []
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-backup-'))
  n = await aTestNode()
  const apple = await n.member('apple')
  const everybody = await apple.everybody()
  const items = [
    await apple.item({ type: 'url', raw: 'https://bad.example/a' }, everybody),
    await apple.item({ type: 'email', raw: 'fig@mail.example' }, everybody),
  ]
  await apple.client.submit(await apple.sign(items))
  const source = n.parts.authority.participantBySlug('apple')?.participant_id as Uuid
  sealed = { source, signal: items[0]?.signal as Uuid }
  await apple.client.sealValue(sealed.signal, { v: 1, revision: 1, value: 'https://bad.example/a' })
  await settled(n.t)
})
afterEach(async () => {
  for (const target of targets.splice(0)) await target.drop()
})
afterAll(async () => {
  await n.end()
  rmSync(dir, { recursive: true, force: true })
})

const target = (): Unmade => {
  const one = unmade()
  targets.push(one)
  return one
}

const backedUp = async (onTable: (table: string) => void = () => {}): Promise<string> => {
  folders += 1
  const folder = join(dir, String(folders))
  const options = { db: n.t.owner, dir: folder, clock: systemClock, release: '0.1.0', beside: [], onTable }
  await backup({ ...options, standings: logStandings })
  return folder
}

/** What the node does for itself, such as counting requests, falls between two backups, not into one. */
async function backedUpAtRest(): Promise<{ folder: string; rows: Record<string, string> }> {
  for (;;) {
    const rows = await digests(n.t.owner)
    const folder = await backedUp()
    if (isDeepStrictEqual(await digests(n.t.owner), rows)) return { folder, rows }
  }
}

const restored = async (folder: string, to: Unmade) => {
  const manifest = await verifiedManifest(folder)
  return restore(contentsOf(folder, manifest), restoring(await to.open()))
}

describe('a backup', () => {
  test('restores to the same rows, beside a node that goes on', async () => {
    const { folder, rows } = await backedUpAtRest()
    const to = target()
    await restored(folder, to)
    const db = connect({ url: to.url, max: 1 })
    expect(await digests(db).finally(() => db.destroy())).toEqual(rows)
  })
  test('has sealed values that open with the keys of the node, which are not in it', async () => {
    const folder = await backedUp()
    const to = target()
    await restored(folder, to)
    const { keys, clock, provenance } = n.parts
    const db = connect({ url: to.url, max: 1 })
    const values = createSealedValues({ ...{ db, keys, clock, provenance }, timeoutMs: 2_000 })
    const held = await values.held(sealed.source, sealed.signal).finally(() => db.destroy())
    expect(held && values.open(held)).toBe('https://bad.example/a')
    const everything = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path).toString('latin1'))
      .join('')
    expect(everything).not.toContain('bad.example')
  })
  test('holds one moment: what is committed while it runs is not in it', async () => {
    let once = false
    const before = await n.t.owner.selectFrom('person').select('person_id').execute()
    const added: Promise<unknown>[] = []
    const folder = await backedUp((table) => {
      if (table !== 'person' || once) return
      once = true
      added.push(n.parts.participants.addPerson(n.ada, { name: 'Cleo', organisation: 'office' }))
    })
    await Promise.all(added)
    const { tables } = await verifiedManifest(folder)
    expect(tables.find(({ table }) => table === 'person')?.rows).toBe(before.length)
  })
  test('belongs to its owner alone, and is never written over another', async () => {
    const folder = await backedUp()
    const modes = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => {
      const stat = statSync(join(folder, name))
      return stat.isDirectory() ? stat.mode & 0o777 & ~0o700 : stat.mode & 0o777 & ~0o600
    })
    expect(new Set(modes)).toEqual(new Set([0]))
    folders -= 1
    await expect(backedUp()).rejects.toMatchObject({ reason: 'folder-there' })
    await verifiedManifest(folder)
    folders += 100
  })
  test('is not begun where there is no folder for it', async () => {
    const options = { db: n.t.owner, clock: systemClock, release: '0.1.0', beside: [], onTable: () => {} }
    const nowhere = join(dir, 'plum', 'fig')
    await expect(backup({ ...options, dir: nowhere, standings: logStandings })).rejects.toMatchObject({
      reason: 'folder-missing',
    })
  })
  test('is refused to a role that does not see every row', async () => {
    const options = { db: n.t.admin, clock: systemClock, release: '0.1.0', beside: [], onTable: () => {} }
    await expect(backup({ ...options, dir: join(dir, 'blind'), standings: logStandings })).rejects.toThrow(
      'does not see every row',
    )
    await expect(verifiedManifest(join(dir, 'blind'))).rejects.toMatchObject({ reason: 'unfinished' })
  })
})

describe('a damaged backup is refused by name', () => {
  test('whichever file lost a bit, its end, or itself', async () => {
    const folder = await backedUp()
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      statSync(join(folder, name)).isFile(),
    )
    expect(names.length).toBeGreaterThan(40)
    for (const name of names) {
      const path = join(folder, name)
      const whole = readFileSync(path)
      const flipped = Buffer.from(whole)
      const at = Math.floor(whole.length / 2)
      flipped[at] = (flipped[at] ?? 0) ^ 1
      writeFileSync(path, flipped)
      const message = name === 'SHA256SUMS' ? expect.any(String) : expect.stringContaining(name)
      const refused = { name: 'CopyRefused', reason: 'damaged', message }
      await expect(verifiedManifest(folder), name).rejects.toMatchObject(refused)
      writeFileSync(path, whole)
      truncateSync(path, whole.length - 1)
      await expect(verifiedManifest(folder), name).rejects.toMatchObject({ reason: 'damaged' })
      rmSync(path)
      const gone = name === 'SHA256SUMS' ? 'unfinished' : 'damaged'
      await expect(verifiedManifest(folder), name).rejects.toMatchObject({ reason: gone })
      writeFileSync(path, whole)
    }
    await verifiedManifest(folder)
  })
  test('and one whose rows make another log is not committed', async () => {
    const folder = await backedUp()
    const manifest = await verifiedManifest(folder)
    const [log] = manifest.logs
    if (log === undefined) throw new Error('no log')
    const to = target()
    const other = { ...manifest, logs: [{ ...log, root: 'ab'.repeat(32) }] }
    await expect(restore(contentsOf(folder, other), restoring(await to.open()))).rejects.toMatchObject({
      reason: 'root-differs',
    })
    const options = restoring(await to.open())
    const asIf = (change: Partial<LogStanding>) => ({
      ...options,
      recompute: (db: Db, standing: LogStanding) => options.recompute(db, { ...standing, ...change }),
    })
    for (const change of [{ root: new Uint8Array(32) }, { signed_root: new Uint8Array(32) }, { size: 1_000n }])
      await expect(restore(contentsOf(folder, manifest), asIf(change))).rejects.toMatchObject({
        reason: 'root-differs',
      })
    // Nothing of all that was committed.
    await restored(folder, to)
  })
  test('and so is one with a row too few', async () => {
    const folder = await backedUp()
    const manifest = await verifiedManifest(folder)
    const tables = manifest.tables.map((one) => (one.table === 'person' ? { ...one, rows: one.rows + 1 } : one))
    const to = target()
    await expect(
      restore(contentsOf(folder, { ...manifest, tables }), restoring(await to.open())),
    ).rejects.toMatchObject({ reason: 'damaged' })
  })
})

describe('what is told to end', () => {
  test('within a table of a restore leaves the target empty', async () => {
    const folder = await backedUp()
    const manifest = await verifiedManifest(folder)
    const to = target()
    const ending = new AbortController()
    const begun: string[] = []
    const onTable = (table: string): void => {
      begun.push(table)
      if (table === 'participant') ending.abort(new Error('plum'))
    }
    const options = { ...restoring(await to.open()), onTable, ended: ending.signal }
    await expect(restore(contentsOf(folder, manifest), options)).rejects.toThrow('plum')
    expect(begun.at(-1)).toBe('participant')
    await restored(folder, to)
  })
  test('while a log is recomputed does not wait for all of it', async () => {
    const folder = await backedUp()
    const manifest = await verifiedManifest(folder)
    const to = target()
    const ending = new AbortController()
    const recompute = (): Promise<void> => {
      setImmediate(() => ending.abort(new Error('plum')))
      return new Promise(() => {})
    }
    const options = { ...restoring(await to.open()), recompute, ended: ending.signal }
    await expect(restore(contentsOf(folder, manifest), options)).rejects.toThrow('plum')
    await restored(folder, to)
  })
  test('while a backup is written or verified makes it fail', async () => {
    const ended = AbortSignal.abort(new Error('plum'))
    const options = { db: n.t.owner, clock: systemClock, release: '0.1.0', beside: [], onTable: () => {}, ended }
    const dirOf = join(dir, 'told')
    await expect(backup({ ...options, dir: dirOf, standings: logStandings })).rejects.toThrow('plum')
    await expect(verifiedManifest(dirOf)).rejects.toMatchObject({ reason: 'unfinished' })
    await expect(verifiedManifest(await backedUp(), ended)).rejects.toMatchObject({ name: 'AbortError' })
  })
})

test('a role that is no superuser backs up and restores if row-level security does not bind it', async () => {
  const to = target()
  await (await to.open()).prepare(migrations.length)
  const role = `aldis_copier_${process.pid}`
  const { password } = new URL(to.url)
  await sql.raw(`create role ${role} login bypassrls password '${password || 'plum'}'`).execute(n.t.owner)
  await sql.raw(`grant aldis_owner to ${role}`).execute(n.t.owner)
  const [from, into] = [connect({ url: n.t.url('owner'), role, max: 1 }), connect({ url: to.url, role, max: 1 })]
  try {
    folders += 1
    const folder = join(dir, String(folders))
    const options = { db: from, dir: folder, clock: systemClock, release: '0.1.0', beside: [], onTable: () => {} }
    const manifest = await backup({ ...options, standings: logStandings })
    const whole = { ...(await to.open()), db: into }
    const [log] = await restore(contentsOf(folder, manifest), restoring(whole))
    expect(log?.size).toBe(BigInt(manifest.logs[0]?.size ?? -1))
  } finally {
    await Promise.all([from.destroy(), into.destroy()])
    await sql.raw(`drop role ${role}`).execute(n.t.owner)
  }
})

test('a log that was closed because it does not recompute is copied as it is, and named; the present one is refused', async () => {
  const [from, to] = [target(), target()]
  await restored(await backedUp(), from)
  const source = await from.open()
  await sql`update log_head set root = sha256('plum') where log_id = 1`.execute(source.db)
  await expect(copyDatabase(source, restoring(await to.open()))).rejects.toMatchObject({ reason: 'root-differs' })
  const next = { log_id: 2, size: 0n, root: Buffer.from(emptyRoot(sha256)) }
  await source.db
    .insertInto('log_head')
    .values({ ...next, origin: 'node.example.org/provenance/2', edges: Buffer.alloc(0) })
    .execute()
  await source.db.insertInto('log_fence').values(next).execute()
  await source.db
    .insertInto('log_signed')
    .values({ ...next, range: Buffer.alloc(0), at: new Date() })
    .execute()
  const odd: string[] = []
  await copyDatabase(source, { ...restoring(await to.open()), onOdd: (origin) => void odd.push(origin) })
  expect(odd).toEqual(['node.example.org/provenance/1'])
})

test('a backup of an earlier schema is restored, and brought up to ours', async () => {
  const [from, to] = [target(), target()]
  const source = await from.open()
  await source.prepare(migrations.length - 1)
  folders += 1
  const folder = join(dir, String(folders))
  const options = { db: source.db, dir: folder, clock: systemClock, release: '0.0.9', beside: [], onTable: () => {} }
  expect((await backup({ ...options, standings: logStandings })).schema).toBe(migrations.length - 1)
  await restored(folder, to)
  expect((await to.open()).version).toBe(migrations.length)
})

describe('a restore is refused', () => {
  test('into a database that holds rows, which stay', async () => {
    const folder = await backedUp()
    const to = target()
    await restored(folder, to)
    const db = connect({ url: to.url, max: 1 })
    const before = await digests(db)
    await expect(restored(folder, to)).rejects.toMatchObject({ reason: 'target-filled' })
    expect(await digests(db).finally(() => db.destroy())).toEqual(before)
  })
  test('of a newer schema, and into a newer one', async () => {
    const folder = await backedUp()
    const manifest = await verifiedManifest(folder)
    const newer = { ...manifest, schema: migrations.length + 1 }
    const to = target()
    await expect(restore(contentsOf(folder, newer), restoring(await to.open()))).rejects.toMatchObject({
      reason: 'schema-newer',
    })
    await (await to.open()).prepare(migrations.length)
    const older = { ...manifest, schema: migrations.length - 1 }
    await expect(restore(contentsOf(folder, older), restoring(await to.open()))).rejects.toMatchObject({
      reason: 'schema-other',
    })
  })
  test('while a node is connected', async () => {
    const folder = await backedUp()
    const to = target()
    const whole = await to.open()
    await whole.prepare(migrations.length)
    const node = connect({ url: to.url, role: 'aldis_app', max: 1 })
    try {
      await sql`select 1`.execute(node)
      await expect(restored(folder, to)).rejects.toMatchObject({ reason: 'in-use' })
    } finally {
      await node.destroy()
    }
  })
})

describe('a copy from one database into another', { timeout: 60_000 }, () => {
  const from = unmade()
  let source: WholeDatabase
  beforeAll(async () => {
    await restored(await backedUp(), from)
    source = await from.open()
  })
  afterAll(() => from.drop())

  test('has the same rows', async () => {
    const to = target()
    const { tables } = await copyDatabase(source, restoring(await to.open()))
    expect(tables.length).toBeGreaterThan(40)
    const db = connect({ url: to.url, max: 1 })
    const copied = await digests(db).finally(() => db.destroy())
    expect(copied).toEqual(await digests(source.db))
  })
  test('is refused while a node runs', async () => {
    const node = connect({ url: from.url, role: 'aldis_app', max: 1 })
    try {
      await sql`select 1`.execute(node)
      await expect(copyDatabase(source, restoring(await target().open()))).rejects.toMatchObject({ reason: 'in-use' })
    } finally {
      await node.destroy()
    }
    await vi.waitFor(async () => expect(await inOneStep(source.db, nodeConnections)).toBe(0), 20_000)
  })
  test('into one that holds rows ends, and the source serves on', async () => {
    await expect(copyDatabase(source, restoring(await from.open()))).rejects.toMatchObject({ reason: 'target-filled' })
    await sql`select 1`.execute(source.db)
  })
  test('that refuses a row in the midst of many ends, and the source serves on', async () => {
    const filling = await target().open()
    await filling.prepare(migrations.length)
    const plum = sql.raw(`create table plum as select n, repeat('fig ', 100) as name from generate_series(1, 20000) n`)
    await plum.execute(source.db)
    try {
      await sql`create table plum (n integer check (n < 10), name text)`.execute(filling.db)
      await expect(copyDatabase(source, restoring(filling))).rejects.toMatchObject({ code: '23514' })
    } finally {
      await sql`drop table plum`.execute(source.db)
    }
    const { rows } = await sql`select from participant`.execute(filling.db)
    expect(rows).toEqual([])
  })
})
