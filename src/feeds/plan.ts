import { toBase64Url } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import { NODE_ATTESTED } from '../signals/event.ts'
import { RELATION_NUMBER, type Relation, SIGNAL_STATE, type WithdrawalItem } from '../signals/schema.ts'
import { EVENT_KIND, type EventType, eventBody, type FeedEvent } from './entry.ts'

/** A log entry as plans are made from it. */
export interface Told {
  idx: bigint
  event_id: Uuid
  participant_id: Uuid
  kind: string
  at: Date
  /** The participant's slug. */
  source: string
}

/** What look-ups keep of a signal, before its event has a place. */
export interface Standing {
  signal_key: Buffer
  signal_id: Uuid
  origin: Uuid
  type: number
  profile: string
  audience_id: Uuid
  revision: number
  state: number
  expires_at: Date
  log_idx: bigint
  /** Of a relation. */
  stated?: Stated | undefined
}

/** What a relation says of two signals, as its source saw it last. */
export interface Stated {
  kind: number
  from: Uuid
  to: Uuid
  observed_at: Date
}

export interface Placed extends Standing {
  feed_id: Uuid
  seq: bigint
}

/** One event with what look-ups keep of it. */
export interface Planned {
  feed_id: Uuid
  event: FeedEvent
  /** Undefined for the end in a feed that the signal has left, and for what is erased. */
  shared: Standing | undefined
}

/** An accepted item; `former` is the text of the revision that it follows. Of an erased one there is no salt. */
export interface PlannedItem {
  signal_id: Uuid
  revision: number
  item_index: number
  salt: Buffer | null
  item: string
  signal_key: Buffer
  type: number
  profile: string
  path: string
  former: string | undefined
}

/** A signal that ran out, with the text of its last revision; whether it was erased since. */
export interface EndedItem
  extends Pick<PlannedItem, 'signal_id' | 'revision' | 'item' | 'signal_key' | 'type' | 'profile'> {
  erased?: boolean
}

/** A signal that was erased, with every audience that held it. */
export interface ErasedSignal extends Pick<PlannedItem, 'signal_id' | 'revision'> {
  audiences: readonly Uuid[]
}

type FeedOf = (audience: Uuid) => Uuid

/**
 * The events of one accepted item: one in the feed of its audience, and an end in the one it has left. Made of the
 * source's own revisions alone, so that a round that is done again plans the same, whatever it wrote before.
 */
export function planItem(entry: Told, item: PlannedItem, feedOf: FeedOf): Planned[] {
  const { signal_id, revision, item_index: index, salt, path } = item
  const withdrawn = entry.kind === 'signal.withdrawn'
  const was = item.former === undefined ? undefined : reachOf(item.former)
  const now = withdrawn ? was : reachOf(item.item)
  if (now === undefined) throw new Error(`entry ${entry.idx} ends what was never shared`)
  const told =
    salt === null
      ? { reason: 'erased' as const }
      : { signed: { index, salt: toBase64Url(salt), item: item.item, path } }
  const here: Planned = {
    feed_id: feedOf(now.audience),
    event: { ...eventOf(entry, signal_id, revision), type: withdrawn ? 'signal.withdrawn' : named(revision), ...told },
    shared:
      salt === null
        ? undefined
        : standing(entry, item, { ...now, state: withdrawn ? SIGNAL_STATE.withdrawn : SIGNAL_STATE.live }),
  }
  if (was === undefined || was.audience === now.audience) return [here]
  const left: Planned = {
    feed_id: feedOf(was.audience),
    event: { ...eventOf(entry, signal_id, revision), type: 'signal.withdrawn', reason: 'audience_changed' },
    shared: undefined,
  }
  return [left, here]
}

/** An end that a person of the source decided: the node says so, since nobody's key did. */
export function planAttested(entry: Told, item: Omit<PlannedItem, 'path'>, feedOf: FeedOf): Planned {
  const { signal_id, revision, salt, former } = item
  const reach = former === undefined ? undefined : reachOf(former)
  if (reach === undefined) throw new Error(`entry ${entry.idx} ends what was never shared`)
  const base = { ...eventOf(entry, signal_id, revision), type: 'signal.withdrawn' as const }
  if (salt === null) return { feed_id: feedOf(reach.audience), event: { ...base, reason: 'erased' }, shared: undefined }
  const { reason } = JSON.parse(item.item) as WithdrawalItem
  return {
    feed_id: feedOf(reach.audience),
    event: { ...base, reason: 'attested', data: { authority: NODE_ATTESTED, reason } },
    shared: standing(entry, item, { ...reach, state: SIGNAL_STATE.withdrawn }),
  }
}

export function planEnd(entry: Told, ended: EndedItem, feedOf: FeedOf): Planned {
  const reach = reachOf(ended.item)
  return {
    feed_id: feedOf(reach.audience),
    event: { ...eventOf(entry, ended.signal_id, ended.revision), type: 'signal.expired', reason: 'expired' },
    shared: ended.erased === true ? undefined : standing(entry, ended, { ...reach, state: SIGNAL_STATE.expired }),
  }
}

/** A hold in the audience that its signal was in: recipients stop using it, and look-ups stop finding it. */
export function planHeld(entry: Told, held: EndedItem, feedOf: FeedOf): Planned {
  const reach = reachOf(held.item)
  return {
    feed_id: feedOf(reach.audience),
    event: { ...eventOf(entry, held.signal_id, held.revision), type: 'signal.held', reason: 'disputed' },
    shared: held.erased === true ? undefined : standing(entry, held, { ...reach, state: SIGNAL_STATE.held }),
  }
}

