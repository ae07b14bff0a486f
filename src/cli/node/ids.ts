import { Refusal } from '../../kernel/errors.ts'
import { isUuid, type Uuid } from '../../kernel/ids.ts'

/** An id as it was typed; the commands that list them are named where it is none. */
export function idOf(text: string): Uuid {
  if (!isUuid(text))
    throw new Refusal('validation-failed', {
      detail: 'expected an id; aldis people, aldis logins and aldis requests list them',
    })
  return text
}
