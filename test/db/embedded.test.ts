import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkServer } from '../../src/db/check-server.ts'
import { connect, type Db } from '../../src/db/connect.ts'
import { type EmbeddedPostgres, startEmbedded } from '../../src/db/embedded.ts'
import { canReach } from '../../src/db/embedded-user.ts'
import { StartRefused } from '../../src/kernel/errors.ts'

const CHILD = join(import.meta.dirname, 'embedded-child.ts')
const NOBODY = { name: 'nobody', uid: 65_534, gid: 65_534 }
const root = process.getuid?.() === 0
const reachable = root && (await canReach(NOBODY, CHILD.replace(/[^/]*$/, '')))

let dataDir: string
let servers: EmbeddedPostgres[] = []
let children: ChildProcess[] = []

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'aldis-test-'))
})
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(children.map(ended))
  children = []
  for (const server of servers) await server.destroy()
  servers = []
  // A child may have been killed above its server.
  if (existsSync(join(dataDir, 'LOCATION')) || existsSync(join(dataDir, 'pgdata'))) {
    await (await startEmbedded({ dataDir })).destroy()
  }
  await rm(dataDir, { recursive: true, force: true })
})

async function start(settings?: Record<string, string>): Promise<EmbeddedPostgres> {
  const server = await startEmbedded({ dataDir, ...(settings && { settings }) })
  servers.push(server)
  return server
}

async function using<T>(server: EmbeddedPostgres, work: (db: Db) => Promise<T>): Promise<T> {
  const db = connect({ url: server.url('postgres', 'postgres'), max: 1 })
  return work(db).finally(() => db.destroy())
}

const pidOf = async (server: EmbeddedPostgres): Promise<number> =>
  Number.parseInt(await readFile(join(server.dir, 'postmaster.pid'), 'utf8'), 10)

const socketDirOf = (server: EmbeddedPostgres): string =>
  decodeURIComponent(new URL(server.url('postgres', 'postgres')).hostname)

const write = (server: EmbeddedPostgres, n: number) =>
  using(server, async (db) => {
    await sql`create table if not exists kept (n int)`.execute(db)
    await sql`insert into kept values (${n})`.execute(db)
  })

const kept = (server: EmbeddedPostgres) => using(server, async (db) => (await sql`select n from kept`.execute(db)).rows)

/** Another process that supervises the same folder; its answers, line by line. */
function childOn(dir: string, as: object = {}): { child: ChildProcess; said(): Promise<Record<string, unknown>> } {
  const child = spawn(process.execPath, [CHILD, dir], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], ...as })
  children.push(child)
  let lines: string[] = []
  let errors = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    lines = [...lines, ...chunk.toString().split('\n').filter(Boolean)]
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const said = async () => {
    await expect.poll(() => lines.length || child.exitCode, { timeout: 20_000 }).not.toBeFalsy()
    if (lines.length === 0) throw new Error(`the child said nothing: ${errors}`)
    return JSON.parse(lines.shift() ?? '') as Record<string, unknown>
  }
  return { child, said }
}

const ended = (child: ChildProcess): Promise<void> =>
  expect.poll(() => child.exitCode ?? child.signalCode, { timeout: 20_000 }).not.toBeNull()

