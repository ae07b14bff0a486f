import { expect, test } from 'vitest'
import { createHandshakeRefusals, type HandshakeRefusal, REFUSAL_ROWS_MAX } from '../../src/http/handshake-refusals.ts'

const NOON = new Date('2026-11-24T12:00:30Z')

function collector() {
  const rows: HandshakeRefusal[] = []
  let now = NOON.getTime()
  const refusals = createHandshakeRefusals(
    () => new Date(now),
    (row) => rows.push(row),
  )
  return { rows, refusals, advance: (ms: number) => (now += ms) }
}
const total = (rows: readonly HandshakeRefusal[]): number => rows.reduce((sum, { count }) => sum + count, 0)

test('what is alike within a minute is one row, handed over when the minute is past', () => {
  const { rows, refusals, advance } = collector()
  refusals.add('192.0.2.7', 'CERT_HAS_EXPIRED')
  refusals.add('::ffff:192.0.2.7', 'CERT_HAS_EXPIRED')
  refusals.add('192.0.2.7', 'key-unknown')
  advance(29_999)
  refusals.tick()
  expect(rows).toEqual([])
  advance(1)
  refusals.add(undefined, 'ECONNRESET')
  const minute = new Date('2026-11-24T12:00:00Z')
  expect(rows).toEqual([
    { minute, address: '192.0.2.7', reason: 'CERT_HAS_EXPIRED', count: 2 },
    { minute, address: '192.0.2.7', reason: 'key-unknown', count: 1 },
  ])
  refusals.flush()
  expect(rows[2]).toEqual({
    minute: new Date('2026-11-24T12:01:00Z'),
    address: 'unknown',
    reason: 'ECONNRESET',
    count: 1,
  })
})

test('ten thousand addresses are at most a thousand rows and no count is lost', () => {
  const { rows, refusals } = collector()
  for (let i = 0; i < 10_000; i++) refusals.add(`10.${i >> 8}.${i & 255}.7`, 'ECONNRESET')
  refusals.flush()
  expect(rows.length).toBeLessThanOrEqual(REFUSAL_ROWS_MAX)
  expect(total(rows)).toBe(10_000)
  expect(rows.some(({ address }) => address.endsWith('.0/24'))).toBe(true)
  expect(rows.find(({ address }) => address === '*')?.count).toBeGreaterThan(9_000)
})

test('ten thousand addresses of a few networks keep their networks', () => {
  const { rows, refusals } = collector()
  for (let i = 0; i < 10_000; i++) refusals.add(`2001:db8:${i & 7}::${i.toString(16)}`, 'ECONNRESET')
  refusals.flush()
  expect(rows.filter(({ address }) => address.endsWith('::/48'))).toHaveLength(8)
  expect([rows.some(({ address }) => address === '*'), total(rows)]).toEqual([false, 10_000])
})

test('neither many reasons nor odd ones get past the bound', () => {
  const { rows, refusals } = collector()
  for (let i = 0; i < 3_000; i++) refusals.add(`10.${i >> 8}.${i & 255}.7`, `reason-${i}`)
  refusals.add('192.0.2.7', 'CN=someone\n')
  refusals.flush()
  expect(rows.length).toBe(REFUSAL_ROWS_MAX)
  expect(total(rows)).toBe(3_001)
  expect(rows.filter(({ reason }) => reason.includes('CN'))).toEqual([])
})
