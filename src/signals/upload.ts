import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { SubmissionResult, UploadLine } from './schema.ts'
import { type Framed, linesOf, submissionsOf } from './stream.ts'
import type { FlatJws, SaltedItem } from './submission.ts'

/** Where in an upload a submission stands. `broken`: one before it may not be durable, so that it may not be either. */
export interface UploadPosition {
  upload_id: Uuid
  /** The first line after the submission, durable once it commits. */
  next_line: bigint
  stream: { broken: boolean }
}

export interface Upload {
  upload_id: Uuid
  /** Number of the first line that is sent now. */
  line: bigint
  chunks: AsyncIterable<Uint8Array>
  /** Bytes of one request. */
  bytes: number
  lines: number
  submit(submission: { jws: FlatJws; items: SaltedItem[] }, position: UploadPosition): Promise<SubmissionResult>
}

/** Submissions that are verified while the ones before them are being committed, and the bytes of their lines. */
const AHEAD = 4
const AHEAD_BYTES = 8_388_608

/**
 * Takes a stream of submissions and tells, line by line, what became of each, with the memory of a few submissions. Ends
 * early, with a line that says so, when the node cannot go on: the same upload goes on later at its first line that is
 * not durable.
 */
export async function* takeUpload(upload: Upload): AsyncGenerator<string> {
  const stream = { broken: false }
  const waiting: Waiting[] = []
  const isFull = (): boolean =>
    waiting.length > AHEAD || waiting.reduce((sum, { bytes }) => sum + bytes, 0) > AHEAD_BYTES
  const isLeft = (): boolean => waiting.length > 0
  try {
    for await (const framed of submissionsOf(linesOf(bounded(upload), upload.line))) {
      waiting.push({ lines: settle(upload, framed, stream), bytes: framed.outcome === 'refused' ? 0 : framed.bytes })
      yield* told(waiting, isFull)
      if (stream.broken) break
    }
  } catch (error) {
    yield* told(waiting, isLeft)
    if (!(error instanceof Refusal)) throw error
    yield textOf([faultLine(upload.line, error)])
  }
  yield* told(waiting, isLeft)
}

interface Waiting {
  lines: Promise<UploadLine[]>
  bytes: number
}

/** What became of the oldest ones, for as long as there is more to tell. */
async function* told(waiting: Waiting[], more: () => boolean): AsyncGenerator<string> {
  while (more()) yield textOf(await waiting.shift()?.lines)
}

async function settle(upload: Upload, framed: Framed, stream: { broken: boolean }): Promise<UploadLine[]> {
  if (framed.outcome === 'refused') return [{ ...faultLine(framed.last, framed.refusal), first: Number(framed.first) }]
  const { first, last, jws, items } = framed
  const position = { upload_id: upload.upload_id, next_line: last + 1n, stream }
  try {
    const result = await upload.submit({ jws, items }, position)
    return linesOfResult(result, framed)
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal('internal', { cause: error })
    return [{ ...faultLine(last, refusal), first: Number(first) }]
  }
}

/** A line per item, and one for the submission with the node's signature. */
function linesOfResult(
  result: SubmissionResult,
  { first, last, at }: { first: bigint; last: bigint; at: readonly bigint[] },
): UploadLine[] {
  const { submission, accepted, refused, countersignature, receipt, results } = result
  const items = results.map(({ index, ...item }): UploadLine => ({ line: Number(at[index]), ...item }))
  const end: UploadLine = {
    ...{ line: Number(last), first: Number(first), status: submission === null ? 422 : 200 },
    ...{ submission, accepted, refused },
    ...(countersignature === undefined ? {} : { countersignature }),
    ...(receipt === undefined ? {} : { receipt }),
  }
  return [...items, end]
}

function faultLine(line: bigint, { status, code, detail, errors }: Refusal): UploadLine {
  const pointer = errors[0]?.pointer
  return {
    ...{ line: Number(line), status, code },
    ...(pointer === undefined ? {} : { pointer }),
    ...(detail === undefined ? {} : { detail }),
  }
}

const textOf = (lines: readonly UploadLine[] = []): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

/** Ends with `too-large` beyond the bytes or lines of one request; the upload itself may go on in another. */
async function* bounded({ chunks, bytes, lines }: Upload): AsyncGenerator<Uint8Array> {
  let size = 0
  let ends = 0
  for await (const chunk of chunks) {
    size += chunk.length
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) ends += 1
    if (size > bytes || ends > lines) {
      throw new Refusal('too-large', { detail: 'go on with this upload in another request', extra: { limit: lines } })
    }
    yield chunk
  }
}
