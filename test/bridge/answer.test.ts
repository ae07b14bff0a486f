import { describe, expect, test } from 'vitest'
import { toldMatch, toldOf } from '../../src/bridge/answer.ts'
import type { Match } from '../../src/client/matcher.ts'
import { idOf } from '../signals/factory.ts'

const aMatch = (tlp: Match['tlp']): Match => ({
  ...{ signal: idOf(1), revision: 2, type: 'email', profile: 'email/1@spring', source: 'apple', category: 'grooming' },
  ...{ severity: 'high', confidence: 80, handling: 'block_link', tlp, basis: 'automated', held: false, distance: 0 },
  ...{ expires_at: '2026-05-01T00:00:00Z', provenance: { event: idOf(2), index: 3, feed: idOf(4), seq: '5' } },
})

describe('whom a signal may be passed on to', () => {
  test.each([
    ['amber+strict', 'own_organisation'],
    ['amber', 'own_organisation_and_processors'],
    ['green', 'programme'],
    ['clear', 'anybody'],
  ] as const)('at TLP %s is told: %s', (tlp, reshare) => {
    expect(toldMatch(aMatch(tlp)).handling).toEqual({ recommended: 'block_link', tlp, reshare })
  })

  test('a signal at TLP red is counted and not told', () => {
    const told = toldOf([toldMatch(aMatch('red')), toldMatch(aMatch('green'))])
    expect(told).toMatchObject({ outcome: 'match', withheld: 1, matches: [{ handling: { tlp: 'green' } }] })
    expect(toldOf([toldMatch(aMatch('red'))])).toEqual({ outcome: 'none', withheld: 1 })
  })
})

test('an answer carries no token, only where the signal stands', () => {
  const told = toldMatch(aMatch('green'))
  expect(told.provenance).toEqual({ event: idOf(2), index: 3, feed: idOf(4), seq: '5', verified: true })
  expect(Object.keys(told)).not.toContain('key')
})

test('what was not looked for everywhere is unknown, unless something was found', () => {
  const lack = { code: 'node-needed', detail: 'away' } as const
  expect(toldOf([], lack)).toEqual({ outcome: 'unknown', ...lack })
  expect(toldOf([toldMatch(aMatch('green'))], lack)).toMatchObject({ outcome: 'match', code: 'node-needed' })
  expect(toldOf([])).toEqual({ outcome: 'none' })
})
