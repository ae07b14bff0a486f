import { join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { LIVE } from '../../client/ends.ts'
import {
  beginsLine,
  type Mirrored,
  type MirroredFeed,
  mirroredEvents,
  mirroredFeeds,
} from '../../client/mirror-reader.ts'
import type { FeedbackItem } from '../../feedback/schema.ts'
import { feedbackUuid } from '../../interop/stix/feedback.ts'
import { objectUuid } from '../../interop/stix/ids.ts'
import { toThreat } from '../../interop/threatexchange/to-threat.ts'
import type { Uuid } from '../../kernel/ids.ts'
import type { SignalItem } from '../../signals/schema.ts'
import type { Shelf } from './shelf.ts'
import { type Place, type Signed, shelfWrites, type Writes } from './writes.ts'

export interface FillOptions {
  shelf: Shelf
  home: string
  programme: string
  /** Of a feed; undefined for one that is not known. */
  kindOf(feed: string): 'audience' | 'inbox' | undefined
  /** Told of each signal that a protocol has no form for. */
  onWithheld(why: string): void
}

/** Events of one transaction: meanwhile nobody is answered. */
const AT_ONCE = 500

/** Brings the shelf to where the mirror is: of each feed what came since. What was taken in before a crash is not taken in again. */
export async function fill(options: FillOptions): Promise<void> {
  const { shelf, home, kindOf } = options
  const writes = shelfWrites(shelf.db)
  for (const feed of mirroredFeeds(join(home, 'feeds'))) {
    const kind = kindOf(feed.feed)
    if (kind !== undefined) await fillOf(options, writes, { feed, kind })
  }
}

interface Filling {
  feed: MirroredFeed
  kind: 'audience' | 'inbox'
}

async function fillOf(options: FillOptions, writes: Writes, { feed, kind }: Filling): Promise<void> {
  const { shelf, programme } = options
  const after = shelf.together(() => placeOf(writes, feed))
  let place = after
  let some: Mirrored[] = []
  const take = async (): Promise<void> => {
    place = shelf.together(() => taken(options, writes, { feed: feed.feed, kind, place, some }))
    some = []
    await breathe()
  }
  const from = { feed: feed.feed, seq: after.seq, bytes: after.bytes }
  for await (const one of mirroredEvents(feed, { after: after.bytes === 0 ? undefined : from, programme })) {
    some.push(one)
    if (some.length >= AT_ONCE) await take()
  }
  if (some.length > 0) await take()
}

/**
 * A mirror that was taken anew is shorter than what was read of the former one, or has other bytes: then its feed is taken anew as well.
 * Clients go on from one second over all feeds: what comes now comes at the newest of them.
 */
function placeOf(writes: Writes, feed: MirroredFeed): Place {
  const place = writes.place(feed.feed)
  const goesOn =
    place.bytes <= feed.bytes && BigInt(place.seq) <= BigInt(feed.seq) && beginsLine(feed.file, place.bytes)
  if (!goesOn) writes.forget(feed.feed)
  const from = goesOn ? place : writes.place(feed.feed)
  const newest = writes.newest()
  return from.second < newest ? { ...from, second: newest, same: 0 } : from
}

interface Taking {
  feed: string
  kind: 'audience' | 'inbox'
  place: Place
  some: readonly Mirrored[]
}

function taken(options: FillOptions, writes: Writes, { feed, kind, place, some }: Taking): Place {
  let next = place
  for (const one of some) {
    next = later(next, one)
    if (kind === 'inbox') hear(writes, { feed, next, one })
    else if (one.event.type.startsWith('signal.')) put(options, writes, { feed, next, one })
  }
  writes.move(feed, next)
  return next
}

/** Records that share one second; a client that resumes there gets them all again. */
const SAME_MAX = 5_000

/** When an event is said to have come: in order, in microseconds for one protocol and in seconds for another. */
function later(place: Place, { event, bytes }: Mirrored): Place {
  const ms = Date.parse(event.at)
  const us = ms * 1_000
  // A revision may end one record and begin another.
  const records = event.type === 'signal.revised' ? 2 : 1
  const full = place.same + records > SAME_MAX ? place.second + 1 : place.second
  const second = Math.max(full, Math.floor(ms / 1_000))
  return {
    ...{ bytes: place.bytes + bytes, seq: event.seq, added_us: us > place.added_us ? us : place.added_us + 1 },
    ...{ second, same: second === place.second ? place.same + records : records },
  }
}

/** What others say of our own signals. */
function hear(writes: Writes, { feed, next, one: { event, item } }: Putting): void {
  if (event.type !== 'feedback.received' || item === undefined) return
  const { source, signal, outcome } = item as unknown as FeedbackItem
  const said = { source, signal, giver: event.source, outcome }
  writes.react(said)
  const act = event.event as Uuid
  const place = { feed, seq: Number(event.seq), event: act, object: feedbackUuid(act) }
  writes.say({ ...said, ...place, at_ms: Date.parse(event.at), added_us: next.added_us })
}

interface Putting {
  feed: string
  next: Place
  one: Mirrored
}

function put(options: FillOptions, writes: Writes, { feed, next, one }: Putting): void {
  const { event } = one
  const before = writes.sign(feed, event.source, event.signal)
  const item = itemOf(options, one)
  if (item === undefined && before === undefined) return
  const row: Signed = {
    ...{ feed, source: event.source, signal: event.signal, object: objectUuid(event.source, event.signal) },
    ...{ seq: Number(event.seq), revision: event.revision, event: event.event, kind: event.type },
    ...{ reason: event.reason ?? null, first_type: before?.first_type ?? item?.type ?? null },
    ...stateOf(event.type, item, before),
    ...threatOf(options, item, before),
    ...timesOf(next, before),
  }
  // What was erased is known by its ids alone; its value stays with the record, as long as clients must hear of it.
  writes.put(event.type === 'signal.erased' ? { ...row, type: null, indicator: null, tags: null } : row)
  leaveFormer(writes, row, before, next.second)
  const { type, indicator } = row
  if (type !== null && indicator !== null) writes.touch({ ...row, type, indicator }, next.second)
  if (event.type === 'signal.erased') writes.erase(row)
}

/** A keyword pattern may get other words: clients that keep the former ones must hear of their end. */
function leaveFormer(writes: Writes, row: Signed, before: Signed | undefined, second: number): void {
  const { type = null, indicator = null } = before ?? {}
  if (type === null || indicator === null || (type === row.type && indicator === row.indicator)) return
  writes.leave({ ...row, type, indicator })
  writes.touch({ ...row, type, indicator }, second)
}

/** What is told of an event. Signals at TLP red are for people: no bridge tells them. */
function itemOf({ onWithheld }: FillOptions, { event, item }: Mirrored): SignalItem | undefined {
  const signed = LIVE.has(event.type) ? (item as SignalItem | undefined) : undefined
  if (signed?.tlp !== 'red') return signed
  onWithheld('tlp-red')
  return undefined
}

function stateOf(
  type: string,
  item: SignalItem | undefined,
  before: Signed | undefined,
): Pick<Signed, 'state' | 'item'> {
  if (item !== undefined) return { state: 'live', item: JSON.stringify(item) }
  // What had ended before, since it is at TLP red now, is told no more for being held.
  if (type === 'signal.held' && before?.item != null) return { state: 'held', item: before.item }
  return { state: 'ended', item: null }
}

type Threatened = Pick<Signed, 'type' | 'indicator' | 'tags'>

function threatOf({ onWithheld }: FillOptions, item: SignalItem | undefined, before: Signed | undefined): Threatened {
  const { type = null, indicator = null, tags = null } = before ?? {}
  if (item === undefined) return { type, indicator, tags }
  const threat = toThreat(item)
  if ('type' in threat) return { type: threat.type, indicator: threat.indicator, tags: JSON.stringify(threat.tags) }
  onWithheld(threat.withheld)
  return { type: null, indicator: null, tags: null }
}

/** Versions of one object are told apart by a millisecond at least. */
function timesOf(
  { added_us }: Place,
  before: Signed | undefined,
): Pick<Signed, 'created_ms' | 'modified_ms' | 'added_us'> {
  const ms = Math.floor(added_us / 1_000)
  if (before === undefined) return { created_ms: ms, modified_ms: ms, added_us }
  return { created_ms: before.created_ms, modified_ms: Math.max(ms, before.modified_ms + 1), added_us }
}
