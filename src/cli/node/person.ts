import { Refusal } from '../../kernel/errors.ts'
import type { NewPerson } from '../../participants/person.ts'

/** `NAME@ORGANISATION`. */
export function personOf(text: string): NewPerson {
  const cut = text.lastIndexOf('@')
  if (cut <= 0) throw new Refusal('validation-failed', { detail: 'a person is named NAME@ORGANISATION' })
  return { name: text.slice(0, cut), organisation: text.slice(cut + 1) }
}
