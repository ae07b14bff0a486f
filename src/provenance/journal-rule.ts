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

/**
 * From when the days of a batch count, in milliseconds. When its reads were made is the batch's own word: dated back, it would
 * end them at once. The time of its entry is held against witnesses.
 */
export const daysBegin = ({ last, entry }: { last: number; entry: number }): number => Math.max(last, entry)

/** Whether reads whose days began at a time are over at another; both in milliseconds. */
export const isOver = (days: number, { begin, at }: { begin: number; at: number }): boolean =>
  at >= begin + days * DAY_MS

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
