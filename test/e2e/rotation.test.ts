import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNode, type Node } from '../../src/app.ts'
import { auditLog } from '../../src/audit/audit.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { HEAD_FILE, HEAD_LOCK, lockOf } from '../../src/client/heads.ts'
import { type Home, openHome } from '../../src/client/home.ts'
import { openHistory } from '../../src/client/kept-history.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { folderLog, nodeLog } from '../../src/client/log-source.ts'
import { endedAt, keyOfReceipt, openNextLog } from '../../src/client/next-log.ts'
import { readersOf } from '../../src/client/readers.ts'
import { exportRecords, exportSnapshot, folderRecords } from '../../src/client/record-files.ts'
import { checkReceipt, openVkey, readName } from '../../src/client/verify.ts'
import { openBase } from '../../src/core.ts'
import { stop } from '../../src/http/shutdown.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Uuid } from '../../src/kernel/ids.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { chainsHash, entryOf } from '../../src/provenance/chain.ts'
import { checkpointText } from '../../src/provenance/checkpoint.ts'
import { commitment } from '../../src/provenance/commitment.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { parseEvidence } from '../../src/provenance/evidence.ts'
import { leafHash } from '../../src/provenance/merkle.ts'
import { formatNote, formatVkey, signatureLine, type VerifierKey } from '../../src/provenance/note.ts'
import { chainDigestsOf, formatReceipt, parseReceipt } from '../../src/provenance/receipt.ts'
import { runCli } from '../support/cli.ts'
import { aTestNode, type Member, type TestNode } from '../support/node.ts'

let n: TestNode
let apple: Member
let plum: Member
let owl: Member
let later: { node: Node; partner: string } | undefined
const folder = mkdtempSync(join(tmpdir(), 'aldis-test-'))

beforeAll(async () => {
  n = await aTestNode()
  apple = await n.member('apple')
  plum = await n.member('plum')
  owl = await n.member('owl', { kind: 'observer', scopes: ['provenance:read', 'provenance:audit'] })
})
afterAll(async () => {
  if (later !== undefined) await stop(later.node.shutdown, { log: silentLog, noticeMs: 0, requestsMs: 1_000 })
  await n?.end()
  rmSync(folder, { recursive: true, force: true })
})

const item = async (raw: string) => apple.item({ type: 'url', raw }, await apple.everybody())
const signed = async (raw: string) => apple.sign([await item(raw)])

/** The member's client at the node that was started after the rotation. */
function clientOf(member: Member, log: number) {
  const { home } = member
  const identity = { key: home.tlsKey(), cert: home.certificate(), ca: readFileSync(join(home.dir, 'ca.crt'), 'utf8') }
  return createClient({ origin: later?.partner ?? '', ...identity, log })
}

