import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import type { FeedEventBody, SubmissionProof } from '../feeds/schema.ts'
import type { Received } from './client.ts'

const decompress = promisify(brotliDecompress)
/** Of 4,096 events, each with an item at the very most. */
export const SEGMENT_TEXT_MAX = 268_435_456
/** Bytes that are unpacked at a time. */
const PIECE = 1_048_576

/** The lines of a segment. */
export const unpacked = (body: Buffer): Promise<Buffer> =>
  decompress(body, { maxOutputLength: SEGMENT_TEXT_MAX, chunkSize: PIECE })

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
