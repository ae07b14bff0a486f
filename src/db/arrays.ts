/**
 * Parameters that PostgreSQL reads as arrays (section 8.15.2), for columns whose values hold nothing to be escaped. The
 * driver's own arrays look at every character of every value; these are joined.
 */

type Plain = string | number | bigint

/** UUIDs, numbers and instants, no names, of which `null` is one: throws for a value that would need quotes. */
export function plainArray(values: readonly Plain[]): string {
  const text = values.join(',')
  if (NEEDS_QUOTES.test(text)) throw new TypeError('a value of the array needs quotes')
  return `{${text}}`
}

const NEEDS_QUOTES = /[^\w:.,+-]/

/** Of `bytea`. */
export const bytesArray = (values: readonly Uint8Array[]): string =>
  hexArray(values.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')))

/** Of `bytea`, given as hex. */
export function hexArray(values: readonly string[]): string {
  if (values.length === 0) return '{}'
  const text = `{"\\\\x${values.join('","\\\\x')}"}`
  if (!HEX.test(text)) throw new TypeError('not hex')
  return text
}

const HEX = /^\{"\\\\x[0-9a-f]*(?:","\\\\x[0-9a-f]*)*"\}$/

/**
 * Of texts that are JSON, for `string_to_array(.., E'\\x1f')`: a control character stands in no JSON text (RFC 8259 section
 * 7). A text that held one would make the column longer than its neighbours, whose NULL the table refuses.
 */
export const jsonTexts = (values: readonly string[]): string => values.join('\x1f')
