import type { Tx } from './as-participant.ts'
import { sessionOf } from './driver.ts'

/** Signature, flags, length of the extension (PostgreSQL, COPY, "Binary Format"). */
const HEADER = 19
/** Number of fields, length of the first. */
const FIELD = 6
/** In place of a row, at the end. */
const TRAILER = 2
/** Where nobody knows how much comes. */
const FIRST = 65_536

/**
 * The one `bytea` column that a query gives, all its rows one after the other, as they are stored; undefined if it gives no
 * row. Any other way they come as hex, which takes five times as long. Rows are best short: the driver gathers each whole
 * before it gives it out. COPY takes no parameters: `query` holds literals, of UUIDs and numbers alone. `size`: of all rows,
 * if it is known; then the memory of the answer is all that is taken.
 */
export async function copyBytes(tx: Tx, query: string, size = FIRST): Promise<Buffer | undefined> {
  let bytes = Buffer.allocUnsafeSlow(size)
  let length: number | undefined
  const append = (value: Buffer): void => {
    const at = length ?? 0
    length = at + value.length
    if (length > bytes.length) bytes = Buffer.concat([bytes.subarray(0, at)], Math.max(length, 2 * bytes.length))
    value.copy(bytes, at)
  }
  let first = true
  const take = (message: Buffer): void => {
    takeValues(first ? message.subarray(HEADER) : message, append)
    first = false
  }
  await tx
    .getExecutor()
    .provideConnection((connection) => sessionOf(connection).copyOut(`copy (${query}) to stdout (format binary)`, take))
  return length === undefined ? undefined : bytes.subarray(0, length)
}

/** PostgreSQL sends a message for each row, the header before the first, the trailer behind the last or by itself. */
function takeValues(message: Buffer, take: (value: Buffer) => void): void {
  let at = 0
  while (at + TRAILER < message.length) {
    const [fields, length] = [message.readInt16BE(at), message.readInt32BE(at + 2)]
    const end = at + FIELD + length
    if (fields !== 1 || length < 0 || end > message.length)
      throw new Error('the query gave more than one column, or NULL')
    take(message.subarray(at + FIELD, end))
    at = end
  }
}
