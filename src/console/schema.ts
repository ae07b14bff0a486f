/** More than the largest selection, and few enough to read at once. */
export const FORM_FIELDS_MAX = 2_100

/** Saved views of one person, and as many that are shared in an organisation; characters of a name. */
export const VIEWS_MAX = 50
export const VIEW_NAME_MAX = 60

export const IDLE_MS = 30 * 60_000
export const ABSOLUTE_MS = 10 * 3_600_000
/** As long as an approval may rest on it. */
export const STEP_UP_MS = 5 * 60_000

/** Severe cases a day, or between two breaks, that a person may set. */
export const CAP_MAX = 500
