import { beforeAll, expect, test } from 'vitest'
import { endsSoon, isNearlyFull, isOldBackup } from '../../src/operations/alarm-checks.ts'
import { testCa } from '../support/pki.ts'

test.each([
  [100, 4, false, true],
  [100, 5, false, false],
  [100, 6, true, true],
  [100, 7, true, false],
  [100, 0, false, true],
  [0, 0, false, false],
])('of %i blocks %i are free, full before: %s; full: %s', (blocks, available, before, full) => {
  expect(isNearlyFull({ blocks, available }, before)).toBe(full)
})

test.each([
  [0, undefined, false],
  [24, undefined, true],
  [24, '2026-11-25T12:00:00Z', false],
  [24, '2026-11-25T11:59:59Z', true],
])('a backup at most %i hours old, the last one %s: old is %s', (hours, last, old) => {
  const now = new Date('2026-11-26T12:00:00Z')
  expect(isOldBackup({ last: last === undefined ? undefined : new Date(last), hours, now })).toBe(old)
})

let chain: string
const now = new Date('2026-11-26T12:00:00Z')
beforeAll(async () => {
  const { issuer, root } = await testCa(now)
  chain = `${issuer}\n${root}`
})

test('the certificate that ends first raises the alarm, 14 days before', () => {
  // An issuer lasts a year.
  const end = new Date(now)
  end.setUTCFullYear(end.getUTCFullYear() + 1)
  expect(endsSoon(chain, new Date(end.getTime() - 16 * 86_400_000))).toBe(false)
  expect(endsSoon(chain, new Date(end.getTime() - 12 * 86_400_000))).toBe(true)
  expect(endsSoon('', now)).toBe(false)
})