/** A hold's end: the source's own bytes again, so that whoever let them go has them. */
export function planReleased(entry: Told, item: PlannedItem & { submission_id: Uuid }, feedOf: FeedOf): Planned {
  const reach = reachOf(item.item)
  const { signal_id, revision, submission_id, salt, item_index: index, path } = item
  const told =
    salt === null
      ? { reason: 'erased' as const }
      : { signed: { index, salt: toBase64Url(salt), item: item.item, path } }
  return {
    feed_id: feedOf(reach.audience),
    event: { ...eventOf(entry, signal_id, revision), submission_id, type: 'signal.released', ...told },
    shared: salt === null ? undefined : standing(entry, item, { ...reach, state: SIGNAL_STATE.live }),
  }
}

/** What a participant hears in its inbox: said by `entry`'s participant of a signal, and signed by it or attested. */
export interface Heard {
  recipient: Uuid
  type: EventType
  signal_id: Uuid
  revision: number
  data: Readonly<Record<string, unknown>>
  signed: FeedEvent['signed'] | undefined
}

export function planHeard(entry: Told, heard: Heard, inboxOf: (participant: Uuid) => Uuid): Planned {
  const { recipient, type, signal_id, revision, data, signed } = heard
  return {
    feed_id: inboxOf(recipient),
    event: { ...eventOf(entry, signal_id, revision), type, data, ...(signed && { signed }) },
    shared: undefined,
  }
}

/** The tombstones of an erased signal, one in each feed that ever held it; look-ups have forgotten it. */
export const planErased = (entry: Told, erased: ErasedSignal, feedOf: FeedOf): Planned[] =>
  erased.audiences.map((audience) => ({
    feed_id: feedOf(audience),
    event: { ...eventOf(entry, erased.signal_id, erased.revision), type: 'signal.erased', reason: 'erased' },
    shared: undefined,
  }))

/** An event as it is stored at its place. */
export function entryAt(feed_id: Uuid, seq: bigint, event: FeedEvent) {
  const { log_idx, origin, signal_id, revision, submission_id } = event
  const body = eventBody(feed_id, seq, event)
  return { seq, log_idx, kind: EVENT_KIND[event.type], origin, signal_id, revision, submission_id, body }
}

/** Where events stand that a former, unfinished round placed; throws if one is missing. */
export function placedBefore(
  feed_id: Uuid,
  known: readonly Planned[],
  places: readonly { seq: bigint; log_idx: bigint; signal_id: Uuid; revision: number }[],
): Placed[] {
  const nameOf = (one: { log_idx: bigint; signal_id: Uuid; revision: number }): string =>
    `${one.log_idx}/${one.signal_id}/${one.revision}`
  const seqOf = new Map(places.map((row) => [nameOf(row), row.seq]))
  return known.flatMap(({ shared, event }) => {
    const seq = seqOf.get(nameOf(event))
    if (seq === undefined) throw new Error(`feed ${feed_id} lost log entry ${event.log_idx}`)
    return shared === undefined ? [] : [{ ...shared, feed_id, seq }]
  })
}

/** Of each source's signal where it stands last; another source's of the same id is another signal. */
export function newestOf(rows: readonly Placed[]): Placed[] {
  const newest = new Map<string, Placed>()
  for (const row of rows) {
    const name = `${row.origin}/${row.signal_id}`
    const known = newest.get(name)
    if (known === undefined || follows(row, known)) newest.set(name, row)
  }
  return [...newest.values()]
}

/** One submission may revise a signal more than once, and into several feeds. */
const follows = (a: Placed, b: Placed): boolean =>
  a.log_idx > b.log_idx || (a.log_idx === b.log_idx && a.revision >= b.revision)

interface Reach extends Pick<Standing, 'stated'> {
  audience: Uuid
  expires_at: Date
}

interface ReachText {
  audience: Uuid
  expires_at: string
  type: string
  observed_at: string
  /** Of an erased item there is none. */
  value?: { relation: Relation; from: Uuid; to: Uuid }
}

function reachOf(text: string): Reach {
  const { audience, expires_at, type, observed_at, value } = JSON.parse(text) as ReachText
  const reach = { audience, expires_at: new Date(expires_at) }
  if (type !== 'relation' || value === undefined) return reach
  const { relation, from, to } = value
  return { ...reach, stated: { kind: RELATION_NUMBER[relation], from, to, observed_at: new Date(observed_at) } }
}

const named = (revision: number): EventType => (revision === 1 ? 'signal.created' : 'signal.revised')

const eventOf = ({ idx, event_id, participant_id, at, source }: Told, signal_id: Uuid, revision: number) => ({
  ...{ at, source, origin: participant_id, signal_id, revision, submission_id: event_id, log_idx: idx },
})

function standing(
  { idx, participant_id }: Told,
  { signal_key, signal_id, type, profile, revision }: EndedItem,
  { audience, expires_at, stated, state }: Reach & { state: number },
): Standing {
  return {
    ...{ signal_key, signal_id, origin: participant_id, type, profile, audience_id: audience, revision, state },
    ...{ expires_at, log_idx: idx, stated },
  }
}
