import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { takeReceipts } from '../../../src/cli/participant/receipts.ts'
import type { Client } from '../../../src/client/client.ts'
import { isOf } from '../../../src/client/verify.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { formatVkey } from '../../../src/provenance/note.ts'
import { openWitnessKey } from '../../../src/witness/key.ts'
import { aKey } from '../../provenance/signing.ts'
import { runCli } from '../../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../../support/node.ts'

let n: TestNode
let fig: Member
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-receipts-'))
  n = await aTestNode()
  fig = await n.member('fig')
  // The log has a first checkpoint.
  await submitted('https://fig.example/0')
})
afterAll(async () => {
  await n.end()
  rmSync(dir, { recursive: true, force: true })
})
beforeEach(() => {
  for (const name of ['events.ndjson', 'reads.ndjson', 'receipts', 'witness.policy', 'former'])
    rmSync(join(fig.home.dir, name), { recursive: true, force: true })
})

const kept = (): string[] => {
  const folder = join(fig.home.dir, 'receipts')
  return existsSync(folder) ? readdirSync(folder).toSorted() : []
}

/** A submission with its receipt, and what the node promised of it; noted as `aldis submit` does. */
async function submitted(raw: string): Promise<{ event: string; rec: string; receipt: string }> {
  const item = await fig.item({ type: 'url', raw }, await fig.everybody())
  const { submission, countersignature } = await fig.client.submit(await fig.sign([item]))
  const event = submission ?? expect.fail('not stored')
  const { rec } = JSON.parse(Buffer.from(countersignature?.protected ?? '', 'base64url').toString()) as { rec: string }
  const receipt = (await fig.client.receipt(event)) ?? expect.fail('not published')
  return { event, rec, receipt }
}
const note = ({ event, rec }: { event: string; rec: string }): void =>
  writeFileSync(
    join(fig.home.dir, 'events.ndjson'),
    `${JSON.stringify({ event, rec, at: new Date().toISOString() })}\n`,
  )

/** A run at a node that gives other answers. */
async function given(answers: Partial<Client> = {}) {
  const warned: string[] = []
  const client: Client = { ...fig.client, ...answers }
  const output = {
    json: true,
    ...{ data: () => {}, say: () => {}, warn: (one: string) => void warned.push(one) },
    progress: () => ({ at: () => {}, end: () => {} }),
  }
  const told: object[] = []
  const taken = await takeReceipts({ home: fig.home, client, output }, (one) => void told.push(one))
  return { ...taken, told, warned: warned.join('\n') }
}

test('a receipt that is not the promised one is kept as evidence alone, and the good one is fetched by the next run', async () => {
  const [one, other] = [await submitted('https://fig.example/a'), await submitted('https://fig.example/b')]
  note(one)
  const name = `${one.event}.tlog-proof`
  const refused = `${one.event}.refused`
  const cut = one.receipt.replace(/\nindex (\d+)\n/, (_, index) => `\nindex ${Number(index) + 1}\n`)
  expect(cut).not.toBe(one.receipt)
  for (const [text, why] of [
    [other.receipt, /the entry is another/],
    [cut, /kept as evidence/],
    ['fig', /no receipt/],
  ] as const) {
    const run = await given({ receipt: async () => text })
    expect(run).toMatchObject({ asked: 1, passed: false, told: [{ passed: false }] })
    expect(run.warned).toMatch(why)
    expect(kept()).toEqual([refused])
    expect(readFileSync(join(fig.home.dir, 'receipts', refused), 'utf8')).toBe(text)
  }
  expect(await given()).toMatchObject({ asked: 1, passed: true, told: [{ passed: true, type: 'signal.submitted' }] })
  expect(kept()).toEqual([refused, name].toSorted())
  expect(isOf(readFileSync(join(fig.home.dir, 'receipts', name), 'utf8'), one.rec)).toBe(true)
  expect(await given()).toMatchObject({ asked: 0, passed: true })
})

test('a receipt without the witnesses that are pinned is not kept as one', async () => {
  const head = await fig.home.advance(fig.client)
  const one = await submitted('https://fig.example/c')
  note(one)
  await fig.home.advance(fig.client)
  const { vkey } = openWitnessKey(join(dir, 'w'), 'w.example/w')
  const key = formatVkey(sha256, n.parts.vkey.name, n.parts.vkey.publicKey)
  fig.home.pinPolicy(`log ${key}\nwitness w ${vkey} http://127.0.0.1:1\nquorum w\n`)
  const run = await given({ checkpoint: async () => head.note })
  expect([run, kept()]).toMatchObject([{ asked: 1, passed: false }, [`${one.event}.refused`]])
  expect(run.warned).toMatch(/0 of 1 witnesses/)
})

