import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { writeDurably } from '../../src/client/files.ts'
import { openVkey } from '../../src/client/verify.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { judgeEvidence, parseEvidence } from '../../src/provenance/evidence.ts'
import { formatVkey } from '../../src/provenance/note.ts'
import { entriesOf, forge, LOG_KEY, ORIGIN } from '../provenance/forge.ts'
import { flipped } from '../provenance/vectors.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

const CLI = join(import.meta.dirname, '../../src/cli/main.ts')

let n: TestNode
let apple: Member
let folder: string
let dir: string
let runs = 0
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aldis-audit-'))
  n = await aTestNode()
  apple = await n.member('apple')
  const item = await apple.item({ type: 'url', raw: 'https://bad.example/a' }, await apple.everybody())
  const { submission } = await apple.client.submit(await apple.sign([item]))
  await apple.client.receipt(submission ?? '')
  // What it compares with later, whichever test comes first.
  await apple.home.advance(apple.client)
})
beforeEach(() => {
  runs += 1
  dir = join(folder, `log-${runs}`)
})
afterAll(async () => {
  await n.end()
  rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  code: number
  out: string
  err: string
}

/** The command line as a process of its own, in the folder of the member. */
const aldis = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const all = ['--import', 'tsx', CLI, '--home', apple.home.dir, ...args]
    execFile(process.execPath, all, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }))
  })

const written = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const policy = () => written('policy', `log ${apple.home.pinned().vkey.trim()}\nquorum none\n`)
const results = ({ out }: Ran): string =>
  (JSON.parse(out) as { checks: { result: string }[] }).checks.map(({ result }) => result).join(' ')

describe('the log of a node', { timeout: 60_000 }, () => {
  test('is exported into a folder, and passes its audit there without the node', async () => {
    const exported = await aldis('log', 'export', dir)
    expect(exported).toMatchObject({ code: 0, err: '' })
    expect(exported.out).toMatch(/entries under the signed root; \d+ files fetched, 0 were there/)
    expect(readdirSync(dir).sort()).toEqual(['checkpoint', 'tile', 'vkey'])
    const audit = await aldis('audit', '--log', dir, '--policy', policy())
    expect(audit).toMatchObject({ code: 0, err: '' })
    expect(
      audit.out
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 9).trim()),
    ).toEqual([...['PASS    1', 'PASS    2', 'PASS    3', 'PASS    4', 'PASS: nod']])
  })
  test('passes its audit as the node gives it out', async () => {
    const audit = await aldis('--json', 'audit', '--log', 'node', '--policy', policy())
    expect([audit.code, results(audit)]).toEqual([0, 'PASS PASS PASS PASS'])
  })
  test('is unknown where nothing is given to compare with: exit code 9', async () => {
    await aldis('log', 'export', dir)
    const audit = await aldis('--json', 'audit', '--log', dir, '--vkey', join(dir, 'vkey'))
    expect([audit.code, results(audit)]).toEqual([9, 'PASS UNKNOWN PASS UNKNOWN'])
  })
  test('fails with one bit turned: exit code 7, and the report names file and entry', async () => {
    await aldis('log', 'export', dir)
    const { size } = apple.home.pinned().head ?? expect.fail('no head')
    const bundle = join(dir, `tile/entries/000.p/${size}`)
    writeFileSync(bundle, flipped(readFileSync(bundle), 8 * 40))
    const report = join(folder, 'failed.json')
    const audit = await aldis('audit', '--log', dir, '--report', report)
    expect(audit.code).toBe(7)
    expect(audit.out).toContain('FAIL    3')
    const { checks } = JSON.parse(readFileSync(report, 'utf8')) as { checks: object[] }
    expect(checks[2]).toMatchObject({ result: 'FAIL', at: `tile/entries/000.p/${size}`, entry: '1' })
  })
})

describe('a log that was made elsewhere', { timeout: 60_000 }, () => {
  const put = (size: number, tag?: string): void => {
    for (const [path, data] of forge(entriesOf(size, tag)).files) {
      const file = join(dir, path)
      writeDurably(file, data)
    }
    writeFileSync(join(dir, 'vkey'), formatVkey(sha256, ORIGIN, LOG_KEY.publicKey))
  }

  test('and rewritten leaves evidence beside the report', async () => {
    put(600)
    const kept = written('kept', forge(entriesOf(300, 'fig')).note)
    const report = join(folder, 'rewritten.json')
    const audit = await aldis('audit', '--log', dir, '--vkey', join(dir, 'vkey'), '--kept', kept, '--report', report)
    expect(audit.code).toBe(7)
    expect(audit.out).toContain('the log was rewritten')
    const [file = ''] = readdirSync(`${report}.evidence`)
    const evidence = parseEvidence(readFileSync(join(`${report}.evidence`, file), 'utf8')) ?? expect.fail('no evidence')
    expect(evidence.notes).toEqual([readFileSync(kept, 'utf8'), readFileSync(join(dir, 'checkpoint'), 'utf8')])
    const key = openVkey(readFileSync(join(dir, 'vkey'), 'utf8'))
    expect(judgeEvidence(evidence, { hash: sha256, key, verify: verifyEd25519 }).outcome).toBe('claimed')
  })
  test('is not read twice where a state stands beside the report', async () => {
    put(600)
    const report = join(folder, 'twice.json')
    const again = () => aldis('audit', '--log', dir, '--vkey', join(dir, 'vkey'), '--report', report)
    expect((await again()).out).not.toContain('earlier run')
    expect(existsSync(`${report}.state`)).toBe(true)
    rmSync(join(dir, 'tile/entries/000'))
    expect((await again()).out).toContain('the first 512 of them were read on an earlier run')
    rmSync(`${report}.state`)
    expect(await again()).toMatchObject({ code: 7, out: expect.stringContaining('tile/entries/000 is not there') })
  })
  test.for<[what: string, args: string[], says: string]>([
    ['a key that is none', ['--vkey', 'package.json'], 'not a verifier key'],
    ['a key that is not there', ['--vkey', 'none/such'], 'is missing'],
    ['a policy that is none', ['--policy', 'package.json'], 'line 1'],
    ['a kept checkpoint that is not there', ['--kept', 'none/such'], 'is missing'],
  ])('is not audited with %s', async ([, args, says]) => {
    put(1)
    const audit = await aldis('audit', '--log', dir, ...args)
    expect([7, 78]).toContain(audit.code)
    expect(audit.err).toContain(says)
    expect(audit.out).toBe('')
  })
})
