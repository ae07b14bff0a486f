/** Instructions of a compiled pattern: re2js takes what native RE2 refuses, and each instruction costs at each character. */
export const PROGRAM_MAX = 1_000
/** Code points that every match holds literally, at least: with fewer a pattern would match everywhere. */
export const LITERAL_MIN = 3
/** Of common words: from here on a person must have looked. */
export const COMMON_MAX = 0.005
