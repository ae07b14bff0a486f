import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { migrations } from '../../migrations/index.ts'
import { createNode } from '../../src/app.ts'
import { copyCommands } from '../../src/cli/node/copies.ts'
import { nodeLogCommands } from '../../src/cli/node/log.ts'
import { logCommands } from '../../src/cli/participant/log.ts'
import { openBase } from '../../src/core.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { stop } from '../../src/http/shutdown.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { forgetRestored, lastBackup, noteRestored, restoredNote } from '../../src/operations/notes.ts'
import { aTestNode, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'
import { digests, type Unmade, unmade } from './world.ts'

/** A key's name has 96 characters at most. */
const LONGEST = `hash-${'f'.repeat(91)}`

let n: TestNode
let dir: string
let folder: string
const targets: Unmade[] = []
const said: string[] = []
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-copies-'))
  n = await aTestNode()
  const apple = await n.member('apple')
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())
  await apple.client.submit(await apple.sign([item]))
  await settled(n.t)
  await stop(n.node.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
  await n.parts.keys.create('hash-plum', 'oprf')
  await n.parts.keys.create(LONGEST, 'symmetric')
  folder = join(dir, 'backup')
  await aldis(n.t.url('owner'), 'backup', folder, '--keys')
})
beforeEach(() => said.splice(0))
afterEach(async () => {
  for (const target of targets.splice(0)) await target.drop()
})
afterAll(async () => {
  // Its node was stopped, and cannot be once more.
  await n.end().catch(() => {})
  rmSync(dir, { recursive: true, force: true })
})

/** Runs a command on the node's settings, and over the database given; its JSON line. */
async function aldis(url: string, ...args: string[]): Promise<Record<string, unknown>> {
  const { dataDir, configDir } = n.parts.config
  const settings = { DATABASE_URL: url, DATA_DIR: dataDir, CONFIG_DIR: configDir, ANCHOR_DIR: join(dataDir, 'anchor') }
  for (const [name, value] of Object.entries({ ...settings, ...more })) vi.stubEnv(name, value)
  const lines: string[] = []
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0)
  try {
    const program = new Command('aldis').option('--json').exitOverride()
    for (const add of [copyCommands, logCommands, nodeLogCommands]) add(program)
    await program.parseAsync(['node', 'aldis', '--json', ...args])
  } finally {
    out.mockRestore()
    err.mockRestore()
    vi.unstubAllEnvs()
  }
  return JSON.parse(lines.join('')) as Record<string, unknown>
}
let more: Record<string, string> = {}

/** Entries of the log, and those whose facts are kept. */
const entriesOf = async (db: Db): Promise<bigint> =>
  (await db.selectFrom('log_head').select('size').executeTakeFirstOrThrow()).size
async function factsOf(db: Db): Promise<bigint> {
  const rows = await db.selectFrom('report_facts').select('n').execute()
  return rows.reduce((sum, { n: of }) => sum + BigInt(of), 0n)
}

/** With the logs as a rotation leaves them, once the next one has so many entries. */
async function whileRotated<T>(size: bigint, work: () => Promise<T>): Promise<T> {
  const db = n.t.owner
  await sql`update log_head set closed_size = size where log_id = 1`.execute(db)
  const next = { log_id: 2, size, root: Buffer.alloc(32) }
  await db
    .insertInto('log_head')
    .values({ ...next, origin: 'node.example.org/provenance/2', edges: Buffer.alloc(0) })
    .execute()
  await db.insertInto('log_fence').values(next).execute()
  await db
    .insertInto('log_signed')
    .values({ ...next, range: Buffer.alloc(0), at: new Date() })
    .execute()
  try {
    return await work()
  } finally {
    for (const table of ['log_signed', 'log_fence', 'log_head'])
      await sql`delete from ${sql.table(table)} where log_id = 2`.execute(db)
    await sql`update log_head set closed_size = null where log_id = 1`.execute(db)
  }
}

const target = (): Unmade => {
  const one = unmade()
  targets.push(one)
  return one
}

