import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../src/client/log-source.ts'
import { exportRecords, exportSnapshot, folderRecords } from '../../src/client/record-files.ts'
import { checkReceipt, openVkey, readName } from '../../src/client/verify.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import type { SignalItem } from '../../src/signals/schema.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'
import { settled } from '../support/settled.ts'

const NEVER = '01890000-0000-7000-8000-000000000000' as Uuid
const folder = mkdtempSync(join(tmpdir(), 'aldis-network-'))

let n: TestNode
let apple: Member
let banana: Member
let owl: Member
let link: SignalItem
let email: SignalItem
let relation: SignalItem

beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
  const shared = await apple.audience('apple and banana', 'banana')
  link = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, shared)
  email = await apple.item({ type: 'email', raw: 'fig@mail.example' }, shared)
  const stated = { relation: 'advertises' as const, from: email.signal, to: link.signal }
  relation = await apple.item({ type: 'relation', relation: stated }, shared)
  await apple.client.submit(await apple.sign([link, email, relation]))
  await settled(n.t)
  const feed = (await banana.client.feeds()).feeds.find(({ audience }) => audience === shared)
  await banana.client.events(feed?.feed ?? NEVER, {})
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

/** The command line as a process of its own, in the folder of the member. */
const aldis = ({ home }: Member, ...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const all = [CLI, '--home', home.dir, ...args]
    execFile(process.execPath, all, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }))
  })

describe('aldis network', { timeout: 60_000 }, () => {
  test('lists what is related to a signal, and keeps the name of the read', async () => {
    const told = await aldis(banana, 'network', link.signal)
    expect(told).toMatchObject({ code: 0, err: expect.stringMatching(/^1 signals are related to it/) })
    expect(told.out.trimEnd()).toMatch(
      new RegExp(`^<- advertises  ${email.signal}  email of apple  \\S+ to \\S+  stated by apple$`),
    )
    const noted = readFileSync(join(banana.home.dir, 'reads.ndjson'), 'utf8').trimEnd().split('\n').at(-1) ?? '{}'
    expect(readName((JSON.parse(noted) as { read: string }).read)).toBeDefined()
    const line = await aldis(banana, '--json', 'network', email.signal)
    expect(JSON.parse(line.out)).toMatchObject({
      signal: link.signal,
      relations: [{ relation: 'advertises', direction: 'out', stated_by: [{ signal: relation.signal }] }],
    })
  })
  test('ends as documented for a signal that may not be seen, and for what is no id', async () => {
    expect(await aldis(banana, 'network', NEVER)).toMatchObject({ code: 4, out: '' })
    expect(await aldis(banana, 'network', 'plum')).toMatchObject({ code: 78, out: '' })
  })
})

describe('the read of a network', { timeout: 60_000 }, () => {
  test('has a receipt, and passes every check of an auditor', async () => {
    const { read } = await banana.client.network(link.signal)
    const { id = '', place = '' } = readName(read) ?? {}
    const receipt = (await banana.client.receipt(id, { read: place })) ?? expect.fail('no receipt')
    const key = openVkey(banana.home.pinned().vkey)
    const { passed, inner } = checkReceipt(receipt, key)
    expect([passed, inner.find(({ name }) => name === 'n')?.value]).toEqual([true, 3])

    await exportSnapshot(owl.client, folder)
    const head = await owl.home.advance(owl.client)
    const { vkey } = owl.home.pinned()
    const { size } = await exportLog({ source: nodeLog(owl.client), vkey, head, dir: folder })
    await exportRecords(owl.client, { dir: folder, size })
    const { findings } = await auditLog({
      ...{ hash: sha256, source: folderLog(folder), pinned: { key: openVkey(vkey), verify: verifyEd25519 } },
      ...{ now: new Date(), kept: [], records: folderRecords(folder) },
    })
    expect(findings.find(({ check }) => check === 14)).toMatchObject({ result: 'PASS' })
    expect(findings.filter(({ result }) => result === 'FAIL')).toEqual([])
  })
})
