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

export function encodePlace(place: Place): string {
  if (place.part === 'by_id') return `i.${place.case_id}`
  if (place.part === 'ranked_first') return `f.${place.now.getTime()}`
  const { now, due_at, case_id } = place
  const tail = `${due_at.getTime()}.${case_id}`
  return place.part === 'late' ? `l.${now.getTime()}.${tail}` : `r.${now.getTime()}.${place.rank}.${tail}`
}

/** Throws `invalid-cursor` for anything of another form. */
export function decodePlace(text: string): Place {
  const [part, ...rest] = text.split('.')
  const last = rest.at(-1) ?? ''
  const numbers = rest.slice(0, part === 'f' ? undefined : -1)
  const whole = numbers.every((one) => /^(0|[1-9][0-9]{0,15})$/.test(one)) && (part === 'f' || isUuid(last))
  const [a = 0, b = 0, c = 0] = numbers.map(Number)
  const case_id = last as Uuid
  if (whole && part === 'i' && numbers.length === 0) return { part: 'by_id', case_id }
  if (whole && part === 'f' && numbers.length === 1) return { part: 'ranked_first', now: new Date(a) }
  if (whole && part === 'l' && numbers.length === 2)
    return { part: 'late', now: new Date(a), due_at: new Date(b), case_id }
  if (whole && part === 'r' && numbers.length === 3)
    return { part: 'ranked', now: new Date(a), rank: b, due_at: new Date(c), case_id }
  throw new Refusal('invalid-cursor', { detail: 'start without a cursor' })
}