describe('aldis backup', () => {
  test('takes settings and certificates along, and keys only if asked, never those of the months', async () => {
    const without = join(dir, 'without')
    await aldis(n.t.url('owner'), 'backup', without)
    expect(readdirSync(without).sort()).toEqual(['SHA256SUMS', 'ca', 'config', 'manifest.json', 'tables', 'tls'])
    expect(readdirSync(join(without, 'ca')).sort()).toEqual(['issuer.crt', 'root.crt'])
    expect(readdirSync(join(without, 'config')).sort()).toEqual(['retention.json', 'taxonomy.json'])

    const keys = readdirSync(join(folder, 'keys'))
    const all = readdirSync(join(n.parts.config.dataDir, 'keys'))
    expect(keys.sort()).toEqual(all.filter((name) => !name.startsWith('epoch-')).sort())
    expect(keys).toEqual(expect.arrayContaining(['log-1.ed25519', 'hash-plum.oprf', `${LONGEST}.symmetric`]))
    expect(statSync(join(folder, 'keys', 'log-1.ed25519')).mode & 0o777).toBe(0o600)

    const everything = join(dir, 'everything')
    await aldis(n.t.url('owner'), 'backup', everything, '--keys', '--epoch-keys')
    expect(readdirSync(join(everything, 'keys')).filter((name) => name.startsWith('epoch-2')).length).toBe(2)
    expect(said.join('')).toContain('destroy it within 35 days')
  })
  test('is remembered, for the alarm', async () => {
    const { made_at } = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { made_at: string }
    expect(lastBackup(n.parts.config.dataDir)?.getTime()).toBeGreaterThanOrEqual(Date.parse(made_at))
  })
})

describe('aldis restore', () => {
  test('of all that was signed lets the node go on, which tells the log once, and of one that was killed nothing', async () => {
    const to = target()
    // A node will move it on, and the other tests begin where it is now.
    const anchorDir = join(dir, 'anchor')
    cpSync(join(n.parts.config.dataDir, 'anchor'), anchorDir, { recursive: true })
    more = { ANCHOR_DIR: anchorDir }
    const { anchor } = await aldis(to.url, 'restore', folder).finally(() => {
      more = {}
    })
    expect(anchor).toMatchObject({ state: 'equal', behind: '0' })
    expect(restoredNote(n.parts.config.dataDir)).toBeDefined()
    for (const killed of [false, true]) {
      // Before it had filled a database.
      if (killed) noteRestored(n.parts.config.dataDir, { event_id: newId(new Date()), made_at: '', sizes: ['1000000'] })
      const config = { ...n.parts.config, anchorDir, databaseUrl: to.url }
      const base = await openBase({ config, clock: systemClock, log: silentLog })
      const node = await createNode(base, silentLog, { measuring: { loopDelayMs: 60_000 } })
      await node.listen()
      await stop(node.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
      expect(restoredNote(n.parts.config.dataDir)).toBeUndefined()
    }
    const db = connect({ url: to.url, max: 1 })
    const told = await db.selectFrom('prov_record').select('kind').where('kind', '=', 'restore.performed').execute()
    await db.destroy()
    expect(told.length).toBe(1)
  })
  test('that is refused tells the log nothing', async () => {
    const { dataDir } = n.parts.config
    const refused = () =>
      expect(aldis(n.t.url('owner'), 'restore', folder)).rejects.toMatchObject({ reason: 'target-filled' })
    await refused()
    expect(restoredNote(dataDir)).toBeUndefined()
    const earlier = { event_id: newId(new Date()), made_at: '2026-11-26T12:00:00.000Z', sizes: ['7'] }
    noteRestored(dataDir, earlier)
    await refused()
    expect(restoredNote(dataDir)).toEqual(earlier)
    forgetRestored(dataDir)
  })
  test('puts keys back where none are, and never over another', async () => {
    const data = join(dir, 'fresh')
    more = { DATA_DIR: data, ANCHOR_DIR: join(data, 'anchor') }
    try {
      const { anchor, keys } = await aldis(target().url, 'restore', folder, '--keys')
      expect(keys).toBe(readdirSync(join(folder, 'keys')).length + 6)
      expect(anchor).toMatchObject({ state: 'halted' })
      const key = join(data, 'keys', 'log-1.ed25519')
      expect(readFileSync(key)).toEqual(readFileSync(join(n.parts.config.dataDir, 'keys', 'log-1.ed25519')))
      expect(statSync(key).mode & 0o777).toBe(0o600)
      writeFileSync(key, Buffer.alloc(32), { mode: 0o600 })
      const to = target()
      await expect(aldis(to.url, 'restore', folder, '--keys')).rejects.toMatchObject({ reason: 'key-differs' })
      expect(readFileSync(key)).toEqual(Buffer.alloc(32))
      expect((await to.open()).version).toBe(0)
    } finally {
      more = {}
    }
  })
})

test('aldis restore that fails at its COMMIT may have filled the database: its note and its keys stay', async () => {
  const data = join(dir, 'unknown')
  const to = target()
  const whole = await to.open()
  await whole.prepare(migrations.length)
  await sql`create function fall() returns trigger language plpgsql as
    'begin perform pg_terminate_backend(pg_backend_pid()); return null; end'`.execute(whole.db)
  await sql`create constraint trigger fall after insert on programme deferrable initially deferred
    for each row execute function fall()`.execute(whole.db)
  more = { DATA_DIR: data, ANCHOR_DIR: join(data, 'anchor') }
  try {
    await expect(aldis(to.url, 'restore', folder, '--keys')).rejects.toMatchObject({ code: 'outcome-unknown' })
  } finally {
    more = {}
  }
  expect(said.join('')).toContain('may be filled')
  expect(restoredNote(data)).toBeDefined()
  expect(readdirSync(join(data, 'keys'))).toEqual(readdirSync(join(folder, 'keys')))
})

test('aldis drill restores into an embedded database, says what it found, and leaves nothing', {
  timeout: 90_000,
}, async () => {
  const where = mkdtempSync(join(dir, 'drill-'))
  const report = await whileRotated(3n, () => aldis(n.t.url('owner'), 'drill', folder, '--in', where))
  expect(report).toMatchObject({ held: true, live_entries_missing: '3', tables: { participant: 1, signal: 1 } })
  expect(report['rpo_seconds']).toBeGreaterThan(0)
  expect(report['rto_seconds']).toBeGreaterThan(0)
  expect(readdirSync(where)).toEqual([])

  const file = join(folder, 'tables', 'signal.copy')
  const whole = readFileSync(file)
  writeFileSync(file, Buffer.concat([whole, Buffer.of(0)]))
  try {
    const damaged = aldis(n.t.url('owner'), 'drill', folder, '--in', where)
    await expect(damaged).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining('tables/signal.copy'),
    })
  } finally {
    writeFileSync(file, whole)
  }
  expect(readdirSync(where)).toEqual([])
})

