import type { Tx } from './as-participant.ts'
import { sessionOf } from './driver.ts'

/** Signature, flags, length of the extension (PostgreSQL, COPY, "Binary Format"). */
const HEADER = 19
/** Number of fields, length of the first. */
const FIELD = 6

/**
 * The one `bytea` that a query gives, as it is stored; undefined if it gives no row. Any other way it comes as hex, which
 * takes five times as long. COPY takes no parameters: `query` holds literals, of UUIDs and numbers alone.
 */
export async function copyBytes(tx: Tx, query: string): Promise<Buffer | undefined> {
  const chunks = await tx
    .getExecutor()
    .provideConnection((connection) => sessionOf(connection).copyOut(`copy (${query}) to stdout (format binary)`))
  const data = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
  const fields = data.readInt16BE(HEADER)
  if (fields === -1) return undefined
  const length = data.readInt32BE(HEADER + 2)
  const end = HEADER + FIELD + length
  if (fields !== 1 || length < 0 || data.length !== end + 2) throw new Error('the query gave more than one value')
  return data.subarray(HEADER + FIELD, end)
}
