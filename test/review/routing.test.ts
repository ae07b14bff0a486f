import { expect, test } from 'vitest'
import { type RoutingRules, ruleOf } from '../../src/review/routing.ts'

const NOON = new Date('2026-03-01T12:00:00Z')
const NONE: RoutingRules = {
  ...{ keyword_patterns: false, critical: false, not_reviewed: false, new_sources: false, categories: [] },
}
const signal = {
  ...{ type: 'url', severity: 'low', basis: 'human_reviewed', category: 'grooming' },
  source_since: new Date('2025-01-01T00:00:00Z'),
}

test.each([
  ['critical', { critical: true }, { severity: 'critical' }],
  ['keyword_pattern', { keyword_patterns: true }, { type: 'keyword_pattern' }],
  ['category', { categories: ['trafficking', 'grooming'] }, {}],
  ['new_source', { new_sources: true }, { source_since: new Date('2026-02-20T00:00:00Z') }],
  ['not_reviewed', { not_reviewed: true }, { basis: 'automated' }],
])('%s meets its rule, and no rule where it is not set', (rule, rules, change) => {
  expect(ruleOf({ ...NONE, ...rules }, { ...signal, ...change }, NOON)).toBe(rule)
  expect(ruleOf(NONE, { ...signal, ...change }, NOON)).toBeUndefined()
  if (rule !== 'category') expect(ruleOf({ ...NONE, ...rules }, signal, NOON)).toBeUndefined()
})
