// For how long the reads of a batch are kept: the rule of the published retention policy, as node and auditor go by it.

/** What an entry that names them calls the rule. */
export const JOURNAL_RULE = 'read_journal_days'

const DAY_MS = 86_400_000
const DAYS_MAX = 36_500

/** The days that a retention policy keeps reads; undefined where it says none. */
export function journalDays(policy: string): number | undefined {
  const days = (Object(jsonIn(policy)) as Record<string, unknown>)[JOURNAL_RULE]
  return Number.isSafeInteger(days) && Number(days) >= 1 && Number(days) <= DAYS_MAX ? Number(days) : undefined
}

/** Whether reads, the last of which was made at a time, are over at another; both in milliseconds. */
export const isOver = (days: number, { last, at }: { last: number; at: number }): boolean => at >= last + days * DAY_MS

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