test('a rotated node serves both logs, and proves to a source who read signals of either; a member follows with the announced key alone, when nobody keeps a head, and keeps what is of the old one, its chain in it to the end', async () => {
  const shared = await item('https://finch.example/1')
  const first = await apple.client.submit(await apple.sign([shared]))
  const event = first.submission ?? expect.fail('not stored')
  const oldKey = openVkey(await apple.client.logKey())
  await apple.client.receipt(event)
  const kept = await apple.home.advance(apple.client)
  expect(kept.size).toBeGreaterThan(0n)
  await obtainsBefore()
  // Prepared before, sent after: a signature outlives the log that it was meant for.
  const second = await signed('https://finch.example/2')

  const { origin, next } = await n.parts.nextLog()
  await n.decide('log.rotate', { log: origin, next, reason: 'key_compromise' })
  const base = await openBase({ config: n.parts.config, clock: systemClock, log: silentLog })
  const node = await createNode(base, silentLog, { measuring: { loopDelayMs: 60_000 } })
  later = { node, partner: (await node.listen()).partner }
  expect([node.parts.logId, node.parts.origin]).toEqual([2, next])

  let laterEvent = ''
  const [old, present] = [clientOf(apple, 1), clientOf(apple, 2)]
  try {
    const result = await present.submit(second)
    expect(result.receipt).toBe(`/provenance/2/receipts/${result.submission}`)
    const newKey = openVkey(await present.logKey())
    expect(newKey.name).toBe(next)
    laterEvent = result.submission ?? expect.fail('not stored')
    const receipt = (await present.receipt(laterEvent)) ?? expect.fail('no receipt')
    expect(checkReceipt(receipt, newKey).passed).toBe(true)
    expect(checkReceipt(receipt, oldKey).passed).toBe(false)
    // The old receipt is still given, under the old key, whichever log is asked.
    for (const client of [old, present]) {
      const former = (await client.receipt(event)) ?? expect.fail('no receipt')
      expect(checkReceipt(former, oldKey).passed).toBe(true)
    }
    expect((await old.checkpoint()).split('\n')[0]).toBe(origin)
    expect((await present.checkpoint()).split('\n')[0]).toBe(next)

    const reader = clientOf(plum, 2)
    const feeds = (await reader.feeds()).feeds
    const seen: string[] = []
    await expect
      .poll(
        async () => {
          seen.length = 0
          for (const { feed, start } of feeds) {
            const { events } = await reader.events(feed, { cursor: start })
            seen.push(...events.map(({ signal }) => signal))
          }
          return seen.length
        },
        { timeout: 20_000 },
      )
      .toBe(2)
    reader.close()
    await provesReads(present, seen)
  } finally {
    old.close()
    present.close()
  }

  const dir = apple.home.dir
  const membership = JSON.parse(readFileSync(join(dir, 'membership.json'), 'utf8')) as object
  writeFileSync(join(dir, 'membership.json'), JSON.stringify({ ...membership, node: later?.partner }))
  const home = openHome(dir)
  const before = home.pinned()
  const asker = clientOf(apple, 2)
  const vkey = await asker.logKey().finally(() => asker.close())
  const other = `${vkey.slice(0, -6)}AAAAAA`
  await expect(openNextLog(home, other)).rejects.toMatchObject({ name: 'VerificationFailed' })
  await expect(openNextLog(home, before.vkey)).rejects.toThrow('does not follow')
  await keepsWhatContradicts(home, vkey)
  expect(home.pinned()).toEqual(before)
  const found = await openNextLog(home, vkey)
  expect(found).toMatchObject({ origin: next, reason: 'key_compromise', lost: 0n })
  expect(home.pinned()).toEqual(before)
  // A head that was kept since then was not looked at; and whoever keeps one is waited for.
  await refusesWithoutChain(home, vkey)
  expect(home.pinned()).toEqual(before)
  const headFile = join(dir, HEAD_FILE)
  rmSync(headFile)
  await expect(found.accept()).rejects.toMatchObject({ code: 'home-in-use' })
  writeFileSync(headFile, before.head?.note ?? '')
  const letGo = await lockOf(join(dir, HEAD_LOCK))
  const accepted = found.accept()
  await delay(50)
  expect(home.pinned()).toEqual(before)
  await letGo()
  await accepted
  expect(home.pinned()).toEqual({ vkey: `${vkey}\n`, head: undefined })
  expect(readFileSync(join(dir, 'former', '1', 'log.vkey'), 'utf8')).toBe(before.vkey)
  expect(readFileSync(join(dir, 'former', '1', 'log.checkpoint'), 'utf8')).toBe(before.head?.note)
  // Receipts of both logs verify, each under its own key.
  const client = home.connect()
  for (const [id, log] of [
    [event, origin],
    [laterEvent, next],
  ] as const) {
    const text = (await client.receipt(id)) ?? expect.fail('no receipt')
    const key = keyOfReceipt(home, text)
    expect([key.name, checkReceipt(text, key).passed]).toEqual([log, true])
  }
  // But none of a tree that the log of its key did not have.
  const [text, ended] = [(await client.receipt(event)) ?? '', join(dir, 'former', '1', 'log.ended')]
  expect(endedAt(home, oldKey)?.getTime()).toBeLessThanOrEqual(Date.now())
  const noted = readFileSync(ended, 'utf8')
  rmSync(join(dir, 'former', '1', 'log.checkpoint'))
  expect(keyOfReceipt(home, text).name).toBe(oldKey.name)
  writeFileSync(ended, noted.slice(0, noted.indexOf('\n') + 1))
  expect(() => keyOfReceipt(home, text)).toThrow('of another tree')
  writeFileSync(ended, noted)
  expect((await home.advance(client)).size).toBeGreaterThan(0n)
  client.close()
  await tellsBoth(home, { origin, next, signal: shared.signal })
  await holdsFormer(home, { event, text, oldKey })
  await auditsBoth(oldKey, openVkey(vkey))
})

