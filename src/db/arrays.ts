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

const UUID_OID = 2950
const HEAD = 20

/**
 * UUIDs that stand at the same offset of equal rows, those of some rows, as an array in its binary form, in which the driver
 * sends a Buffer: neither side makes text of them.
 */
export function uuidArray(rows: Uint8Array, { width, places }: { width: number; places: readonly number[] }): Buffer {
  const n = places.length
  const out = Buffer.allocUnsafe(n === 0 ? HEAD - 8 : HEAD + 20 * n)
  out.writeInt32BE(n === 0 ? 0 : 1, 0)
  out.writeInt32BE(0, 4)
  out.writeInt32BE(UUID_OID, 8)
  if (n === 0) return out
  out.writeInt32BE(n, 12)
  out.writeInt32BE(1, 16)
  let at = HEAD
  for (const place of places) {
    if ((place + 1) * width > rows.length) throw new RangeError('no such row')
    out.writeInt32BE(16, at)
    for (let i = 0; i < 16; i++) out[at + 4 + i] = rows[place * width + i] ?? 0
    at += 20
  }
  return out
}
