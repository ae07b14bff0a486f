import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { auditOwn } from '../../src/cli/participant/audit-own.ts'
import { openHistory } from '../../src/client/kept-history.ts'
import { nodeLog } from '../../src/client/log-source.ts'
import { openVkey } from '../../src/client/verify.ts'
import { writeDurably } from '../../src/kernel/durable.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { checkpointText } from '../../src/provenance/checkpoint.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { judgeEvidence, parseEvidence } from '../../src/provenance/evidence.ts'
import { formatNote, formatVkey, signatureLine } from '../../src/provenance/note.ts'
import { openVerified } from '../../src/provenance/verified-log.ts'
import { entriesOf, forge, LOG_KEY, ORIGIN } from '../provenance/forge.ts'
import { flipped } from '../provenance/vectors.ts'
import { CLI } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

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
    const all = [CLI, '--home', apple.home.dir, ...args]
    execFile(process.execPath, all, (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }))
  })

const written = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const policy = () => written('policy', `log ${apple.home.pinned().vkey.trim()}\nquorum none\n`)
/** A link that says of itself that its entry is the next one. */
const moved = (line: string): string[] => [
  line.replace(/"index":"(\d+)"/, (_, index: string) => `"index":"${Number(index) + 1}"`),
]
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

describe('our own records', { timeout: 120_000 }, () => {
  const says = ({ out }: Ran): string[] =>
    (JSON.parse(out) as { checks: { check: number; result: string }[] }).checks.map(
      ({ check, result }) => `${check} ${result}`,
    )
  const all = (result: string): string[] => [5, 6, 8, 14].map((n) => `${n} ${result}`)
  const four = ['1 PASS', '2 PASS', '3 PASS', '4 PASS']

  test('pass as the node gives the log out, and from the files, and the report says what was checked', async () => {
    const audit = await aldis('--json', 'audit', '--log', 'node', '--policy', policy(), '--as', 'apple')
    expect([audit.code, says(audit)]).toEqual([0, [...four, ...all('PASS')]])
    // An entry that comes between the two would leave the folder behind what we know of the log.
    const isLevel = async (): Promise<boolean> => {
      await aldis('log', 'export', dir)
      await aldis('history')
      const size = readFileSync(join(dir, 'checkpoint'), 'utf8').split('\n')[1]
      return size === String(apple.home.pinned().head?.size)
    }
    await expect.poll(isLevel, { timeout: 20_000, interval: 500 }).toBe(true)
    const again = await aldis('audit', '--log', dir, '--policy', policy(), '--as', 'apple')
    expect(again.out).toMatch(/PASS +8 {2}chains +[0-9]+ links of ours, gapless from the first/)
    expect(again).toMatchObject({ code: 0, err: '' })
  })
  test('are unknown where the folder has none yet; of another they are not asked: exit code 78', async () => {
    const other = await aldis('audit', '--log', dir, '--as', 'banana')
    expect([other.code, other.err]).toEqual([78, expect.stringContaining('is not of banana')])
    const key = openVkey(apple.home.pinned().vkey)
    const head = await apple.home.advance(apple.client)
    const { tile } = await openVerified(sha256, nodeLog(apple.client), head)
    const empty = { home: { ...apple.home, dir: join(folder, 'empty') }, me: 'apple', key, now: new Date() }
    const findings = await auditOwn(empty, { ...head, origin: key.name }, tile)
    expect(findings.map(({ check, result }) => `${check} ${result}`)).toEqual(all('UNKNOWN'))
  })
  test('stay unknown where a receipt was never fetched and the node is not asked; where it is, a promise without one fails', async () => {
    const { home, client } = apple
    const key = openVkey(home.pinned().vkey)
    const head = await home.advance(client)
    await openHistory(home.dir, { party: 'apple', origin: key.name }).extend(client, head)
    const { tile } = await openVerified(sha256, nodeLog(client), head)
    const notes = join(home.dir, 'events.ndjson')
    const promised = { event: '01890000-0000-7000-8000-000000000000', rec: 'A'.repeat(43), at: '2026-01-01T00:00:00Z' }
    writeFileSync(notes, `${JSON.stringify(promised)}\n`)
    const audited = async (node: object) => {
      const own = { ...{ home, me: 'apple', key, now: new Date() }, ...node }
      const findings = await auditOwn(own, { ...head, origin: key.name }, tile)
      return findings.map(({ check, result, says }) => [check, result, says] as const)
    }
    const [offline, asked] = [await audited({}), await audited({ client })]
    rmSync(notes)
    expect(offline.map(([check, result]) => `${check} ${result}`)).toEqual([
      '5 UNKNOWN',
      '6 PASS',
      '8 PASS',
      '14 UNKNOWN',
    ])
    expect(offline[0]?.[2]).toContain('1 of our promises have no receipt yet: run aldis receipts')
    expect(asked.find(([check]) => check === 5)?.[1]).toBe('FAIL')
  })
  test.for<[what: string, check: number, forge: (line: string) => string[]]>([
    ['a link that is left out', 8, () => []],
    ['a link that is told twice', 8, (line) => [line, line]],
    ['a link at another place of the log', 5, moved],
    ['a field of another record', 6, (line) => [line.replace(/"disclosures":\["/, '"disclosures":["AAAA","')]],
  ])('%s fails check %i alone', async ([, number, forge]) => {
    const { home, client } = apple
    const key = openVkey(home.pinned().vkey)
    const head = await home.advance(client)
    await openHistory(home.dir, { party: 'apple', origin: key.name }).extend(client, head)
    const log = await openVerified(sha256, nodeLog(client), head)
    const at = join(home.dir, 'history', '1')
    const [chain, place] = [readFileSync(join(at, 'chain.ndjson')), readFileSync(join(at, 'place.json'), 'utf8')]
    const lines = chain.toString().trimEnd().split('\n')
    const forged = `${lines.flatMap((line, i) => (i === 1 ? forge(line) : [line])).join('\n')}\n`
    writeFileSync(join(at, 'chain.ndjson'), forged)
    const bytes = Buffer.byteLength(forged)
    writeFileSync(join(at, 'place.json'), JSON.stringify({ ...(JSON.parse(place) as object), bytes }))
    const own = { home, me: 'apple', key, now: new Date() }
    const findings = await auditOwn(own, { ...head, origin: key.name }, log.tile).finally(() => {
      writeFileSync(join(at, 'chain.ndjson'), chain)
      writeFileSync(join(at, 'place.json'), place)
    })
    expect(findings.filter(({ result }) => result === 'FAIL').map(({ check }) => check)).toEqual([number])
  })
})

describe('a head that another member was shown', { timeout: 120_000 }, () => {
  const signed = async (size: bigint): Promise<string> => {
    const { origin, keys, logId, vkey } = n.parts
    const text = checkpointText({ origin, size, root: new Uint8Array(32) })
    const signature = await keys.sign(`log-${logId}`, Buffer.from(text))
    return formatNote(text, [signatureLine(sha256, { name: origin, publicKey: vkey.publicKey, signature })])
  }
  test('is compared with ours: exit code 0 for the same log, 7 and evidence for another history', async () => {
    const compare = (file: string) => aldis('evidence', 'compare', file)
    const same = await compare(written('theirs', await apple.client.checkpoint()))
    expect(same).toMatchObject({ code: 0, out: expect.stringContaining('both heads are of one log') })
    const other = await compare(written('theirs', await signed(2n)))
    expect(other.code).toBe(7)
    const [, file = ''] = /\. (\S+) holds both/.exec(other.err) ?? []
    expect(await aldis('evidence', file)).toMatchObject({ code: 9, out: expect.stringMatching(/^UNKNOWN/) })
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
