import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'

/** The strong tag of a representation: SHA-256 of its bytes (RFC 9110 section 8.8.3). */
export const tagOf = (bytes: string | Uint8Array): string => `"${sha256(bytes).toString('hex')}"`

/** Whether `If-None-Match` names the tag: alone, in a list, weakly, or by `*` (RFC 9110 section 13.1.2). */
export const namesTag = (header: string | undefined, etag: string): boolean =>
  (header ?? '')
    .split(',')
    .map((one) => one.trim().replace(/^W\//, ''))
    .some((one) => one === '*' || one === etag)

/** Throws `precondition-failed` where `If-Match` is there and names another tag (RFC 9110 section 13.1.1): compared strongly. */
export function expectTag(header: string | undefined, etag: string): void {
  if (header === undefined) return
  const named = header.split(',').map((one) => one.trim())
  if (!named.some((one) => one === '*' || one === etag))
    throw new Refusal('precondition-failed', { detail: 'read it anew, and send what it is now as If-Match' })
}

interface Tagged {
  type: string
  body: string | Buffer
  etag: string
}

/** The body, or 304 where whoever asks has it already; kept by them, and asked for again each time. */
export function sendTagged(
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  { type, body, etag }: Tagged,
): FastifyReply {
  reply.header('etag', etag)
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-cache')
  if (namesTag(headers['if-none-match'], etag)) return reply.code(304).send()
  return reply.type(type).send(body)
}
