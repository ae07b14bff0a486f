import type { Tx } from './as-participant.ts'
import { sessionOf } from './driver.ts'

/** Signature, flags, length of the extension (PostgreSQL, COPY, "Binary Format"). */
const HEADER = 19
/** Number of fields, length of the first. */
const FIELD = 6
/** In place of a row, at the end. */
const TRAILER = 2

/**
 * The one `bytea` column that a query gives, all its rows one after the other, as they are stored; undefined if it gives no
 * row. Any other way they come as hex, which takes five times as long. Rows are best short: the driver gathers each whole
 * before it gives it out. COPY takes no parameters: `query` holds literals, of UUIDs and numbers alone.
 */
export async function copyBytes(tx: Tx, query: string): Promise<Buffer | undefined> {
  const chunks = await tx
    .getExecutor()
    .provideConnection((connection) => sessionOf(connection).copyOut(`copy (${query}) to stdout (format binary)`))
  const values = chunks.flatMap((chunk, i) => valuesIn(i === 0 ? chunk.subarray(HEADER) : chunk))
  return values.length === 0 ? undefined : Buffer.concat(values)
}

/** PostgreSQL sends a message for each row, the header before the first, the trailer behind the last or by itself. */
function valuesIn(message: Buffer): Buffer[] {
  const values: Buffer[] = []
  let at = 0
  while (at + TRAILER < message.length) {
    const [fields, length] = [message.readInt16BE(at), message.readInt32BE(at + 2)]
    const end = at + FIELD + length
    if (fields !== 1 || length < 0 || end > message.length)
      throw new Error('the query gave more than one column, or NULL')
    values.push(message.subarray(at + FIELD, end))
    at = end
  }
  return values
}
