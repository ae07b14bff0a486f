import { expect, test } from 'vitest'
import { ATTEMPTS_MAX, faultOf, nextAttempt, RETRY_DELAYS_MS } from '../../src/webhooks/schedule.ts'

const now = new Date('2026-03-01T12:00:00Z')

test('a message is tried for a day and a little, ever more seldom', () => {
  expect(RETRY_DELAYS_MS.reduce((all, one) => all + one, 0) / 3_600_000).toBeGreaterThan(24)
  for (const [i, delay] of RETRY_DELAYS_MS.entries()) expect(delay).toBeGreaterThan(RETRY_DELAYS_MS[i - 1] ?? 0)
})

test('each attempt has its next one but the last', () => {
  for (let attempts = 1; attempts < ATTEMPTS_MAX; attempts++) {
    const early = nextAttempt(attempts, now, 0)?.getTime() ?? 0
    const late = nextAttempt(attempts, now, 1)?.getTime() ?? 0
    expect(early).toBeGreaterThan(now.getTime())
    expect(late).toBeGreaterThan(early)
    expect(late - now.getTime()).toBeLessThanOrEqual((early - now.getTime()) * 1.1)
  }
  expect(nextAttempt(ATTEMPTS_MAX, now, 0)).toBeUndefined()
})

test.for([
  [200, undefined],
  [204, undefined],
  [301, 'redirected'],
  [307, 'redirected'],
  [404, 'refused'],
  [410, 'gone'],
  [500, 'refused'],
  [0, 'refused'],
] as const)('status %i is %s', ([status, fault]) => {
  expect(faultOf(status)).toBe(fault)
})
