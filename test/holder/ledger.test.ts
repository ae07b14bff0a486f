import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Count, openCounts } from '../../src/holder/counts.ts'
import { createLedger } from '../../src/holder/ledger.ts'

const NOON = new Date('2026-11-26T12:00:00Z')
const after = (minutes: number): Date => new Date(NOON.getTime() + minutes * 60_000)
const asked = (n: number, key: string, more: Partial<Count> = {}): Omit<Count, 'at'> => ({
  ...{ participant: 'plum', kid: 'year-1', purpose: 'lookup', n, key, digest: `of ${key}` },
  ...more,
})
let path: string
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'aldis-ledger-')), 'counts.ndjson')
})
afterEach(() => rmSync(join(path, '..'), { recursive: true }))

const keysIn = (): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as Count).key)

test('a participant has its quota each day, for each purpose apart, and others have theirs', () => {
  const ledger = createLedger(openCounts(path), (participant) => (participant === 'fig' ? 3 : 10))
  ledger.debit(asked(6, 'a'), NOON)
  ledger.debit(asked(4, 'b'), NOON)
  expect(() => ledger.debit(asked(1, 'c'), NOON)).toThrow('quota-exceeded')
  ledger.debit(asked(10, 'd', { purpose: 'submit' }), NOON)
  ledger.debit(asked(3, 'e', { participant: 'fig' }), NOON)
  expect(() => ledger.debit(asked(1, 'f', { participant: 'fig' }), NOON)).toThrow('quota-exceeded')
  ledger.debit(asked(10, 'g'), after(12 * 60))
  expect(keysIn()).toEqual(['a', 'b', 'd', 'e', 'g'])
})

test('says when it begins anew', () => {
  const ledger = createLedger(openCounts(path), () => 0)
  expect(() => ledger.debit(asked(1, 'a'), NOON)).toThrow(
    expect.objectContaining({ code: 'quota-exceeded', retryAfter: 12 * 3_600, extra: { limit: 0 } }),
  )
})

test('the same request within ten minutes counts once; another under its key is a conflict', () => {
  const ledger = createLedger(openCounts(path), () => 10)
  ledger.debit(asked(10, 'a'), NOON)
  ledger.debit(asked(10, 'a'), after(9))
  expect(() => ledger.debit(asked(10, 'a', { digest: 'other' }), after(9))).toThrow('state-conflict')
  expect(() => ledger.debit(asked(10, 'a'), after(11))).toThrow('quota-exceeded')
  expect(keysIn()).toEqual(['a'])
})

test('a start changes nothing: what the file holds of today is used, and its keys are known', () => {
  const before = createLedger(openCounts(path), () => 10)
  before.debit(asked(10, 'yesterday'), after(-24 * 60))
  before.debit(asked(7, 'a'), after(-1))
  const ledger = createLedger(openCounts(path), () => 10)
  ledger.debit(asked(7, 'a'), NOON)
  expect(() => ledger.debit(asked(4, 'b'), NOON)).toThrow('quota-exceeded')
  ledger.debit(asked(3, 'c'), NOON)
  expect(keysIn()).toEqual(['yesterday', 'a', 'c'])
})
