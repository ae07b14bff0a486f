/** For how long things are kept, in days. */
export interface RetentionTerms {
  version: number
  types: { type: string; days: number; most: number }[]
  readDays: number
}

/** What a version of the retention policy says. */
export function termsIn({ version, body }: { version: number; body: string }): RetentionTerms {
  const { signal_days, read_journal_days } = JSON.parse(body) as {
    signal_days: Record<string, { default: number; maximum: number }>
    read_journal_days: number
  }
  const types = Object.entries(signal_days).map(([type, { default: days, maximum }]) => ({ type, days, most: maximum }))
  return { version, types, readDays: read_journal_days }
}
