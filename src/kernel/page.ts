import type { Uuid } from './ids.ts'

/** A piece of a list whose ids go down: the newest first. */
export interface PageAsked {
  /** The last id of the page before. */
  after?: Uuid | undefined
  limit: number
}

export interface Page<T> {
  rows: T[]
  /** After which id the next page begins; undefined at the end. */
  next: Uuid | undefined
}

/** The whole list at once. */
export const ALL: PageAsked = { limit: Number.MAX_SAFE_INTEGER - 1 }

/** Ids of the page are below it: those of `after`, or all. */
export const belowOf = ({ after }: PageAsked): Uuid => after ?? ('ffffffff-ffff-ffff-ffff-ffffffffffff' as Uuid)

/** Of rows from `after` on, in their order; one more than `limit` says that there is a next page. */
export function pageOf<T>(found: readonly T[], limit: number, idOf: (row: T) => Uuid): Page<T> {
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return { rows, next: found.length > limit && last !== undefined ? idOf(last) : undefined }
}
