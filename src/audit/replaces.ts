import type { Entry } from './entry.ts'
import type { Programme } from './programme.ts'

/** The keys that a new one brings to an earlier end. */
interface Replaced {
  keys: readonly string[]
  to: number
}

/**
 * Why an enrolment may not bring other keys to an end, if that is so: a TLS key does, and a signing key that two persons confirm,
 * both to keys of their participant alone and never to a later end.
 */
export function replacesFault(programme: Programme, entry: Entry): string | undefined {
  const { kind, fields } = entry
  if (kind !== 'credential.enrolled' || !fields.has('replaces')) return undefined
  const use = String(fields.get('use'))
  const confirmed = use === 'sign:active' && fields.get('actor') === 'node'
  if (use !== 'tls' && !confirmed) return 'a key that nobody confirmed replaces others'
  const { keys, to } = replacesIn(entry)
  const subject = String(fields.get('subject'))
  const unfit = keys.find((key) => !(to < (endOf(programme, { use, subject, key }) ?? Number.NaN)))
  return unfit === undefined ? undefined : `it replaces ${unfit}, which is no key of ${subject} that ends later`
}

/** What an enrolment replaces: nothing where it may not. */
export const replacedBy = (programme: Programme, entry: Entry): Replaced =>
  replacesFault(programme, entry) === undefined ? replacesIn(entry) : { keys: [], to: Number.NaN }

function replacesIn({ fields }: Entry): Replaced {
  const { keys, to } = Object(fields.get('replaces')) as Record<string, unknown>
  const named = Array.isArray(keys) ? keys.filter((one) => typeof one === 'string') : []
  return { keys: named, to: Date.parse(String(to)) }
}

function endOf(
  { credentials, keys }: Programme,
  { use, subject, key }: { use: string; subject: string; key: string },
): number | undefined {
  if (use !== 'tls') return keys.get(`${subject} ${key}`)?.to
  const known = credentials.get(key)
  return known?.participant === subject ? known.to : undefined
}