/** Plum reads the feed, in a batch behind all that apple has looked at. */
async function obtainsBefore(): Promise<void> {
  for (const { feed, start } of (await plum.client.feeds()).feeds) {
    const { events, read } = await plum.client.events(feed, { cursor: start, wait: 5 })
    const { id = '', place = '' } = readName(read) ?? {}
    if (events.length > 0) expect(await plum.client.receipt(id, { read: place })).toBeDefined()
  }
}

/** A node that no longer gives out our chain in the log that ended, of which the folder has nothing. */
async function refusesWithoutChain(home: Home, vkey: string): Promise<void> {
  const connect: Home['connect'] = (log) => {
    const client = home.connect(log)
    return { ...client, chain: () => client.chain({ after: 0n, party: 'plum' }) }
  }
  const next = await openNextLog({ ...home, connect }, vkey)
  await expect(next.accept()).rejects.toMatchObject({ name: 'VerificationFailed', step: 'chain head' })
}

/** Who obtained something by the log that ended is told beside the present one's, also in a folder that went over without its chain. */
async function tellsBoth(
  { dir }: Home,
  { origin, next, signal }: { origin: string; next: string; signal: string },
): Promise<void> {
  const former = openHistory(dir, { party: 'apple', origin })
  const [before] = await readersOf(former.entries(), 'apple')
  expect(before).toMatchObject({ reader: 'plum' })
  const dsa = () => runCli(dir, 'report', 'dsa', '--from', '2026-01-01', '--to', '2026-01-02')
  for (const has of [true, false]) {
    if (!has) rmSync(join(dir, 'history', '1'), { recursive: true })
    if (!has) expect(await dsa()).toMatchObject({ code: 78, says: expect.stringContaining(`lacks links of ${origin}`) })
    const { code, lines } = await runCli(dir, 'readers', '--verify')
    const [, chain, , verdict, ...readers] = lines
    const ended = `${origin} to its end at ${former.place.size}`
    const says = expect.stringContaining(ended)
    expect([code, chain, verdict]).toMatchObject([0, { says }, { check: 'readers', result: 'PASS', says }])
    expect(readers).toMatchObject([{ reader: 'plum', first: before?.first }])
    expect(String(readers[0]?.['last']) > String(before?.last)).toBe(true)
    const { lines: links } = await runCli(dir, 'history')
    expect(new Set(links.map(({ log }) => log))).toEqual(new Set([origin, next]))
    expect(links[0]).toMatchObject({ log: origin, seq: '1' })
    expect((await dsa()).lines).toMatchObject([{ log: { origin: next }, former: [{ origin }] }])
  }
  const { lines: proofs } = await runCli(dir, 'readers', '--signal', signal)
  expect(proofs.map(({ time }) => time)).toContain(before?.first)
}

/** A receipt that the closed key signs anew, of a smaller tree than its log ended with, is held against our chain in that log. */
async function holdsFormer(
  { dir, keepReceipt }: Home,
  { event, text, oldKey }: { event: string; text: string; oldKey: VerifierKey },
): Promise<void> {
  const verdict = async () => (await runCli(dir, 'history', '--verify')).lines.at(-1)
  const heldBefore = async (): Promise<number> => {
    const { result, says } = (await verdict()) ?? {}
    expect(result).toBe('PASS')
    return Number(/([0-9]+) are in our chains in logs before/.exec(String(says))?.[1] ?? 0)
  }
  const others = await heldBefore()
  const path = keepReceipt(event, text)
  expect(await heldBefore()).toBe(others + 1)
  const receipt = parseReceipt(text) ?? expect.fail('no receipt')
  const digests = chainDigestsOf(sha256, receipt.extra) ?? expect.fail('no chains')
  const entry = entryOf(sha256, commitment(sha256, receipt.extra.payload), chainsHash(sha256, digests))
  const head = checkpointText({ origin: oldKey.name, size: 1n, root: leafHash(sha256, entry) })
  const signature = await n.parts.keys.sign('log-1', Buffer.from(head))
  const checkpoint = formatNote(head, [signatureLine(sha256, { ...oldKey, signature })])
  const forged = formatReceipt({ extra: receipt.extra, index: 0n, path: [], checkpoint })
  expect(checkReceipt(forged, oldKey).passed).toBe(true)
  writeFileSync(path, forged)
  expect(await verdict()).toMatchObject({ result: 'FAIL', says: `chain promise: the chain leaves ${event} out` })
  rmSync(path)
}

