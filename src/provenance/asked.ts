import { equal, fromBase64Url, type Hash, utf8 } from '../kernel/bytes.ts'
import { hmac } from '../kernel/hmac.ts'
import type { Field } from './commitment.ts'

/**
 * What a look-up asked for, 32 bytes: HMAC-SHA-256 (RFC 2104), under the `set_salt` of the read's record, of
 * "prov-asked/v1\n" and of each key with "\n" behind it, in the order of the request. The keys cannot be read out of it; who
 * can open the record can hold keys against it.
 */
export const askedDigest = (hash: Hash, set_salt: Uint8Array, keys: readonly string[]): Uint8Array =>
  hmac(hash, set_salt, utf8(`prov-asked/v1\n${keys.map((key) => `${key}\n`).join('')}`))

/** Why an opened record of a read is not that of a look-up for these keys, in this order; undefined if it is. */
export function askedFault(hash: Hash, record: readonly Field[], keys: readonly string[]): string | undefined {
  const values = new Map(record.map(({ name, value }) => [name, value]))
  const { n, digest } = Object(values.get('asked')) as { n?: unknown; digest?: unknown }
  const [told, salt] = [fromBase64Url(String(digest)), fromBase64Url(String(values.get('set_salt')))]
  if (digest === undefined || told === undefined || salt === undefined) return 'the record does not say what was asked'
  if (n !== keys.length) return `the record says that ${String(n)} keys were asked for, and these are ${keys.length}`
  return equal(told, askedDigest(hash, salt, keys)) ? undefined : 'other keys were asked for, or in another order'
}
