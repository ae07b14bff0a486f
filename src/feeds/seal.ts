import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sealedKey, sealKid } from '../matching/sealed.ts'
import { HANDLING_NUMBER, type SignalItem } from '../signals/schema.ts'
import { ENDS, EVENT_KIND, eventBody, type FeedEvent } from './entry.ts'
import type { Planned, Standing } from './plan.ts'

/** What a sealed feed holds of a live signal, for buckets and for whoever opens it. */
export interface SealedRow {
  signal_id: Uuid
  origin: Uuid
  revision: number
  /** Of its newest entry. */
  seq: bigint
  submission_id: Uuid
  expires_at: Date
  entry: Buffer
  /** The event as a full feed would have it. */
  body: string
}

export interface SealedName {
  signal_id: Uuid
  origin: Uuid
}

/** The present end of a sealed feed: where it goes on, and which signals of the round stand in it. */
export interface SealedPlace {
  feed_id: Uuid
  next_seq: bigint
  standing: readonly (SealedName & { seq: bigint })[]
}

export interface SealOptions {
  categoryId(taxonomy: number, slug: string): number
  nonce(): Uint8Array
}

/**
 * The events of a sealed feed as they are stored. A live signal is an entry that names neither it nor its source; an end is
 * in the clear, and names the entry that it ends, since whoever could not open that one must still know which it was.
 */
export function sealRound(planned: readonly Planned[], place: SealedPlace, options: SealOptions) {
  const { feed_id, next_seq } = place
  const seqOf = new Map(place.standing.map((row) => [nameOf(row), row.seq]))
  const kept = new Map<string, SealedRow>()
  const gone = new Map<string, SealedName>()
  const entries = planned.map(({ event, shared }, i) => {
    const seq = next_seq + BigInt(i)
    const name = nameOf(event)
    const before = seqOf.get(name)
    const over = (): void => {
      seqOf.delete(name)
      kept.delete(name)
      gone.set(name, { signal_id, origin })
    }
    const { log_idx, origin, signal_id, revision, submission_id } = event
    const row = { seq, log_idx, kind: EVENT_KIND[event.type], origin, signal_id, revision, submission_id }
    const clear = eventBody(feed_id, seq, event)
    if (ENDS.has(event.type)) {
      over()
      return { ...row, body: before === undefined ? clear : withMember(clear, 'ends', before) }
    }
    // An id in the clear would open the signal to all once the hold is over.
    if (event.reason === 'erased' || event.type === 'signal.held') {
      over()
      return { ...row, body: sealedBody({ feed_id, seq, at: event.at, entry: event.reason, before }) }
    }
    if (shared === undefined) throw new Error(`log entry ${log_idx} shares what has no key`)
    const entry = entryOf(event, shared, options)
    seqOf.set(name, seq)
    gone.delete(name)
    const { expires_at } = shared
    kept.set(name, {
      signal_id,
      origin,
      revision,
      seq,
      submission_id,
      expires_at,
      entry: Buffer.from(entry),
      body: clear,
    })
    return { ...row, body: sealedBody({ feed_id, seq, at: event.at, entry, before }) }
  })
  return { entries, kept: [...kept.values()], gone: [...gone.values()] }
}

const nameOf = ({ origin, signal_id }: SealedName): string => `${origin}/${signal_id}`

function entryOf({ log_idx, signed, signal_id }: FeedEvent, shared: Standing, { categoryId, nonce }: SealOptions) {
  if (signed === undefined) throw new Error(`log entry ${log_idx} shares what nobody signed`)
  const { taxonomy, category, handling } = JSON.parse(signed.item) as SignalItem
  const { signal_key, audience_id, profile, expires_at } = shared
  const content = { signal: signal_id, expires_at, handling: HANDLING_NUMBER[handling] }
  const key = sealedKey(signal_key, audience_id)
  return key.seal(sealKid(profile), { ...content, category: categoryId(taxonomy, category) }, nonce())
}

interface SealedEvent {
  feed_id: Uuid
  seq: bigint
  at: Date
  /** Why there is none: it was erased before it came here, or is held. */
  entry: Uint8Array | FeedEvent['reason']
  /** Where the former revision stands. */
  before: bigint | undefined
}

function sealedBody({ feed_id, seq, at, entry, before }: SealedEvent): string {
  const what = entry instanceof Uint8Array ? `"sealed":"${toBase64Url(entry)}"` : `"reason":"${entry}"`
  const body = `{"seq":"${seq}","type":"signal.sealed","at":"${at.toISOString()}","feed":"${feed_id}",${what}}`
  return before === undefined ? body : withMember(body, 'replaces', before)
}

const withMember = (body: string, name: string, seq: bigint): string => `${body.slice(0, -1)},"${name}":"${seq}"}`

/** The kinds whose events a sealed feed gives out in the clear. */
export const CLEAR_KINDS: ReadonlySet<number> = new Set([...ENDS].map((type) => EVENT_KIND[type]))
