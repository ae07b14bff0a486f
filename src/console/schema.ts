/** More than the largest selection, and few enough to read at once. */
export const FORM_FIELDS_MAX = 2_100

export const IDLE_MS = 30 * 60_000
export const ABSOLUTE_MS = 10 * 3_600_000
/** As long as an approval may rest on it. */
export const STEP_UP_MS = 5 * 60_000
