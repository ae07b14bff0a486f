import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import type { FeedEventBody, SubmissionProof } from '../feeds/schema.ts'
import type { Received } from './client.ts'
import { AnswerTooLong } from './errors.ts'

const decompress = promisify(brotliDecompress)
/** Bytes of 4,096 events, each with an item at the very most. */
export const SEGMENT_TEXT_MAX = 268_435_456
/** Bytes that are unpacked at a time. */
const PIECE = 1_048_576

/** The lines of a segment; `AnswerTooLong` for more than one can have. */
export const unpacked = (body: Buffer, most = SEGMENT_TEXT_MAX): Promise<Buffer> =>
  decompress(body, { maxOutputLength: most, chunkSize: PIECE }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ERR_BUFFER_TOO_LARGE' ? new AnswerTooLong(most) : error
  })

/** Events of a segment with the submissions that prove them, in their order. */
export function receivedIn(body: Uint8Array): Received[] {
  const proofs = new Map<string, SubmissionProof>()
  const events: Received[] = []
  for (const line of Buffer.from(body.buffer, body.byteOffset, body.length).toString().split('\n')) {
    if (line === '') continue
    const value = JSON.parse(line) as FeedEventBody | { submission: SubmissionProof }
    if ('submission' in value) proofs.set(value.submission.event, value.submission)
    else events.push({ event: value, proof: value.item === undefined ? undefined : proofs.get(value.event) })
  }
  return events
}
