import type { Hash } from '../kernel/bytes.ts'
import { concat, toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { nodeHash } from '../provenance/merkle.ts'

/** Numbers are stored, names travel. */
export const EVENT_KIND = {
  'signal.created': 1,
  'signal.revised': 2,
  'signal.withdrawn': 3,
  'signal.expired': 4,
  'signal.held': 5,
  'signal.released': 6,
  'signal.erased': 7,
  'feedback.received': 8,
  'dispute.opened': 9,
  'dispute.closed': 10,
  'question.answered': 11,
} as const
export type EventType = keyof typeof EVENT_KIND

/** Kinds after which a recipient no longer uses the signal. */
export const ENDS: ReadonlySet<EventType> = new Set<EventType>(['signal.withdrawn', 'signal.expired', 'signal.erased'])

/** One thing that happened to one signal, before it has its place in a feed. */
export interface FeedEvent {
  type: EventType
  at: Date
  source: string
  origin: Uuid
  signal_id: Uuid
  revision: number
  submission_id: Uuid
  log_idx: bigint
  /** The source's own bytes; absent where the node speaks (expiry, a changed audience) and where they were erased. */
  signed?: { index: number; salt: string; item: string; path: string }
  /** Why the node speaks. */
  reason?: 'expired' | 'audience_changed' | 'erased' | 'disputed' | 'attested'
  /** What is told in an inbox. */
  data?: Readonly<Record<string, unknown>>
}

/** The event as it is sent, serialised once, with its sequence number. */
export function eventBody(feed: Uuid, seq: bigint, event: FeedEvent): string {
  const { type, at, source, signal_id, revision, submission_id, signed, reason, data } = event
  const told = data === undefined ? '' : `,"data":${JSON.stringify(data)}`
  const head =
    `{"seq":"${seq}","type":"${type}","at":"${at.toISOString()}","feed":"${feed}","source":"${source}",` +
    `"signal":"${signal_id}","revision":${revision},"event":"${submission_id}"${told}`
  if (signed === undefined) return reason === undefined ? `${head}}` : `${head},"reason":"${reason}"}`
  const { index, salt, item, path } = signed
  return `${head},"index":${index},"salt":"${salt}","item":${JSON.stringify(item)},"path":"${path}"}`
}

/** What `eventBody` wrote of who says what. Beside an item the rest is passed over: it is most of a body, and is read by the thousand. */
export function toldIn(body: string): { source: string; item?: string; reason?: string } {
  const from = body.indexOf(ITEM)
  if (from < 0) return JSON.parse(body) as { source: string; reason?: string }
  const source = body.indexOf(SOURCE) + SOURCE.length
  return {
    source: body.slice(source, body.indexOf('"', source)),
    item: JSON.parse(body.slice(from + ITEM.length, body.lastIndexOf(PATH))) as string,
  }
}

const [SOURCE, ITEM, PATH] = ['"source":"', ',"item":', ',"path":"']

/**
 * What stands at the place of an event whose item was erased: the same, without the source's bytes or the sealed ones. A sealed
 * feed's mirror learns of an end by the entry that is over alone.
 */
export function erasedBody(body: string): string {
  const told = JSON.parse(body) as Record<string, unknown>
  const { seq, type, at, feed, source, signal, revision, event, replaces, ends } = told
  return JSON.stringify({ seq, type, at, feed, source, signal, revision, event, replaces, ends, reason: 'erased' })
}

/** The submission's line: the JWS its items are proven by, the number of its items, the node's countersignature. */
export function submissionBody(submission: {
  submission_id: Uuid
  source: string
  n: number
  jws: string
  countersignature: string
}): string {
  const { submission_id, source, n, jws, countersignature } = submission
  return `{"event":"${submission_id}","source":"${source}","count":${n},"jws":${jws},"countersignature":${countersignature}}`
}

/**
 * Audit paths (RFC 6962 section 2.1.1) of all leaves at once, each as one base64url string of its 32-byte nodes, leaf side
 * first: pairing level by level, an odd last node rising unchanged, is the same tree as the RFC's recursion.
 */
export function auditPaths(hash: Hash, leaves: readonly Uint8Array[]): (index: number) => string {
  const levels: Uint8Array[][] = [[...leaves]]
  for (let level = levels[0] ?? []; level.length > 1; level = levels.at(-1) ?? []) levels.push(parents(hash, level))
  return (index) => {
    const path: Uint8Array[] = []
    let at = index
    for (const level of levels.slice(0, -1)) {
      const sibling = level[at % 2 === 0 ? at + 1 : at - 1]
      if (sibling !== undefined) path.push(sibling)
      at = Math.floor(at / 2)
    }
    return toBase64Url(concat(...path))
  }
}

function parents(hash: Hash, level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i]
    const right = level[i + 1]
    if (left === undefined) break
    above.push(right === undefined ? left : nodeHash(hash, left, right))
  }
  return above
}
