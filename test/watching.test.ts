import { expect, test } from 'vitest'
import { createMetrics } from '../src/http/metrics.ts'
import { newId, type Uuid } from '../src/kernel/ids.ts'
import { createHitCounts, KEYS_AT_LEAST } from '../src/matching/unusual.ts'
import { countLookUps } from '../src/watching.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const plum = newId(NOON)

test('look-ups that are answered together count each for itself, in the name of who asked unless that is hidden', async () => {
  const [metrics, hits] = [createMetrics(), createHitCounts()]
  const seen: [Uuid, { lookups: number; with_hits: number }][] = []
  const told = countLookUps({ metrics, hits, clock: () => NOON, sightings: { lookedUp: (...one) => seen.push(one) } })
  const together = [
    { keys: KEYS_AT_LEAST, matches: 0 },
    { keys: 2, matches: 2 },
    { keys: 1, matches: 0 },
  ]
  told(together, plum)
  told([{ keys: 1, matches: 4 }])
  const text = await metrics.text()
  for (const line of ['lookups_total 4', `lookup_keys_total ${KEYS_AT_LEAST + 4}`, 'lookup_matches_total 6'])
    expect(text.split('\n')).toContain(`aldis_${line}`)
  expect(seen).toEqual([[plum, { lookups: 3, with_hits: 1 }]])
  expect(hits.guessing(NOON)).toEqual([plum])
})
