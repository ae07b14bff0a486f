import type { IncomingHttpHeaders } from 'node:http'
import type { FeedEventBody, SealedEventBody, SealedPage, SubmissionProof } from '../feeds/schema.ts'
import { AldisError, VerificationFailed } from './errors.ts'
import { headerOf, neededHeader, readIn } from './headers.ts'
import { answerDigest } from './recorded.ts'
import type { SealedReceived } from './sealed-mirror.ts'
import { SEGMENT_TEXT_MAX, unpacked } from './segment-body.ts'
import { collect, type Transport } from './transport.ts'
import { readNamed } from './verify.ts'

/** One answer of a sealed feed, with what the node signed of it. */
export interface SealedDelta {
  events: SealedReceived[]
  cursor: string
  more: boolean
  /** The name of its record in the read journal. */
  read: string
  /** The sequences of its first and last event, as they say themselves; empty for none. */
  from: string
  to: string
  /** SHA-256 of the answer, of a segment before compression; base64url. */
  digest: string
  /** `<kid> <signature>`. */
  signature: string
}

export async function sealedPage(transport: Transport, path: string, signal?: AbortSignal): Promise<SealedDelta> {
  const call = { method: 'GET', path, idempotent: true, ...(signal === undefined ? {} : { signal }) } as const
  const { headers, body } = await transport.call(call)
  const page = parsed(body.toString()) as SealedPage
  const proofs = new Map(page.submissions.map((proof) => [proof.event, proof]))
  const events = page.events.map((event) => received(event, proofs))
  return { ...deltaOf(headers, body, events), cursor: page.next_cursor, more: page.more }
}

/** Undefined where no segment begins. */
export async function sealedSegment(transport: Transport, path: string): Promise<SealedDelta | undefined> {
  const message = await transport.stream(path, { 'accept-encoding': 'br' }).catch((error: unknown) => {
    if (error instanceof AldisError && error.status === 404) return undefined
    throw error
  })
  if (message === undefined) return undefined
  const text = await unpacked(await collect(message, SEGMENT_TEXT_MAX))
  const proofs = new Map<string, SubmissionProof>()
  const events: SealedReceived[] = []
  for (const line of text.toString().split('\n')) {
    if (line === '') continue
    const value = parsed(line) as FeedEventBody | SealedEventBody | { submission: SubmissionProof }
    if ('submission' in value) proofs.set(value.submission.event, value.submission)
    else events.push(received(value, proofs))
  }
  const cursor = neededHeader('feed', message.headers, 'feed-cursor')
  return { ...deltaOf(message.headers, text, events), cursor, more: true }
}

function received(
  event: FeedEventBody | SealedEventBody,
  proofs: ReadonlyMap<string, SubmissionProof>,
): SealedReceived {
  if (isSealedBody(event)) return { event, proof: undefined }
  return { event, proof: event.item === undefined ? undefined : proofs.get(event.event) }
}

export const isSealedBody = (event: FeedEventBody | SealedEventBody): event is SealedEventBody =>
  event.type === 'signal.sealed'

const deltaOf = (headers: IncomingHttpHeaders, body: Uint8Array, events: SealedReceived[]) => ({
  events,
  read: readNamed(readIn(headers), events.length > 0),
  from: events[0]?.event.seq ?? '',
  to: events.at(-1)?.event.seq ?? '',
  digest: answerDigest(body),
  signature: headerOf(headers, 'feed-signature') ?? '',
})

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new VerificationFailed('feed', 'an answer is not JSON')
  }
}
