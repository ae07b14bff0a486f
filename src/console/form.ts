import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { type FieldError, Refusal } from '../kernel/errors.ts'
import { firstFault } from '../kernel/schema.ts'
import { FORM_FIELDS_MAX } from './schema.ts'

/** What came with a form; a name that ends in `[]` may come often and is a list. */
export type Fields = Record<string, string | string[]>

/** The fields of `application/x-www-form-urlencoded`; refuses what browsers do not send: bad escapes, a name sent twice. */
export function parseForm(body: Uint8Array): Fields {
  const text = textOf(body)
  const fields: Fields = Object.create(null) as Fields
  const parts = text === '' ? [] : text.split('&')
  if (parts.length > FORM_FIELDS_MAX) throw new Refusal('too-large', { extra: { limit: FORM_FIELDS_MAX } })
  for (const part of parts) put(fields, part)
  return fields
}

function put(fields: Fields, part: string): void {
  const cut = part.indexOf('=')
  const name = decoded(cut < 0 ? part : part.slice(0, cut))
  const value = cut < 0 ? '' : decoded(part.slice(cut + 1))
  if (!name.endsWith('[]')) {
    if (name in fields) throw malformed()
    fields[name] = value
    return
  }
  const key = name.slice(0, -2)
  const known = fields[key] ?? []
  if (typeof known === 'string') throw malformed()
  known.push(value)
  fields[key] = known
}

function textOf(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw malformed()
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed()
  }
}

const malformed = (): Refusal => new Refusal('validation-failed', { detail: 'the form was not sent by a browser' })

/** A reader of one form: its typed fields, or a `validation-failed` that points at the first that is wrong. */
export function formReader<T extends TSchema>(schema: T): (body: unknown) => Static<T> {
  const validator = Compile(schema)
  return (body) => {
    if (validator.Check(body)) return body as Static<T>
    const { pointer, detail } = firstFault(validator, body)
    const error: FieldError = { pointer, code: 'validation-failed', detail }
    throw new Refusal('validation-failed', { errors: [error] })
  }
}

/** What was typed, to be shown again beside a refusal. */
export function typedOf(body: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries((body ?? {}) as Fields)
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** The refusal that `work` ends in, if it does; anything else is thrown on. */
export async function refusalIn(work: () => Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
