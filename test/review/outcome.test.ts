import { expect, test } from 'vitest'
import { countsOf, standingOf } from '../../src/review/outcome.ts'

const none = {
  ...{ accounts_actioned: null, content_removed: null, urls_blocked: null },
  ...{ reports_filed: null, investigations_opened: null },
}
const at = new Date('2026-03-01T12:00:00Z')

test('a count that was not reported is absent, and one that is none is 0', () => {
  expect(countsOf(none)).toEqual({})
  expect(countsOf({ ...none, urls_blocked: 0, reports_filed: 2 })).toEqual({ urls_blocked: 0, reports_filed: 2 })
})

test.each([
  ['proposed', { release_at: null, released_at: null, ended_at: null }],
  ['grace', { release_at: at, released_at: null, ended_at: null }],
  ['released', { release_at: at, released_at: at, ended_at: null }],
  ['ended', { release_at: at, released_at: null, ended_at: at }],
  ['ended', { release_at: null, released_at: null, ended_at: at }],
] as const)('a decision is %s', (standing, row) => {
  expect(standingOf(row)).toBe(standing)
})
