import { fromBase64Url, type Hash, toBase64Url, utf8 } from '../kernel/bytes.ts'

const text = new TextDecoder('utf-8', { fatal: true })

/** A digest with nothing behind it, so that the number of digests tells nothing. */
export const decoy = (salt: Uint8Array): string => toBase64Url(utf8(`["${toBase64Url(salt)}","decoy"]`))

/** The payload over the digests of disclosures and decoys, which JSON has no escapes for: sorted, no spaces, this member order. */
export const payloadOver = (digests: readonly string[]): string =>
  `{"_sd":[${digests.length === 0 ? '' : `"${digests.toSorted().join('","')}"`}],"_sd_alg":"sha-256","v":1}`

export const digestOf = (hash: Hash, one: string): string => toBase64Url(hash(one))

/** C = SHA-256("prov-record/v1\n" || payload). */
export const commitment = (hash: Hash, payload: string): Uint8Array => hash(`prov-record/v1\n${payload}`)

/** A field as its disclosure tells it. */
export interface Field {
  name: string
  value: unknown
}

/** The field of a read's record in which everything is that the reader alone may open. */
export const READ = 'read'

/** The fields of a read's record, each by itself; those of a record that an earlier node made are. */
export const fieldsOfRead = (fields: readonly Field[]): Field[] =>
  fields.flatMap((field) =>
    field.name === READ ? Object.entries(Object(field.value)).map(([name, value]) => ({ name, value })) : [field],
  )

/** The fields of the disclosures, taken `apart`, if each hashes into the payload; else what is wrong. */
export function openPayload(
  hash: Hash,
  payload: string,
  disclosures: readonly string[],
  apart = (fields: readonly Field[]): readonly Field[] => fields,
): { outcome: 'opened'; fields: Field[] } | { outcome: 'failed'; why: string } {
  const digests = digestsOf(payload)
  if (digests === undefined) return { outcome: 'failed', why: 'the payload is not canonical' }
  const fields: Field[] = []
  for (const one of disclosures) {
    if (!digests.has(digestOf(hash, one))) return { outcome: 'failed', why: 'a disclosure is not in the payload' }
    const field = fieldOf(one)
    if (field === undefined) return { outcome: 'failed', why: 'a disclosure is malformed' }
    const own = apart([field])
    const twice = own.find((put) => put.name !== 'source' && fields.some(({ name }) => name === put.name))
    if (twice !== undefined) return { outcome: 'failed', why: `the field ${twice.name} is there twice` }
    fields.push(...own)
  }
  return { outcome: 'opened', fields }
}

/** The digests of a payload in its one canonical form; undefined for anything else. */
export function digestsOf(payload: string): Set<string> | undefined {
  try {
    const { _sd } = JSON.parse(payload) as { _sd: string[] }
    return JSON.stringify({ _sd: [..._sd].sort(), _sd_alg: 'sha-256', v: 1 }) === payload ? new Set(_sd) : undefined
  } catch {
    return undefined
  }
}

/** What a disclosure says; undefined for what is none, a decoy among them. */
export function fieldOf(one: string): Field | undefined {
  const bytes = fromBase64Url(one)
  if (bytes === undefined) return undefined
  try {
    const parts: unknown = JSON.parse(text.decode(bytes))
    if (!Array.isArray(parts) || parts.length !== 3 || typeof parts[1] !== 'string') return undefined
    return { name: parts[1], value: parts[2] as unknown }
  } catch {
    return undefined
  }
}
