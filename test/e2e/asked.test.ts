import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runCli } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

const RAW = [
  { type: 'url', raw: 'https://plum.example/a' },
  { type: 'domain', raw: 'fig.example' },
]

let n: TestNode
let plum: Member
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-asked-'))
  n = await aTestNode()
  plum = await n.member('plum')
})
afterAll(async () => {
  await n.end()
  rmSync(dir, { recursive: true, force: true })
})

const aldis = (...args: string[]) => runCli(plum.home.dir, ...args)

test('who asked proves for what: the receipt of the read fits the keys that were kept, and no others', async () => {
  const [raw, asked] = [join(dir, 'met.ndjson'), join(dir, 'asked')]
  writeFileSync(raw, RAW.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const looked = await aldis('lookup', raw, '--keep-asked', asked)
  expect(looked.code, looked.says).toBe(0)
  const [name = '', ...more] = readdirSync(asked)
  expect([name, more]).toEqual([expect.stringMatching(/^read-[0-9a-f-]{36}-0\.keys$/), []])
  const keys = join(asked, name)
  expect(statSync(keys).mode & 0o777).toBe(0o600)
  expect(readFileSync(keys, 'utf8')).toMatch(/^([0-9a-f]{64}\n){2,}$/)

  const receipt = join(plum.home.dir, 'receipts', name.replace('.keys', '.tlog-proof'))
  await vi.waitFor(
    async () => {
      expect((await aldis('receipts')).code).toBe(0)
      expect(statSync(receipt).isFile()).toBe(true)
    },
    { timeout: 20_000, interval: 500 },
  )

  const verified = await aldis('verify', receipt, '--asked', keys)
  expect([verified.code, verified.lines]).toMatchObject([0, [{ passed: true }]])
  expect(verified.lines[0]?.['steps']).toContainEqual({ step: 'what was asked', result: 'PASS' })

  const others = join(dir, 'others.keys')
  writeFileSync(others, readFileSync(keys, 'utf8').split('\n').filter(Boolean).toReversed().join('\n'))
  const refused = await aldis('verify', receipt, '--asked', others)
  expect([refused.code, refused.lines]).toMatchObject([7, [{ passed: false }]])
  expect(refused.lines[0]?.['steps']).toContainEqual({
    ...{ step: 'what was asked', result: 'FAIL', why: 'other keys were asked for, or in another order' },
  })
})

test.each(['--keys', '--private', '--buckets'])('nothing is kept with %s, which asks for no keys', async (how) => {
  const ended = await aldis('lookup', join(dir, 'none.ndjson'), '--keep-asked', join(dir, 'none'), how)
  expect([ended.code, ended.says]).toEqual([2, expect.stringContaining('cannot be used with')])
  expect(readdirSync(dir)).not.toContain('none')
})
