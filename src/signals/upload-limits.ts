/** Bytes of an upload that is worked off later, uploads of a participant that are not, and days that results are kept. */
export const JOB_BYTES = 268_435_456
export const JOBS_LIVE = 4
export const RESULT_DAYS = 7
/** Streams and uploads that one credential sends at a time. */
export const UPLOADS_OPEN = 8
/** Of one row. */
export const PART_BYTES = 1_048_576
