/** The key under which data keys of sealed values are kept: one a year (UTC). */
export const valueKey = (at: Date): string => keyOfYear(at.getUTCFullYear())

export const keyOfYear = (year: number): string => `value-${year}`

/** When a year's key is no longer the present one. */
export const endOfYear = (year: number): Date => new Date(Date.UTC(year + 1, 0, 1))
