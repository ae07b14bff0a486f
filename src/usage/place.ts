import { Refusal } from '../kernel/errors.ts'

/** Behind which request a page begins; the newest come first. */
export interface Place {
  at: Date
  request_id: string
}

const PLACE = /^(0|[1-9][0-9]{0,14})\.([A-Za-z0-9_-]{16})$/
/** Until the last year of four digits. */
const LATEST = Date.UTC(10_000, 0) - 1

export const encodePlace = ({ at, request_id }: Place): string => `${at.getTime()}.${request_id}`

/** Throws `invalid-cursor` for anything of another form. */
export function decodePlace(text: string): Place {
  const [, ms = '', request_id = ''] = PLACE.exec(text) ?? []
  if (ms === '' || Number(ms) > LATEST) throw new Refusal('invalid-cursor', { detail: 'start without a cursor' })
  return { at: new Date(Number(ms)), request_id }
}
