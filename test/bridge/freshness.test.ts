import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ageOf, expectFresh, pauseAfter } from '../../src/bridge/freshness.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const HOUR = 3_600_000
const at = (ms: number): Date => new Date(NOON.getTime() + ms)
const refusal = (syncedAt: Date | undefined, now: Date): { code?: string; extra?: object } | undefined => {
  try {
    expectFresh(syncedAt, { now, maxAgeMs: 24 * HOUR })
    return undefined
  } catch (error) {
    return error as { code: string; extra: object }
  }
}

test('a mirror answers up to its age, to the millisecond, and then says since when it is stale', () => {
  expect(refusal(NOON, at(24 * HOUR))).toBeUndefined()
  expect(refusal(NOON, at(24 * HOUR + 1))).toMatchObject({
    ...{ code: 'mirror-stale', status: 503 },
    extra: { since: '2026-03-01T12:00:00Z', max_age_seconds: 86_400 },
  })
})

test('before the first synchronisation nothing is fresh', () => {
  expect(refusal(undefined, NOON)).toMatchObject({ code: 'mirror-stale' })
  expect(refusal(undefined, NOON)?.extra).not.toHaveProperty('since')
})

test('a clock that was put back makes no mirror fresh again', () => {
  expect(ageOf(NOON, at(-HOUR))).toBe(HOUR)
  expect(refusal(NOON, at(-25 * HOUR))).toMatchObject({ code: 'mirror-stale' })
})

test('pauses spread about the interval, and grow while the node is away, up to five minutes or the interval', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, drawn) => {
      const intervalMs = 60_000
      const pause = pauseAfter(failures, { intervalMs, random: () => drawn })
      const most = Math.min(300_000, 1_000 * 2 ** (failures - 1))
      const [from, to] = failures === 0 ? [0.9 * intervalMs, 1.1 * intervalMs] : [most / 2, most]
      expect(pause).toBeGreaterThanOrEqual(from)
      expect(pause).toBeLessThanOrEqual(to)
    }),
  )
})
