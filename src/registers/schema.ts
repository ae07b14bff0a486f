/** Why a hold is placed. */
export const HOLD_REASONS = ['litigation', 'court_order', 'investigation', 'audit'] as const

/** Rights of data subjects (Regulation (EU) 2016/679, articles 15, 17 and 21). */
export const SUBJECT_KINDS = ['erasure', 'access', 'objection'] as const
export type SubjectKind = (typeof SUBJECT_KINDS)[number]
/** Why it takes longer than a month (article 12(3)). */
export const EXTENSIONS = ['complex', 'many_requests'] as const
export type Extension = (typeof EXTENSIONS)[number]
export const SUBJECT_OUTCOMES = ['erased', 'answered', 'nothing_found', 'refused', 'withdrawn'] as const
export type SubjectOutcome = (typeof SUBJECT_OUTCOMES)[number]

/** What authorities ask for. */
export const GOVERNMENT_KINDS = ['provide_data', 'act_against', 'preserve', 'emergency'] as const
export type GovernmentKind = (typeof GOVERNMENT_KINDS)[number]
/** Characters of a reference: of a file, never of a person. */
export const REFERENCE_MAX = 60
/** Rows that a register lists. */
export const REGISTER_LISTED_MAX = 500
/** Keys that one match asks for. */
export const MATCH_KEYS_MAX = 64
/** Signals of one source that one match may find. */
export const MATCHED_MAX = 1_000
