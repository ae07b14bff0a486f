import type { SignalType } from '../signals/schema.ts'

/** Version of the programme's taxonomy that this client was made with. */
export const TAXONOMY = 1

const DAYS: Partial<Record<SignalType, number>> = {
  url: 90,
  domain: 90,
  keyword_pattern: 365,
  media_hash: 365,
  tactic: 365,
}
const IDENTIFIER_DAYS = 180

/** Days that a signal of a type lives unless its source says otherwise. */
export const daysOf = (type: SignalType): number => DAYS[type] ?? IDENTIFIER_DAYS
