import { Refusal } from '../kernel/errors.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'

/**
 * Behind which case a page begins. The queue has two parts: what is overdue by its date, then everything else by rank; page
 * one's time stays, so that what becomes overdue between pages is neither repeated nor left out.
 */
export type Place =
  | { part: 'late'; now: Date; due_at: Date; case_id: Uuid }
  | { part: 'ranked'; now: Date; rank: number; due_at: Date; case_id: Uuid }
  | { part: 'ranked_first'; now: Date }
  | { part: 'by_id'; case_id: Uuid }

const isUpTo =
  (most: number) =>
  (text: string): boolean =>
    /^(0|[1-9][0-9]{0,14})$/.test(text) && Number(text) <= most
/** Until the last year of four digits. */
const isMoment = isUpTo(Date.UTC(10_000, 0) - 1)
/** In a column of four bytes. */
const isRank = isUpTo(2 ** 31 - 1)

const FORMS: ReadonlyMap<string | undefined, readonly ((text: string) => boolean)[]> = new Map([
  ['i', [isUuid]],
  ['f', [isMoment]],
  ['l', [isMoment, isMoment, isUuid]],
  ['r', [isMoment, isRank, isMoment, isUuid]],
])

export function encodePlace(place: Place): string {
  if (place.part === 'by_id') return `i.${place.case_id}`
  if (place.part === 'ranked_first') return `f.${place.now.getTime()}`
  const { now, due_at, case_id } = place
  const tail = `${due_at.getTime()}.${case_id}`
  return place.part === 'late' ? `l.${now.getTime()}.${tail}` : `r.${now.getTime()}.${place.rank}.${tail}`
}

/** Throws `invalid-cursor` for anything of another form, and for a moment or a rank that no row can have. */
export function decodePlace(text: string): Place {
  const [part, ...rest] = text.split('.')
  const form = FORMS.get(part)
  if (form?.length !== rest.length || !form.every((holds, i) => holds(rest[i] ?? '')))
    throw new Refusal('invalid-cursor', { detail: 'start without a cursor' })
  const [a = 0, b = 0, c = 0] = rest.map(Number)
  const case_id = rest.at(-1) as Uuid
  if (part === 'i') return { part: 'by_id', case_id }
  if (part === 'f') return { part: 'ranked_first', now: new Date(a) }
  if (part === 'l') return { part: 'late', now: new Date(a), due_at: new Date(b), case_id }
  return { part: 'ranked', now: new Date(a), rank: b, due_at: new Date(c), case_id }
}
