import { Type } from 'typebox'
import type { Validator } from 'typebox/compile'
import type { Uuid } from './ids.ts'

/** RFC 9562, lower case. */
export const UuidSchema = Type.Unsafe<Uuid>({
  type: 'string',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
})

/** A participant's, group's or programme's short name, which also stands in SPIFFE paths and in the log's chains. */
export const SlugSchema = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{1,62}$' })

/** Days that are there: JavaScript takes 31 April for 1 May, other readers refuse it. */
const LONG_MONTH = '(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])'
const SHORT_MONTH = '(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])'
const LEAP_DAY = '([02468][048]|[13579][26])-02-29'

/** RFC 3339 in UTC, to the second. */
export const InstantSchema = Type.String({
  pattern: `^20([0-9]{2}-(${LONG_MONTH}|${SHORT_MONTH})|${LEAP_DAY})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$`,
})

/** 64-bit numbers leave as decimal strings; PostgreSQL's bigint holds every number of 18 digits. */
export const BigIntSchema = Type.String({ pattern: '^(0|[1-9][0-9]{0,17})$' })

/** Where a value first departs from its schema and how: what mends it. Never the value, which a library's message may quote. */
export function firstFault(validator: Validator, value: unknown): { pointer: string; detail: string } {
  // Before each unknown member the library names the `false` that stands for it, under the sender's own word.
  const error = validator.Errors(value).find(({ keyword }) => keyword !== 'boolean')
  if (error === undefined) return { pointer: '', detail: 'malformed' }
  const { keyword, instancePath, params } = error
  if (keyword === 'additionalProperties') {
    return { pointer: `${instancePath}/${member(params.additionalProperties)}`, detail: 'unknown member' }
  }
  if (keyword === 'required')
    return { pointer: `${instancePath}/${member(params.requiredProperties)}`, detail: 'missing' }
  return { pointer: instancePath, detail: keyword }
}

/** A member that the schema does not know is the sender's word: it is named only if it looks like a name. */
const member = (names: readonly string[]): string => {
  const [name = ''] = names
  return /^[a-zA-Z_][a-zA-Z0-9_-]{0,40}$/.test(name) ? name : '?'
}