test('aldis db copy moves the database, whose URL may stand in a file', async () => {
  const to = target()
  const file = join(dir, 'url')
  writeFileSync(file, `${to.url}\n`)
  const before = await digests(n.t.owner)
  expect(await aldis(n.t.url('owner'), 'db', 'copy', '--to', file)).toMatchObject({ anchor: { state: 'equal' } })
  const db = connect({ url: to.url, max: 1 })
  expect(await digests(db).finally(() => db.destroy())).toEqual(before)
  expect(await digests(n.t.owner)).toEqual(before)
  await expect(aldis(n.t.url('owner'), 'db', 'copy', '--to', 'plum')).rejects.toThrow()
})

test.for(['', '\n', ' \t\n'])(
  'aldis db copy --to a file that holds %j names no database, and copies nothing',
  async (text) => {
    const file = join(dir, 'blank-url')
    writeFileSync(file, text)
    const data = join(dir, 'untouched')
    more = { DATA_DIR: data }
    try {
      const refused = { name: 'StartRefused', message: '--to: names no database' }
      await expect(aldis(n.t.url('owner'), 'db', 'copy', '--to', file)).rejects.toMatchObject(refused)
    } finally {
      more = {}
    }
    expect(existsSync(data)).toBe(false)
  },
)

describe('what reports are made of', () => {
  const ways: readonly [name: string, copy: (to: Unmade) => Promise<unknown>][] = [
    ['restore', (to) => aldis(to.url, 'restore', folder)],
    [
      'db copy',
      (to) => {
        const file = join(dir, 'copy-url')
        writeFileSync(file, `${to.url}\n`)
        return aldis(n.t.url('owner'), 'db', 'copy', '--to', file)
      },
    ],
  ]
  test.for(ways)('is after aldis %s what a recount of the copied log makes', async ([, copy]) => {
    const to = target()
    await copy(to)
    const size = await entriesOf(n.t.owner)
    expect(await aldis(to.url, 'log', 'recount')).toEqual({ entries: String(size), differences: [] })
    const db = connect({ url: to.url, max: 1 })
    try {
      expect(await factsOf(db)).toBe(size)
      // A copy that had lost one would have been told of.
      await sql`update report_facts set facts = replace(facts, '"signal.submitted"', '"signal.revised"')`.execute(db)
    } finally {
      await db.destroy()
    }
    const { differences } = await aldis(to.url, 'log', 'recount')
    process.exitCode = undefined
    expect(differences).toEqual([expect.stringMatching(/^facts: entries \d+ to \d+ say something else than the log$/)])
  })
})
