import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../src/client/log-source.ts'
import { exportRecords, exportSnapshot, folderRecords, hasRecords } from '../../src/client/record-files.ts'
import { openVkey } from '../../src/client/verify.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { EXPORT_MAX } from '../../src/provenance/schema.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

const KEYS = ['plum', 'fig', 'kiwi'].map((name) => sha256(name).toString('hex'))

let n: TestNode
let apple: Member
let banana: Member
let owl: Member
const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))

beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  const everybody = await apple.everybody()
  const items = await Promise.all(
    KEYS.map((hash) => apple.item({ type: 'media_hash', algorithm: 'sha256', hash }, everybody)),
  )
  await apple.client.submit(await apple.sign(items))
  await settled(n.t)
  const feed = (await banana.client.feeds()).feeds.find(({ audience }) => audience === everybody)
  await banana.client.events(feed?.feed as Uuid, {})
  const queries = [{ type: 'media_hash' as const, profile: 'sha256', keys: KEYS }]
  const { read } = await banana.client.lookUp({ purpose: 'investigation', queries })
  const [id = '', place = ''] = (read.split(' ')[0] ?? '').split('.')
  await banana.client.receipt(id, { read: place })
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

const reads = async (): Promise<number> =>
  (await n.t.owner.selectFrom('prov_record').select('event_id').where('kind', '=', 'audit.read').execute()).length

/** As `aldis log export --records` does it. */
async function exported(dir: string) {
  await exportSnapshot(owl.client, dir)
  const head = await owl.home.advance(owl.client)
  const { vkey } = owl.home.pinned()
  const { size } = await exportLog({ source: nodeLog(owl.client), vkey, head, dir })
  return { size, vkey, ...(await exportRecords(owl.client, { dir, size })) }
}

const auditOf = (dir: string, vkey: string) =>
  auditLog({
    ...{ hash: sha256, source: folderLog(dir), pinned: { key: openVkey(vkey), verify: verifyEd25519 } },
    ...{ now: new Date(), kept: [], records: folderRecords(dir) },
  })

describe('what an auditor exports from a node', () => {
  test('passes every check, offline', async () => {
    const dir = join(folder, 'whole')
    const { vkey, size, fetched } = await exported(dir)
    expect([hasRecords(dir), fetched]).toEqual([true, 1])
    const { findings } = await auditOf(dir, vkey)
    const others = findings.filter(({ check, result }) => check !== 2 && check !== 4 && result !== 'PASS')
    expect(others).toEqual([])
    expect(findings.map(({ check }) => check)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
    expect(findings.find(({ check }) => check === 5)?.says).toBe(`${size} records make the entries of the tree`)
  })
  test('names a row that was changed with SQL alone', async () => {
    const dir = join(folder, 'changed')
    const status = (to: number) =>
      n.t.owner.updateTable('participant').set({ status: to }).where('slug', '=', 'banana').execute()
    await status(2)
    const { vkey } = await exported(dir).finally(() => status(1))
    const { result, findings } = await auditOf(dir, vkey)
    expect(result).toBe('FAIL')
    const failed = findings.filter((one) => one.result === 'FAIL')
    expect(failed.map(({ check }) => check)).toEqual([13])
    expect(failed[0]?.says).toMatch(/participant banana: the row is another than the event \S+ made it/)
  })
  test('is a logged read before its first line, each request of it', async () => {
    const before = await reads()
    const lines = owl.client.records({ from: 0n, to: 1n })
    const first = await lines.next()
    expect(JSON.parse(String(first.value))).toMatchObject({ index: '0' })
    expect(await reads()).toBe(before + 1)
    await lines.return(undefined)
    await Array.fromAsync(owl.client.snapshot())
    expect(await reads()).toBe(before + 2)
  })
  test('is refused in runs of more entries than the limit, backwards, and behind the end of the log; and nothing is logged', async () => {
    const before = await reads()
    const refused = (from: bigint, to: bigint) => owl.client.records({ from, to }).next()
    await expect(refused(0n, BigInt(EXPORT_MAX) + 1n)).rejects.toMatchObject({ code: 'page-limit' })
    await expect(refused(5n, 4n)).rejects.toMatchObject({ code: 'invalid-query' })
    await expect(refused(1_000_000n, 1_000_001n)).rejects.toMatchObject({ code: 'not-found' })
    await expect(apple.client.records({ from: 0n, to: 1n }).next()).rejects.toMatchObject({ code: 'scope-missing' })
    await expect(apple.client.snapshot().next()).rejects.toMatchObject({ code: 'scope-missing' })
    expect(await reads()).toBe(before)
  })
  test('that was damaged on its way says nothing of the log', async () => {
    const dir = join(folder, 'damaged')
    await exported(dir)
    const [name = ''] = readdirSync(join(dir, 'records'))
    const lines = readFileSync(join(dir, 'records', name), 'utf8')
      .trimEnd()
      .split('\n')
    const records = async function* () {
      yield* lines.with(3, '{"index":"3"')
    }
    const { findings } = await auditLog({
      ...{ hash: sha256, source: folderLog(dir), now: new Date(), kept: [], records: { records } },
      pinned: { key: openVkey(owl.home.pinned().vkey), verify: verifyEd25519 },
    })
    const five = findings.filter(({ check }) => check >= 5)
    expect(new Set(five.map(({ result }) => result))).toEqual(new Set(['UNKNOWN']))
    expect(five[0]?.says).toBe('a record is malformed: fetch it again')
  })
})
