import { describe, expect, test } from 'vitest'
import { auditLog } from '../../src/audit/audit.ts'
import { linesOf, parseState, reportOf, stateText } from '../../src/audit/report.ts'
import { toBase64 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { entriesOf, fileOf, forge, LOG_KEY, ORIGIN, sourceOf, with_ } from '../provenance/forge.ts'
import { flipped } from '../provenance/vectors.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const log = forge(entriesOf(300))
const auditOf = (forged = log, kept = [forge(entriesOf(10, 'fig')).note]) =>
  auditLog({
    ...{ hash: sha256, source: sourceOf(forged), pinned: { key: LOG_KEY.vkey, verify: verifyEd25519 }, now: NOW },
    kept: kept.map((note) => ({ name: 'kept', note })),
  })

test('machines read each check, where it failed, the log and what contradicts it', async () => {
  const path = 'tile/entries/000'
  const audit = await auditOf(with_(log, path, flipped(fileOf(log, path), 8 * 40)))
  expect(JSON.parse(JSON.stringify(reportOf(audit, NOW)))).toEqual({
    ...{ v: 1, at: '2026-03-01T12:00:00.000Z', result: 'FAIL' },
    log: { origin: ORIGIN, size: '300', root: toBase64(log.root) },
    checks: [
      { check: 1, title: 'checkpoint', result: 'PASS', says: `${ORIGIN} signed a log of 300 entries` },
      { check: 2, title: 'witnesses', result: 'UNKNOWN', says: expect.stringContaining('no policy') },
      { check: 3, title: 'tree', result: 'FAIL', says: expect.stringContaining(path), at: path, entry: '1' },
      { check: 4, title: 'history', result: 'FAIL', says: expect.stringContaining('rewritten'), at: 'kept' },
    ],
    contradictions: [[forge(entriesOf(10, 'fig')).note, log.note]],
  })
})

test('people read a line for each check, and the whole at the end', async () => {
  const lines = linesOf(await auditOf(log, []))
  expect(lines.map((line) => line.slice(0, 20))).toEqual([
    'PASS    1  checkpoin',
    'UNKNOWN 2  witnesses',
    'PASS    3  tree     ',
    'UNKNOWN 4  history  ',
    'UNKNOWN: node.exampl',
  ])
})

test('numbers, titles and sentences stand below one another', () => {
  const finding = { result: 'PASS', says: 'it holds' } as const
  const findings = [
    { ...finding, check: 9, title: 'parties' },
    { ...finding, check: 17, title: 'sealed values' },
  ]
  expect(linesOf({ result: 'PASS', findings, head: undefined, contradictions: [] })).toEqual([
    'PASS     9  parties        it holds',
    'PASS    17  sealed values  it holds',
    'PASS: the log',
  ])
})

describe('a state', () => {
  const prefix = { size: 256n, root: new Uint8Array(log.root) }
  const text = stateText('a key', prefix)
  const root = toBase64(log.root)

  test('comes back from its text', () => {
    expect(parseState(text, 'a key')).toEqual(prefix)
  })
  test.for<[what: string, text: string]>([
    ['of another key', stateText('another key', prefix)],
    ['that is empty', ''],
    ['that is cut short', text.slice(0, 40)],
    ['that is null', 'null'],
    ['of another version', JSON.stringify({ v: 2, vkey: 'a key', size: '256', root })],
    ['whose size is a number', JSON.stringify({ v: 1, vkey: 'a key', size: 256, root })],
    ['whose size is negative', JSON.stringify({ v: 1, vkey: 'a key', size: '-256', root })],
    ['whose root is too short', JSON.stringify({ v: 1, vkey: 'a key', size: '256', root: root.slice(4) })],
    ['without a root', JSON.stringify({ v: 1, vkey: 'a key', size: '256' })],
  ])('%s is none', ([, other]) => {
    expect(parseState(other, 'a key')).toBeUndefined()
  })
})
