import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Addresses, createNode, type Node } from '../../src/app.ts'
import { anchorSays } from '../../src/cli/node/anchor-says.ts'
import { openBase } from '../../src/core.ts'
import { stop } from '../../src/http/shutdown.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { newId } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { backup } from '../../src/operations/backup.ts'
import { verifiedManifest } from '../../src/operations/folder.ts'
import { noteRestored, restoredNote } from '../../src/operations/notes.ts'
import { contentsOf, restore } from '../../src/operations/refill.ts'
import { logStandings } from '../../src/provenance/standing.ts'
import { restoring, unmade } from '../cli/world.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { kill } from '../support/process-node.ts'
import { quietPort } from '../support/quiet-port.ts'

const CHILD = fileURLToPath(new URL('./backup-child.ts', import.meta.url))

let n: TestNode
let apple: Member
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-backup-'))
  n = await aTestNode({ env: { PARTNER_PORT: String(await quietPort()) } })
  apple = await n.member('apple')
})
afterAll(async () => {
  // Its node was stopped, and cannot be once more.
  await n.end().catch(() => {})
  rmSync(dir, { recursive: true, force: true })
})

const submit = async (raw: string) =>
  apple.client.submit(await apple.sign([await apple.item({ type: 'url', raw }, await apple.everybody())]))

/** Everything that was recorded is signed. */
const signed = (): Promise<bigint> =>
  vi.waitFor(
    async () => {
      const [log] = await logStandings(n.t.owner)
      const { outbox } = await n.parts.provenance.state(n.t.integrator)
      expect([log?.signed, outbox]).toEqual([log?.size, 0])
      return log?.size ?? 0n
    },
    { timeout: 20_000, interval: 50 },
  )

const backedUp = (to: string) =>
  backup({
    ...{ db: n.t.owner, dir: to, clock: systemClock, release: '0.1.0', beside: [] },
    ...{ standings: logStandings, onTable: () => {} },
  })

test.each(['participant', 'log_batch', 'signal_revision'])(
  'a backup that is killed at %s is none, and its folder is not written into again',
  async (table) => {
    const folder = join(dir, `killed-${table}`)
    const child = spawn(process.execPath, [CHILD, n.t.url('owner'), folder, table], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    expect(readdirSync(folder)).toEqual(['tables'])
    await expect(verifiedManifest(folder)).rejects.toMatchObject({ reason: 'unfinished' })
    await expect(backedUp(folder)).rejects.toMatchObject({ reason: 'folder-there' })
  },
)

describe('a command that fills an embedded database and is told to end', { timeout: 120_000 }, () => {
  let folder: string
  let where: string
  let child: ChildProcess
  beforeAll(async () => {
    folder = join(dir, 'told')
    await backedUp(folder)
  })
  beforeEach(() => {
    where = mkdtempSync(join(tmpdir(), 'aldis-told-'))
    // The database's account must be able to enter it.
    chmodSync(where, 0o711)
  })
  afterEach(() => {
    child.kill('SIGKILL')
    kill(postmaster())
    rmSync(where, { recursive: true, force: true })
  })

  const begin = (...args: string[]): void => {
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], DATA_DIR: where }
    child = spawn(process.execPath, [CLI, ...args], { env, stdio: 'ignore' })
  }
  /** Of the server whose data lies somewhere in the folder. */
  const postmaster = (): number | undefined => {
    const [file] = globSync(join(where, '**/pgdata/postmaster.pid'))
    return file === undefined ? undefined : Number.parseInt(readFileSync(file, 'utf8'), 10)
  }
  const soon = <T>(look: () => T): Promise<T> => vi.waitFor(look, { timeout: 60_000, interval: 5 })
  const end = async (signal: NodeJS.Signals): Promise<unknown> => {
    const ended = once(child, 'exit')
    child.kill(signal)
    const [code] = await ended
    return code
  }

  test.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('aldis drill, by %s, stops the server and deletes the copy', async ([signal, code]) => {
    begin('drill', folder, '--in', where)
    const server = await soon(() => {
      const pid = postmaster()
      if (pid === undefined || Number.isNaN(pid)) throw new Error('there is no server in the folder')
      return pid
    })
    expect(await end(signal)).toBe(code)
    expect(readdirSync(where)).toEqual([])
    expect(() => process.kill(server, 0)).toThrow('ESRCH')
  })
  test('aldis restore stops the server, and tells no node of a restore', async () => {
    begin('restore', folder)
    await soon(() => expect(existsSync(join(where, 'restored.json'))).toBe(true))
    expect(await end('SIGINT')).toBe(130)
    expect(restoredNote(where)).toBeUndefined()
    expect(postmaster()).toBeUndefined()
  })
})

describe('a node on a restored database', { shuffle: false }, () => {
  const target = unmade()
  let second: Node | undefined
  afterAll(async () => {
    if (second !== undefined) await stop(second.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
    await target.drop()
  })

  /** As the settings say, but over the restored database. */
  const onRestored = async (): Promise<Addresses> => {
    const config = { ...n.parts.config, databaseUrl: target.url }
    const base = await openBase({ config, clock: systemClock, log: silentLog })
    second = await createNode(base, silentLog, { measuring: { loopDelayMs: 60_000 } })
    return second.listen()
  }

  test('that is older than what was signed serves the tree and takes nothing', async () => {
    await submit('https://bad.example/a')
    await signed()
    const folder = join(dir, 'older')
    await backedUp(folder)
    await submit('https://bad.example/b')
    await submit('https://bad.example/c')
    const size = await signed()
    const item = await apple.item({ type: 'url', raw: 'https://bad.example/d' }, await apple.everybody())
    const submission = await apple.sign([item])
    await stop(n.node.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })

    const manifest = await verifiedManifest(folder)
    const whole = await target.open()
    noteRestored(n.parts.config.dataDir, { event_id: newId(new Date()), made_at: manifest.made_at, sizes: [] })
    const logs = await restore(contentsOf(folder, manifest), restoring(whole))
    await whole.close()
    const restoredTo = logs.at(-1)?.size ?? 0n
    const says = await anchorSays(n.parts.config, logs.at(-1))
    expect(says).toMatchObject({ state: 'halted', behind: String(size - restoredTo) })
    expect(says.says).toContain(`behind by ${size - restoredTo} entries`)

    const { ops } = await onRestored()
    await expect(apple.client.submit(submission)).rejects.toMatchObject({ status: 503, code: 'log-halted' })
    expect(await apple.client.checkpoint()).toMatch(/^node\.example\.org\/provenance\/1\n[0-9]+\n/)
    const metrics = async (): Promise<string> => (await fetch(`${ops}/metrics`)).text()
    await vi.waitFor(async () => expect(await metrics()).toContain('aldis_alarm{name="log-halted"} 1'), 20_000)
    expect(await metrics()).toContain('aldis_alarm{name="disk-full"} 0')
    expect(restoredNote(n.parts.config.dataDir)).toMatchObject({ made_at: manifest.made_at })
  })
})