test('a receipt that is verified under the pinned key, given or not, needs the pinned witnesses; under that of another log none', async () => {
  const { receipt } = await submitted('https://fig.example/v')
  await fig.home.advance(fig.client)
  const { vkey } = openWitnessKey(join(dir, 'v'), 'w.example/w')
  const key = formatVkey(sha256, n.parts.vkey.name, n.parts.vkey.publicKey)
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const [proof, own] = [file('v.tlog-proof', receipt), file('v.vkey', `${key}\n`)]
  const verify = (home: string, ...options: string[]) => runCli(home, 'verify', proof, ...options)
  expect(await verify(fig.home.dir, '--vkey', own)).toMatchObject({ code: 0 })
  fig.home.pinPolicy(`log ${key}\nwitness w ${vkey} http://127.0.0.1:1\nquorum w\n`)
  for (const options of [[], ['--vkey', own]])
    expect(await verify(fig.home.dir, ...options)).toMatchObject({ code: 7, lines: [{ passed: false }] })
  // A folder that follows another log, and none.
  const other = join(dir, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'log.vkey'), `${formatVkey(sha256, n.parts.vkey.name, new Uint8Array(32).fill(7))}\n`)
  writeFileSync(join(other, 'witness.policy'), fig.home.pinnedPolicy() ?? '')
  for (const home of [other, join(dir, 'none')])
    expect(await verify(home, '--vkey', own)).toMatchObject({ code: 0, lines: [{ passed: true }] })
})

test('a promise that the node does not have keeps no other from being fetched; of a submission that is a failure', async () => {
  const one = await submitted('https://fig.example/e')
  const never = '01890000-0000-7000-8000-000000000000'
  const lines = [{ ...one, event: never }, one].map(({ event, rec }) =>
    JSON.stringify({ event, rec, at: '2026-01-01' }),
  )
  writeFileSync(join(fig.home.dir, 'events.ndjson'), `${lines.join('\n')}\n`)
  const run = await given()
  expect(run).toMatchObject({ asked: 2, passed: true, gone: [{ name: never }], told: [{ event: one.event }] })
  expect(run.warned).toContain(`${never}: the node does not have it`)
  expect(await runCli(fig.home.dir, 'receipts')).toMatchObject({ code: 7 })
  const verified = await runCli(fig.home.dir, 'history', '--verify')
  expect([verified.code, verified.lines.at(-1)]).toMatchObject([7, { check: 'promises', result: 'FAIL' }])
  writeFileSync(join(fig.home.dir, 'events.ndjson'), `${lines[1]}\n`)
  const read = { read: `${never}.0 ${one.rec}`, at: new Date().toISOString() }
  writeFileSync(join(fig.home.dir, 'reads.ndjson'), `${JSON.stringify(read)}\n`)
  expect(await runCli(fig.home.dir, 'receipts')).toMatchObject({
    code: 0,
    says: expect.stringContaining('not have it'),
  })
})

test('a receipt of another tree than a log before ended with is kept as evidence, and the others are fetched', async () => {
  const [one, other] = [await submitted('https://fig.example/g'), await submitted('https://fig.example/h')]
  const ended = aKey('node.example.org/provenance/9', new Uint8Array(32).fill(9))
  const noteOf = (size: bigint): string => ended.note({ origin: ended.name, size, root: new Uint8Array(32) })
  const former = join(fig.home.dir, 'former', '9')
  mkdirSync(former, { recursive: true })
  writeFileSync(join(former, 'log.vkey'), `${formatVkey(sha256, ended.name, ended.publicKey)}\n`)
  writeFileSync(join(former, 'log.ended'), `${new Date().toISOString()}\n${noteOf(1n)}`)
  const lines = [one, other].map(({ event, rec }) => JSON.stringify({ event, rec, at: new Date().toISOString() }))
  writeFileSync(join(fig.home.dir, 'events.ndjson'), `${lines.join('\n')}\n`)
  const larger = `${one.receipt.slice(0, one.receipt.indexOf('\n\n'))}\n\n${noteOf(2n)}`
  const run = await given({ receipt: async (event) => (event === one.event ? larger : other.receipt) })
  expect(run).toMatchObject({
    asked: 2,
    passed: false,
    told: [{ passed: false }, { event: other.event, passed: true }],
  })
  expect(run.warned).toContain(`of another tree than ${ended.name} ended with`)
  expect(kept()).toEqual([`${one.event}.refused`, `${other.event}.tlog-proof`].toSorted())
})

test('aldis receipts ends with 7 as often as the node gives another receipt, and with 0 once it gives the promised one', async () => {
  const one = await submitted('https://fig.example/d')
  note({ ...one, rec: Buffer.alloc(32).toString('base64url') })
  for (let i = 0; i < 2; i++) {
    const run = await runCli(fig.home.dir, 'receipts')
    expect([run.code, run.lines, kept()]).toMatchObject([7, [{ passed: false }], [`${one.event}.refused`]])
  }
  const audited = await runCli(fig.home.dir, 'audit', '--log', 'node', '--as', 'fig')
  expect(audited.code).toBe(7)
  expect(JSON.stringify(audited.lines)).toContain('a receipt that was fetched does not verify')
  note(one)
  expect(await runCli(fig.home.dir, 'receipts')).toMatchObject({ code: 0, lines: [{ passed: true }] })
})
