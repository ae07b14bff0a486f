import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createNode, type Node } from '../../src/app.ts'
import { auditLog } from '../../src/audit/audit.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../src/client/log-source.ts'
import { exportRecords, exportSnapshot, folderRecords } from '../../src/client/record-files.ts'
import { checkReceipt, openVkey } from '../../src/client/verify.ts'
import { openBase } from '../../src/core.ts'
import { stop } from '../../src/http/shutdown.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { backup } from '../../src/operations/backup.ts'
import { verifiedManifest } from '../../src/operations/folder.ts'
import { contentsOf, restore } from '../../src/operations/refill.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { logStandings } from '../../src/provenance/standing.ts'
import { restoring, unmade } from '../cli/world.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

const HASH = 'fe'.repeat(32)

let n: TestNode
let apple: Member
let banana: Member
let owl: Member
let folder: string
let signal: Uuid
let submission: string
let receipt: string
/** From before the erasure. */
let backedUp: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-erasure-'))
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  const everybody = await apple.everybody()
  const item = await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: HASH }, everybody)
  const other = await apple.item({ type: 'media_hash', algorithm: 'sha256', hash: 'dc'.repeat(32) }, everybody)
  signal = item.signal
  submission = (await apple.client.submit(await apple.sign([item, other]))).submission ?? ''
  receipt = (await apple.client.receipt(submission)) ?? ''
  await settled(n.t)
  expect(await aldis(banana, 'sync')).toMatchObject({ code: 0 })
  backedUp = join(folder, 'backup')
  await backup({
    ...{ db: n.t.owner, dir: backedUp, clock: systemClock, release: '0.1.0', beside: [] },
    ...{ standings: logStandings, onTable: () => {} },
  })
  await n.decide('signals.erase', { participant: 'apple', signals: [signal], basis: 'subject_request' })
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

/** The command line as a process of its own, in the folder of a member. */
const aldis = (member: Member, ...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const all = [CLI, '--home', member.home.dir, ...args]
    execFile(process.execPath, all, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }))
  })

const erasure = async () => (await n.parts.erasures.list())[0] ?? expect.fail('nothing was erased')
/** The same as the operator of the node has it. */
const administers = (...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const { dataDir, configDir, logOrigin } = n.parts.config
    const env = { ...process.env, DATABASE_URL: n.t.url('owner'), DATA_DIR: dataDir, CONFIG_DIR: configDir }
    const all = [CLI, ...args]
    execFile(process.execPath, all, { env: { ...env, LOG_ORIGIN: logOrigin } }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    )
  })
