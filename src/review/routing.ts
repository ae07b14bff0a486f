/** What an organisation wants to look at of what it receives. */
export interface RoutingRules {
  keyword_patterns: boolean
  critical: boolean
  /** Whose basis is no review by a person. */
  not_reviewed: boolean
  /** From sources that were admitted less than `PROBATION_DAYS` ago. */
  new_sources: boolean
  categories: readonly string[]
}

const PROBATION_DAYS = 30
const DAY_MS = 86_400_000

/** The rule that a received signal meets first, by name; undefined if it meets none. */
export function ruleOf(
  rules: RoutingRules,
  signal: { type: string; severity: string; basis: string; category: string; source_since: Date },
  now: Date,
): string | undefined {
  if (rules.critical && signal.severity === 'critical') return 'critical'
  if (rules.keyword_patterns && signal.type === 'keyword_pattern') return 'keyword_pattern'
  if (rules.categories.includes(signal.category)) return 'category'
  if (rules.new_sources && now.getTime() - signal.source_since.getTime() < PROBATION_DAYS * DAY_MS) return 'new_source'
  return rules.not_reviewed && signal.basis !== 'human_reviewed' ? 'not_reviewed' : undefined
}
