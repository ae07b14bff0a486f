import { expect, test } from 'vitest'
import { LIMITS } from '../../src/http/limits.ts'

test('each limit is a positive whole number, or a text', () => {
  const numbers = Object.values(LIMITS).filter((limit) => typeof limit === 'number')
  expect(numbers.length).toBeGreaterThan(40)
  expect(numbers.filter((limit) => !(Number.isSafeInteger(limit) && limit > 0))).toEqual([])
})

test('a name is snake_case, and no setting of time or size lacks its unit', () => {
  const names = Object.keys(LIMITS)
  expect(names.filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([])
  expect(names.filter((name) => /(timeout|age|time|size|length|delay)$/.test(name))).toEqual([])
})

test('the largest look-up fits its body', () => {
  const keys = Array.from({ length: LIMITS.lookup_keys }, () => 'f'.repeat(64))
  // One type and profile for each 16 keys: the most groups that the schema takes.
  const groups = Array.from({ length: 63 }, (_, i) => ({
    type: 'payment_handle',
    profile: 'p'.repeat(128),
    keys: keys.slice(i * 16, i === 62 ? undefined : (i + 1) * 16),
  }))
  const body = JSON.stringify({ queries: groups, purpose: 'investigation' })
  expect(groups.flatMap((group) => group.keys)).toHaveLength(LIMITS.lookup_keys)
  expect(body.length).toBeLessThanOrEqual(LIMITS.lookup_bytes)
  expect(body.length).toBeGreaterThan(LIMITS.json_bytes)
})

test('an item fits a line of a stream, and a whole submission of ordinary items its body', () => {
  // Every character escaped, and the salt beside it.
  expect(2 * LIMITS.item_bytes + 64).toBeLessThan(LIMITS.stream_line_bytes)
  expect(LIMITS.submission_items * 4_000).toBeLessThan(LIMITS.submission_bytes)
})

test('a long poll ends before the connection is idle for too long, and within the time of a request', () => {
  expect(LIMITS.long_poll_seconds).toBeLessThanOrEqual(LIMITS.request_seconds)
  expect(LIMITS.request_seconds).toBeLessThan(LIMITS.keep_alive_seconds)
})