/** A head that the log did not end with is evidence, in the folder of whoever holds it. */
async function keepsWhatContradicts(home: Home, vkey: string): Promise<void> {
  const file = join(home.dir, HEAD_FILE)
  const [kept, key] = [readFileSync(file, 'utf8'), openVkey(home.pinned().vkey)]
  const text = checkpointText({ origin: key.name, size: 1n, root: new Uint8Array(32) })
  const signature = await n.parts.keys.sign('log-1', Buffer.from(text))
  writeFileSync(file, formatNote(text, [signatureLine(sha256, { ...key, signature })]))
  await expect(openNextLog(home, vkey)).rejects.toMatchObject({ name: 'LogContradicted' })
  const [evidence = ''] = readdirSync(join(home.dir, 'evidence'))
  expect(parseEvidence(readFileSync(join(home.dir, 'evidence', evidence), 'utf8'))?.notes).toHaveLength(2)
  writeFileSync(file, kept)
}

/** What `aldis log export --records` writes of one log. */
async function exported(client: Client, key: VerifierKey, snapshot: boolean): Promise<string> {
  const dir = join(folder, key.name.replaceAll('/', '-'))
  if (snapshot) await exportSnapshot(client, dir)
  const vkey = formatVkey(sha256, key.name, key.publicKey)
  const { size } = await exportLog({ source: nodeLog(client), vkey, dir })
  await exportRecords(client, { dir, size })
  return dir
}

/** Who read a feed after the rotation is proven to the source, of signals that the log before brought there too. */
async function provesReads(present: Client, signals: readonly string[]): Promise<void> {
  const proven = async () => {
    const found = new Set<string>()
    for await (const line of present.chain({ after: 0n })) {
      const { event } = JSON.parse(line) as { event: Uuid }
      for (const item of signals)
        if ((await present.itemReceipt(event, { item: item as Uuid })) !== undefined) found.add(item)
    }
    return found
  }
  await expect.poll(proven, { timeout: 30_000, interval: 500 }).toEqual(new Set(signals))
}

/** The log before is given to auditors too; with its export the checks of the present one go on from it. */
async function auditsBoth(oldKey: VerifierKey, newKey: VerifierKey): Promise<void> {
  const [former, present] = [clientOf(owl, 1), clientOf(owl, 2)]
  try {
    await expect(Array.fromAsync(former.snapshot())).rejects.toMatchObject({ code: 'state-conflict' })
    await expect(Array.fromAsync(present.chain({ after: 0n, party: 'banana' }))).resolves.toEqual([])
    const own = await Array.fromAsync(former.chain({ after: 0n, party: 'apple' }))
    expect(own.length).toBeGreaterThan(0)
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from prov_record where kind = 'audit.read'`.execute(n.t.owner)
    expect(rows).toEqual([{ n: 2 }])

    const before = await exported(former, oldKey, false)
    const now = await exported(present, newKey, true)
    const audit = (previous: string[]) =>
      auditLog({
        ...{ hash: sha256, source: folderLog(now), pinned: { key: newKey, verify: verifyEd25519 } },
        ...{ now: new Date(), kept: [], records: folderRecords(now) },
        previous: previous.map((dir) => ({ source: folderLog(dir), records: folderRecords(dir).records })),
      })
    const from = (least: number, { findings }: Awaited<ReturnType<typeof audit>>) =>
      findings.filter(({ check }) => check >= least)
    // Reports are of one log alone.
    const continuing = (result: Awaited<ReturnType<typeof audit>>) => from(10, result).filter(({ check }) => check < 16)
    const continued = (result: Awaited<ReturnType<typeof audit>>) =>
      new Set(continuing(result).map((finding) => finding.result))
    const alone = await audit([])
    expect(from(5, alone).filter(({ result }) => result === 'FAIL')).toEqual([])
    expect(continued(alone)).toEqual(new Set(['UNKNOWN']))
    const both = await audit([before])
    expect(from(5, both).filter(({ check, result }) => result !== 'PASS' && check !== 15)).toEqual([])
    // What is none of the log before says nothing of this one.
    const other = await audit([now])
    expect(continued(other)).toEqual(new Set(['UNKNOWN']))
    // A record of the log before that is another than its tree has is not built upon.
    const [file = ''] = readdirSync(join(before, 'records'))
    const path = join(before, 'records', file)
    writeFileSync(path, readFileSync(path, 'utf8').replace('"chains":["', '"chains":["AAAA'))
    const forged = continuing(await audit([before]))
    expect(forged.map(({ result }) => result)).not.toContain('PASS')
    expect(forged[0]?.says).toContain('does not make its tree')
  } finally {
    former.close()
    present.close()
  }
}
