import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../src/client/log-source.ts'
import { exportRecords, exportSnapshot, folderRecords } from '../../src/client/record-files.ts'
import { openVkey } from '../../src/client/verify.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

const folder = mkdtempSync(join(tmpdir(), 'aldis-values-'))
const RAW = 'https://bad.example/kumquat'
let n: TestNode
let apple: Member
let banana: Member
let owl: Member
beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  banana = await n.member('banana')
  owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

/** The command line as a process of its own, in the folder of the member. */
const aldis = ({ home }: Member, ...args: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI, '--home', home.dir, ...args], (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    )
  })
const fileOf = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const COLLECTED = ['--region', 'IE', '--legal-basis', 'terms_of_service', '--surface', 'public']

test('a link is sealed with its file, revealed as text, found by its source, and in nothing that is exported', {
  timeout: 120_000,
}, async () => {
  const lines = [
    { type: 'url', raw: RAW, seal: true },
    { type: 'url', raw: 'https://bad.example/?to=fig@mail.example', seal: true },
    { type: 'url', raw: 'https://bad.example/open' },
    { type: 'email', raw: 'fig@mail.example', seal: true },
  ]
  const found = fileOf('found.ndjson', lines.map((line) => JSON.stringify(line)).join('\n'))
  const shared = await aldis(apple, '--json', 'submit', found, ...COLLECTED)
  const told = shared.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(told.filter(({ outcome }) => outcome === 'created')).toHaveLength(3)
  expect(told).toContainEqual({ line: 4, outcome: 'refused', reason: expect.stringContaining('`seal`') })
  expect(told).toContainEqual(expect.objectContaining({ line: 2, outcome: 'not-sealed', code: 'raw-identifier' }))
  const [signal, , open] = told.filter(({ outcome }) => outcome === 'created').map((one) => String(one['signal']))
  const ask = (...args: string[]) => aldis(banana, ...args, 'reveal', String(signal), '--purpose', 'investigation')
  let answer = await ask()
  for (let tries = 0; tries < 20 && answer.code !== 0; tries++) {
    await delay(250)
    answer = await ask()
  }
  expect(answer).toMatchObject({
    ...{ code: 0, out: 'hxxps[:]//bad[.]example/kumquat\n', err: expect.stringContaining('not checked') },
  })
  expect(JSON.parse((await ask('--json')).out)).toMatchObject({ value: RAW, source: 'apple', checked: false })

  const link = fileOf('link.txt', 'https://bad.example/open\n')
  expect(await aldis(apple, 'seal', String(open), link)).toMatchObject({ code: 0 })
  expect((await aldis(apple, 'seal', String(open), '--remove')).out).toContain('its value is gone')
  expect((await aldis(apple, 'seal', String(open), fileOf('other.txt', RAW))).code).not.toBe(0)
  expect((await ask()).code).toBe(0)

  await exportSnapshot(owl.client, folder)
  const head = await owl.home.advance(owl.client)
  const { vkey } = owl.home.pinned()
  const { size } = await exportLog({ source: nodeLog(owl.client), vkey, head, dir: folder })
  await exportRecords(owl.client, { dir: folder, size })
  const { findings } = await auditLog({
    ...{ hash: sha256, source: folderLog(folder), pinned: { key: openVkey(vkey), verify: verifyEd25519 } },
    ...{ now: new Date(), kept: [], records: folderRecords(folder) },
  })
  expect(findings.filter(({ result }) => result === 'FAIL')).toEqual([])
  expect(findings.find(({ check }) => check === 17)).toMatchObject({
    result: 'PASS',
    says: expect.stringMatching(/^2 /),
  })
  for (const dir of ['records', 'tile'].map((name) => join(folder, name)))
    for (const name of readdirSync(dir, { recursive: true, withFileTypes: true }))
      if (name.isFile()) expect(readFileSync(join(name.parentPath, name.name)).includes('kumquat')).toBe(false)
  expect(n.logged()).not.toContain('kumquat')
  expect((await aldis(apple, 'history')).out).toContain('value.revealed')
  await expect
    .poll(async () => (await aldis(apple, 'readers')).out, { timeout: 30_000, interval: 500 })
    .toContain('banana')
})
