import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ABSOLUTE_MS, IDLE_MS, STEP_UP_MS } from '../../src/console/schema.ts'
import { agentOf, effectiveRoles, isSteppedUp, overBy } from '../../src/console/session-rule.ts'
import { mayHoldTogether } from '../../src/participants/approval-rule.ts'
import { ROLES } from '../../src/participants/schema.ts'

const NOON = new Date('2026-11-26T12:00:00Z')
const later = (ms: number): Date => new Date(NOON.getTime() + ms)
const times = (seen: Date) => ({ seen_at: seen, ends_at: later(ABSOLUTE_MS), ended_at: null })

describe('a session', () => {
  test('lives while somebody is there', () => {
    expect(overBy(times(NOON), later(IDLE_MS - 1))).toBeUndefined()
  })
  test('ends after half an hour without anybody', () => {
    expect(overBy(times(NOON), later(IDLE_MS))).toBe('idle')
  })
  test('ends after ten hours, whoever is there', () => {
    expect(overBy(times(later(ABSOLUTE_MS)), later(ABSOLUTE_MS))).toBe('too_old')
  })
  test('that was ended stays so', () => {
    expect(overBy({ ...times(NOON), ended_at: NOON }, NOON)).toBe('ended')
  })
  test('is stepped up for five minutes', () => {
    const session = { stepped_up: true, auth_time: NOON }
    expect(isSteppedUp(session, later(STEP_UP_MS - 1))).toBe(true)
    expect(isSteppedUp(session, later(STEP_UP_MS))).toBe(false)
    expect(isSteppedUp({ ...session, stepped_up: false }, NOON)).toBe(false)
  })
})

describe('roles', () => {
  test('are those that both sides name', () => {
    expect(effectiveRoles(['analyst', 'lead', 'root'], ['analyst', 'observer'])).toEqual(['analyst'])
    expect(effectiveRoles([], ['analyst'])).toEqual([])
    expect(effectiveRoles(['governance'], [])).toEqual([])
  })
  test('that exclude each other are none', () => {
    expect(effectiveRoles(['governance', 'analyst'], ['governance', 'analyst'])).toEqual([])
  })
  test('never exceed either side, and never hold what may not be held together', () => {
    const some = fc.subarray([...ROLES])
    fc.assert(
      fc.property(some, some, (claimed, granted) => {
        const roles = effectiveRoles(claimed, granted)
        for (const role of roles) {
          expect(claimed).toContain(role)
          expect(granted).toContain(role)
          expect(
            mayHoldTogether(
              roles.filter((other) => other !== role),
              role,
            ),
          ).toBe(true)
        }
      }),
    )
  })
})

test('of the browser only its kind is kept', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
  expect(agentOf(chrome)).toBe('Chrome on Linux')
  expect(agentOf(undefined)).toBe('Another browser')
  expect(agentOf('<script>')).toBe('Another browser')
})
