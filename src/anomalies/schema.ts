/** Of a case: found, looked at by somebody, and ended with a reason. */
export const CASE_STATE = { open: 1, looked_at: 2, closed: 3 } as const
export type CaseState = keyof typeof CASE_STATE

export const CLOSE_REASONS = ['explained', 'acted_on', 'false_alarm', 'other'] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/** Characters of a note. */
export const CASE_NOTE_MAX = 500
/** Cases that are listed. */
export const CASES_LISTED_MAX = 200