describe('a fresh start', () => {
  test('makes a cluster with checksums that answers over its socket alone, and to nobody else', async () => {
    const server = await start()
    expect(server).toMatchObject({ adopted: false, supervised: true })
    await using(server, async (db) => {
      await checkServer(db, { embedded: true })
      const { rows } = await sql`select current_setting('listen_addresses') as listen, datcollate, datctype,
        pg_encoding_to_char(encoding) as encoding from pg_database where datname = 'template1'`.execute(db)
      expect(rows).toEqual([{ listen: '', datcollate: 'C', datctype: 'C', encoding: 'UTF8' }])
    })
    const folder = await lstat(socketDirOf(server))
    expect(folder.mode & 0o777).toBe(0o700)
    expect(folder.uid).toBe((await stat(server.dir)).uid)
    expect(Buffer.byteLength(`${socketDirOf(server)}/.s.PGSQL.5432`)).toBeLessThanOrEqual(103)
  })

  test('what was committed is there after stop and start, and stop leaves no process, socket or marker', async () => {
    const first = await start()
    await write(first, 1)
    const pid = await pidOf(first)
    await first.stop()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    await expect(stat(socketDirOf(first))).rejects.toThrow('ENOENT')
    await expect(stat(join(dataDir, 'postgres.supervisor'))).rejects.toThrow('ENOENT')
    const second = await start()
    expect(second.dir).toBe(first.dir)
    expect(await kept(second)).toEqual([{ n: 1 }])
  })

  test('an interrupted initdb is begun anew', async () => {
    const first = await start()
    await first.destroy()
    await mkdir(join(dataDir, 'pgdata.new'))
    await writeFile(join(dataDir, 'pgdata.new', 'PG_VERSION'), '18\n')
    await using(await start(), (db) => sql`select 1`.execute(db))
  })

  test.for(['fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories'])(
    'does not let %s be set',
    async (name) => {
      await expect(startEmbedded({ dataDir, settings: { [name]: 'off' } })).rejects.toThrow(name)
    },
  )

  test('a socket folder that others may enter is refused, by name', async () => {
    const server = await start()
    await server.stop()
    const folder = socketDirOf(server)
    await mkdir(folder)
    await chmod(folder, 0o755)
    try {
      await expect(startEmbedded({ dataDir })).rejects.toThrow(StartRefused)
      await expect(startEmbedded({ dataDir })).rejects.toThrow(folder)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('two supervisors', () => {
  test('the second adopts, in this process and in another, and only the starter stops', async () => {
    const first = await start()
    const second = await start()
    expect(second).toMatchObject({ adopted: true, supervised: false, dir: first.dir })
    const third = childOn(dataDir)
    expect(await third.said()).toEqual({ adopted: true, supervised: false, dir: first.dir })
    third.child.kill('SIGINT')
    expect(await third.said()).toEqual({ served: true })
    await ended(third.child)
    await second.stop()
    await write(first, 2)
    expect(await kept(second)).toEqual([{ n: 2 }])
  })

  test('who adopted it keeps it alive at the same place when the starter stops it, and stops it itself', async () => {
    const starter = childOn(dataDir)
    await starter.said()
    const second = await start()
    expect(second).toMatchObject({ adopted: true, supervised: false })
    await write(second, 5)
    const before = await pidOf(second)
    starter.child.kill('SIGINT')
    await ended(starter.child)
    await expect.poll(() => second.supervised, { timeout: 20_000 }).toBe(true)
    expect(await kept(second)).toEqual([{ n: 5 }])
    expect(await pidOf(second)).not.toBe(before)
    await second.stop()
    await expect(stat(join(second.dir, 'postmaster.pid'))).rejects.toThrow('ENOENT')
  })

  test('who adopted it from one that is killed with -9 stops it at its end', async () => {
    const starter = childOn(dataDir)
    await starter.said()
    const second = await start()
    await write(second, 6)
    const before = await pidOf(second)
    starter.child.kill('SIGKILL')
    await ended(starter.child)
    await expect.poll(() => second.supervised, { timeout: 20_000 }).toBe(true)
    expect([await pidOf(second), await kept(second)]).toEqual([before, [{ n: 6 }]])
    await second.stop()
    await expect(stat(join(second.dir, 'postmaster.pid'))).rejects.toThrow('ENOENT')
  })

  test('who adopted it makes none in the place of one that was deleted', async () => {
    const first = await start()
    const second = await start()
    await first.destroy()
    // Three times as long as it takes to look.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(second.supervised).toBe(false)
    expect([first.dir, `${first.dir}.new`].map((dir) => existsSync(dir))).toEqual([false, false])
  })

  test('that start at the same moment share one server', async () => {
    const [a, b] = [childOn(dataDir), childOn(dataDir)]
    const both = [await a.said(), await b.said()]
    expect(both.map(({ supervised }) => supervised).toSorted()).toEqual([false, true])
  })
})

describe('faults', () => {
  test('a node killed with -9 leaves its server, which the next one adopts and stops', async () => {
    const { child, said } = childOn(dataDir)
    expect(await said()).toMatchObject({ adopted: false, supervised: true })
    child.kill('SIGKILL')
    await ended(child)
    const next = await start()
    expect(next).toMatchObject({ adopted: true, supervised: true })
    await next.stop()
    await expect(stat(join(next.dir, 'postmaster.pid'))).rejects.toThrow('ENOENT')
    await expect(kept(next)).rejects.toMatchObject({ code: 'busy' })
  })

  test('a postmaster killed with -9 is started again with all that was committed', async () => {
    const server = await start()
    await write(server, 3)
    const before = await pidOf(server)
    process.kill(before, 'SIGKILL')
    await expect.poll(() => pidOf(server).catch(() => before), { timeout: 20_000 }).not.toBe(before)
    await expect.poll(() => kept(server).catch(() => 'not yet'), { timeout: 20_000 }).toEqual([{ n: 3 }])
  })

  test('a SIGINT of the terminal reaches the node, not its database', async () => {
    const { child, said } = childOn(dataDir)
    await said()
    process.kill(-(child.pid ?? 0), 'SIGINT')
    expect(await said()).toEqual({ served: true })
    await ended(child)
    expect(child.exitCode).toBe(0)
  })

  test('a postmaster.pid whose process still lives is waited for, never deleted', async () => {
    const server = await start()
    const { uid, gid } = await stat(server.dir)
    const file = join(server.dir, 'postmaster.pid')
    const content = await readFile(file, 'utf8')
    await server.stop()
    const undead = spawn('sleep', ['60'], { uid, gid })
    await writeFile(file, content.replace(/^\d+/, String(undead.pid)), { mode: 0o600 })
    if (root) await chown(file, uid, gid)
    const began = performance.now()
    setTimeout(() => undead.kill('SIGKILL'), 1_500)
    await write(await start(), 4)
    expect(performance.now() - began).toBeGreaterThan(1_400)
  })
})

describe.skipIf(!root)('as root (needs root)', () => {
  test('the server runs as an account of its own, outside a folder that this may not enter, and is found again', async () => {
    await chmod(dataDir, 0o700)
    const first = await start()
    expect((await stat(first.dir)).uid).not.toBe(0)
    expect(first.dir).toMatch(/^\/var\/lib\/aldis\/[0-9a-f]{12}\/pgdata$/)
    expect(await readFile(join(dataDir, 'LOCATION'), 'utf8')).toBe(`${first.dir.replace('/pgdata', '')}\n`)
    await write(first, 5)
    await first.stop()
    expect(await kept(await start())).toEqual([{ n: 5 }])
  })

  test('a database of a removed folder is neither taken over nor deleted', async () => {
    await chmod(dataDir, 0o700)
    const first = await start()
    await first.stop()
    await rm(join(dataDir, 'LOCATION'))
    const second = await start()
    expect(second.dir).toBe(first.dir.replace('/pgdata', '-2/pgdata'))
    await stat(join(first.dir, 'PG_VERSION'))
  })

  test('the database stays inside a folder that the account may enter', async () => {
    await chmod(dataDir, 0o711)
    expect((await start()).dir).toBe(join(dataDir, 'pgdata'))
  })

  test.skipIf(!reachable)('a plain user has everything inside the data folder', async () => {
    await chown(dataDir, NOBODY.uid, NOBODY.gid)
    const { child, said } = childOn(dataDir, {
      uid: NOBODY.uid,
      gid: NOBODY.gid,
      env: { ...process.env, HOME: dataDir },
    })
    expect(await said()).toEqual({ adopted: false, supervised: true, dir: join(dataDir, 'pgdata') })
    expect((await stat(join(dataDir, 'pgdata'))).uid).toBe(NOBODY.uid)
    child.kill('SIGINT')
    expect(await said()).toEqual({ served: true })
    await ended(child)
    await rm(join(dataDir, 'pgdata'), { recursive: true })
  })
})
