import { describe, expect, test } from 'vitest'
import { gatherFaults } from '../../src/audit/faults.ts'
import { createFeedTable } from '../../src/audit/feeds.ts'
import { numbered } from '../../src/audit/finding.ts'
import { createNames } from '../../src/audit/names.ts'
import { createSharedRows } from '../../src/audit/shared.ts'
import { createSignalTable } from '../../src/audit/signals.ts'
import { sha256 } from '../../src/kernel/sha256.ts'

const LIVE = { audience: 'pond', revision: 3, state: 'live', expires_at: '2026-03-31T12:00:00.000Z' }
const ENDED = { ...LIVE, revision: 2, state: 'withdrawn' }
type Made = typeof LIVE | undefined | 'hidden'

/** Whether look-ups may have this row of a signal, of which entries made that, one after the other; `upto` had reached them. */
function resultOf(row: typeof LIVE | undefined, made: readonly Made[], upto = 9n): string {
  const check = numbered(13, 'state')
  const faults = gatherFaults(check)
  const names = createNames()
  const shared = createSharedRows({ hash: sha256, names }, faults)
  shared.moment({ size: 9n, upto })
  if (row !== undefined) shared.row({ of: 'look-up apple fig', state: row })
  for (const [i, state] of made.entries()) shared.set(BigInt(i), 'signal apple fig', state)
  shared.end(createFeedTable(createSignalTable(names)), 9n)
  return faults.finding(() => check.pass('')).result
}

describe('what look-ups have of a signal', () => {
  test('that went to a sealed audience is not compared: its end may be left, and nothing', () => {
    for (const row of [ENDED, undefined]) expect(resultOf(row, [LIVE, 'hidden'])).toBe('PASS')
  })
  test('that came back from one is what the last entry made', () => {
    expect(resultOf(LIVE, ['hidden', LIVE])).toBe('PASS')
    for (const row of [ENDED, undefined]) expect(resultOf(row, ['hidden', LIVE])).toBe('FAIL')
  })
  test('that was erased after one is nothing', () => {
    expect(resultOf(undefined, [LIVE, 'hidden', undefined])).toBe('PASS')
    expect(resultOf(LIVE, [LIVE, 'hidden', undefined])).toBe('FAIL')
  })
  test('that may have come back, or not, is not compared', () => {
    for (const row of [ENDED, LIVE, undefined]) expect(resultOf(row, ['hidden', LIVE], 1n)).toBe('PASS')
  })
})