/** What a member has on its disk. */
const onDisk = ({ home }: Member): string =>
  readdirSync(home.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('\n')

test('its certificate verifies by the pinned key alone; with another number in it, it does not', async () => {
  const { event } = await erasure()
  const written = await administers('erasures', 'certificate', event)
  expect(written).toMatchObject({ code: 0 })
  const [good, bad] = ['certificate.json', 'forged.json'].map((name) => join(folder, name))
  writeFileSync(good ?? '', written.out)
  expect(await aldis(banana, 'verify', good ?? '')).toMatchObject({ code: 0 })
  writeFileSync(bad ?? '', JSON.stringify({ ...JSON.parse(written.out), signals: 2 }))
  const refused = await aldis(banana, 'verify', bad ?? '')
  expect([refused.code, refused.out]).toEqual([7, expect.stringContaining('certificate: n is another')])
})

describe('after an erasure', { shuffle: false, timeout: 60_000 }, () => {
  test('a recipient that syncs removes it from its mirror and acknowledges; who was asked is counted', async () => {
    expect(onDisk(banana)).toContain(HASH)
    await vi.waitFor(async () => expect(await erasure()).toMatchObject({ notified: 1, missing: ['banana'] }), 20_000)
    await settled(n.t)
    const synced = await aldis(banana, 'sync', '--acknowledge')
    expect(synced).toMatchObject({ code: 0, err: expect.not.stringContaining('failed') })
    expect(synced.out).toContain('signal.erased')
    expect(onDisk(banana)).not.toContain(HASH)
    expect(await erasure()).toMatchObject({ source: 'apple', acknowledged: ['banana'], missing: [], signals: 1 })
  })
  test('whoever obtained it can prove that it was asked, and nobody else is told', async () => {
    const { event } = await erasure()
    const told = checkReceipt((await banana.client.receipt(event)) ?? '', openVkey(banana.home.pinned().vkey))
    expect(told.passed).toBe(true)
    expect(told.fields.map(({ name }) => name).sort()).toEqual(['n', 'root', 'targets'])
    await expect(owl.client.receipt(event)).resolves.toBeDefined()
    const cherry = await n.member('kiwi')
    await expect(cherry.client.receipt(event)).rejects.toMatchObject({ code: 'not-found' })
  })
  test('an administrator asks for one, and reads who has answered, on the command line', async () => {
    const asked = await administers('erase', 'apple', signal, '--basis', 'court_order', '--by', n.ada)
    expect(asked).toMatchObject({ code: 0, out: expect.stringContaining('signals.erase') })
    const { out } = await administers('erasures')
    expect(out).toMatch(/apple {2}1 signals {2}subject_request .* 1 notified\n +acknowledged {2}banana/)
  })
  test('who syncs from the beginning finds a stub in its place, and the others as they were', async () => {
    const late = await n.member('cherry')
    const synced = await aldis(late, '--json', 'sync')
    expect(synced).toMatchObject({ code: 0 })
    const events = synced.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events.map(({ type, authority, reason }) => [type, authority, reason])).toEqual([
      ['signal.created', 'node', 'erased'],
      ['signal.created', 'origin', undefined],
      ['signal.erased', 'node', 'erased'],
    ])
  })
  test('a receipt of before still verifies, and so does one that is given now', async () => {
    const key = openVkey(apple.home.pinned().vkey)
    expect(checkReceipt(receipt, key).passed).toBe(true)
    const now = checkReceipt((await apple.client.receipt(submission)) ?? '', key)
    expect(now.passed).toBe(true)
    expect(now.fields.map(({ name }) => name)).toContain('root')
    expect(now.fields.map(({ name }) => name)).not.toContain('region')
  })
  test('its source is told of it in its own chain, without basis or person, and its histories verify', async () => {
    expect(await aldis(apple, 'readers', '--verify')).toMatchObject({ code: 0 })
    const { event } = await erasure()
    const told = checkReceipt((await apple.client.receipt(event)) ?? '', openVkey(apple.home.pinned().vkey))
    expect(told.fields.map(({ name }) => name).sort()).toEqual([
      ...['actor', 'after', 'n', 'root', 'subject', 'targets', 'time', 'type'],
    ])
    const proofs = await aldis(apple, '--json', 'readers', '--signal', signal)
    expect(proofs).toMatchObject({ code: 0, out: expect.stringContaining('banana') })
  })
  test('the whole log passes its audit, offline', async () => {
    const dir = join(folder, 'audit')
    await exportSnapshot(owl.client, dir)
    const head = await owl.home.advance(owl.client)
    const { vkey } = owl.home.pinned()
    const { size } = await exportLog({ source: nodeLog(owl.client), vkey, head, dir })
    await exportRecords(owl.client, { dir, size })
    const { findings } = await auditLog({
      ...{ hash: sha256, source: folderLog(dir), pinned: { key: openVkey(vkey), verify: verifyEd25519 } },
      ...{ now: new Date(), kept: [], records: folderRecords(dir) },
    })
    const others = findings.filter(({ check, result }) => check !== 2 && check !== 4 && result !== 'PASS')
    expect(others).toEqual([])
    expect(findings.find(({ check }) => check === 7)?.says).toMatch(/^1 erasures were decided by two persons/)
    expect(findings.find(({ check }) => check === 15)?.says).toMatch(/and was acknowledged$/)
  })
})

describe('a database of before that is put back', { timeout: 60_000 }, () => {
  const target = unmade()
  let second: Node | undefined
  afterAll(async () => {
    if (second !== undefined) await stop(second.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
    await target.drop()
  })
  test('has lost what was erased since before its node answers anybody', async () => {
    const manifest = await verifiedManifest(backedUp)
    const whole = await target.open()
    await restore(contentsOf(backedUp, manifest), restoring(whole))
    const rows = async () => {
      const events = await whole.db.selectFrom('feed_entry').select('body').where('signal_id', '=', signal).execute()
      const shared = await whole.db.selectFrom('shared_signal').select('seq').where('signal_id', '=', signal).execute()
      const items = await whole.db
        .selectFrom('signal_revision')
        .select('item')
        .where('signal_id', '=', signal)
        .execute()
      return {
        text: [...events.map(({ body }) => body), ...items.map(({ item }) => item)].join('\n'),
        keys: shared.length,
      }
    }
    expect(await rows()).toMatchObject({ text: expect.stringContaining(HASH), keys: 1 })
    const config = { ...n.parts.config, databaseUrl: target.url, partnerPort: 0, enrolPort: 0, opsPort: 0 }
    const base = await openBase({ config, clock: systemClock, log: silentLog })
    second = await createNode(base, silentLog, { measuring: { loopDelayMs: 60_000 } })
    await second.listen()
    expect(await rows()).toEqual({ text: expect.not.stringContaining(HASH), keys: 0 })
    const [again] = await second.parts.erasures.list()
    expect(again).toMatchObject({ source: 'apple', basis: 'subject_request', signals: 1 })
  })
})
