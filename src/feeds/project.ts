import { atFeed, atKeys, atLog } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { LoggedEvent, ProvenanceService } from '../provenance/service.ts'
import { SIGNAL_STATE } from '../signals/schema.ts'
import type { FeedDirectory } from './directory.ts'
import { auditPaths, EVENT_KIND, type EventType, eventBody, type FeedEvent, submissionBody } from './entry.ts'
import * as store from './store.ts'

/** Log entries taken in one round. */
const ENTRIES_AT_ONCE = 32
/** Items after which a round takes no further entry. */
const ITEMS_AT_ONCE = 8_000

/** One event with what shared_signal keeps of it. */
interface Planned {
  feed_id: Uuid
  event: FeedEvent
  /** Undefined for the end in a feed that the signal has left. */
  shared: Standing | undefined
}

type Standing = Omit<store.SharedRow, 'feed_id' | 'seq'>

interface Proof {
  submission_id: Uuid
  body: string
}

export interface ProjectorOptions {
  db: Db
  clock: Clock
  logId: number
  provenance: ProvenanceService
  directory: FeedDirectory
  /** Told which feeds grew, after their commit. */
  onGrowth(feeds: readonly Uuid[]): void
}

export interface Projector {
  /** Carries the log's next entries into feeds and look-ups; answers how many it took. Safe to repeat after any crash. */
  round(): Promise<number>
}

const SIGNAL_KINDS: ReadonlySet<string> = new Set(['signal.submitted', 'signal.revised', 'signal.withdrawn'])

/** Causes precede effects across shards because all that one participant knows of another came through the log. */
export function createProjector(options: ProjectorOptions): Projector {
  const { db, clock, logId, provenance, directory } = options

  async function plan(
    entries: readonly LoggedEvent[],
  ): Promise<{ planned: Planned[]; proofs: Map<Uuid, Proof>; next: bigint | undefined }> {
    const planned: Planned[] = []
    const proofs = new Map<Uuid, Proof>()
    const before = new Map<Uuid, Standing>()
    let next: bigint | undefined
    for (const entry of entries) {
      if (planned.length >= ITEMS_AT_ONCE) break
      if (SIGNAL_KINDS.has(entry.kind)) planned.push(...(await planSubmission(entry, proofs, before)))
      if (entry.kind === 'signal.expired') planned.push(...(await planExpiry(entry, before)))
      next = entry.idx + 1n
    }
    return { planned, proofs, next }
  }

  async function planSubmission(
    entry: LoggedEvent,
    proofs: Map<Uuid, Proof>,
    before: Map<Uuid, Standing>,
  ): Promise<Planned[]> {
    const ids = [entry.event_id]
    const [submission] = await store.submissionsOf(db, entry.participant_id, ids)
    if (submission === undefined) throw new Error(`log entry ${entry.idx} has no submission`)
    const items = await store.itemsOf(db, entry.participant_id, ids)
    const source = directory.slugOf(entry.participant_id)
    const { countersignature } = JSON.parse(submission.response) as { countersignature: object }
    const { submission_id, n, jws } = submission
    const body = submissionBody({ submission_id, source, n, jws, countersignature: JSON.stringify(countersignature) })
    proofs.set(submission_id, { submission_id, body })
    const path = auditPaths(sha256, leavesOf(submission.leaves))
    await readStanding(
      items.filter(({ revision }) => revision > 1),
      before,
    )
    return items.flatMap((item) => planItem(entry, { item, source, path: path(item.item_index) }, before))
  }

  /** What recipients saw before, unless this round has already moved it on. */
  async function readStanding(
    signals: readonly { signal_id: Uuid; signal_key: Buffer }[],
    before: Map<Uuid, Standing>,
  ): Promise<void> {
    const missing = signals.filter(({ signal_id }) => !before.has(signal_id))
    if (missing.length === 0) return
    const keys = missing.map(({ signal_key }) => signal_key)
    const ids = missing.map(({ signal_id }) => signal_id)
    for (const row of await store.sharedNow(db, keys, ids)) before.set(row.signal_id, row)
  }

  function planItem(
    entry: LoggedEvent,
    { item, source, path }: { item: store.ProjectedItem; source: string; path: string },
    before: Map<Uuid, Standing>,
  ): Planned[] {
    const { signal_id, revision, signal_key, type, profile, item_index, salt } = item
    const was = before.get(signal_id)
    const withdrawn = entry.kind === 'signal.withdrawn'
    const signed = JSON.parse(item.item) as { audience: Uuid; expires_at: string }
    const audience_id = withdrawn ? was?.audience_id : signed.audience
    const expires_at = withdrawn ? was?.expires_at : new Date(signed.expires_at)
    if (audience_id === undefined || expires_at === undefined)
      throw new Error(`entry ${entry.idx}: ends what was never shared`)
    const name: EventType = withdrawn ? 'signal.withdrawn' : revision === 1 ? 'signal.created' : 'signal.revised'
    const common = {
      at: entry.at,
      source,
      origin: entry.participant_id,
      signal_id,
      revision,
      submission_id: entry.event_id,
      log_idx: entry.idx,
    }
    const event: FeedEvent = {
      ...common,
      type: name,
      signed: { index: item_index, salt: toBase64Url(salt), item: item.item, path },
    }
    const state = withdrawn ? SIGNAL_STATE.withdrawn : SIGNAL_STATE.live
    const shared = {
      signal_key,
      signal_id,
      origin: entry.participant_id,
      type,
      profile,
      audience_id,
      revision,
      state,
      expires_at,
      log_idx: entry.idx,
    }
    before.set(signal_id, shared)
    const here: Planned = { feed_id: directory.feedOf(audience_id), event, shared }
    if (was === undefined || was.audience_id === audience_id) return [here]
    const left: FeedEvent = { ...common, type: 'signal.withdrawn', reason: 'audience_changed' }
    return [{ feed_id: directory.feedOf(was.audience_id), event: left, shared: undefined }, here]
  }

  async function planExpiry(entry: LoggedEvent, before: Map<Uuid, Standing>): Promise<Planned[]> {
    const ended = await store.expiredBy(db, entry.participant_id, entry.event_id)
    await readStanding(ended, before)
    const rows = ended.flatMap(({ signal_id }) => before.get(signal_id) ?? [])
    const source = directory.slugOf(entry.participant_id)
    return rows.map((row) => ({
      feed_id: directory.feedOf(row.audience_id),
      event: {
        type: 'signal.expired',
        at: entry.at,
        source,
        origin: row.origin,
        signal_id: row.signal_id,
        revision: row.revision,
        submission_id: entry.event_id,
        log_idx: entry.idx,
        reason: 'expired',
      },
      shared: { ...row, state: SIGNAL_STATE.expired, log_idx: entry.idx },
    }))
  }

  /** Gives the feed's events their dense places; what a former, unfinished round placed keeps its place. */
  async function place(
    feed_id: Uuid,
    planned: readonly Planned[],
    proofs: Map<Uuid, Proof>,
  ): Promise<store.SharedRow[]> {
    return atFeed(db, feed_id, async (tx) => {
      const head = await store.lockFeed(tx, feed_id)
      const fresh = planned.filter(({ event }) => event.log_idx > head.applied_idx)
      const known = planned.filter(({ event }) => event.log_idx <= head.applied_idx)
      const shared = known.length === 0 ? [] : await placedBefore(tx, feed_id, known)
      let seq = head.next_seq
      const entries: store.EntryRow[] = []
      for (const { event, shared: row } of fresh) {
        const { log_idx, origin, signal_id, revision, submission_id } = event
        const body = eventBody(feed_id, seq, event)
        entries.push({ seq, log_idx, kind: EVENT_KIND[event.type], origin, signal_id, revision, submission_id, body })
        if (row !== undefined) shared.push({ ...row, feed_id, seq })
        seq += 1n
      }
      const last = fresh.at(-1)
      if (last === undefined) return shared
      const cited = new Set(
        fresh.filter(({ event }) => event.signed !== undefined).map(({ event }) => event.submission_id),
      )
      const submissions = [...cited].flatMap((id) => proofs.get(id) ?? [])
      await store.insertEntries(tx, feed_id, { entries, submissions })
      const now = BigInt(clock().getTime()) * 1000n
      const added_us = now > head.added_us ? now : head.added_us + 1n
      await store.moveFeed(tx, feed_id, { next_seq: seq, applied_idx: last.event.log_idx, added_us })
      return shared
    })
  }

  async function placedBefore(
    tx: Parameters<typeof store.placesOf>[0],
    feed_id: Uuid,
    known: readonly Planned[],
  ): Promise<store.SharedRow[]> {
    const indices = known.map(({ event }) => event.log_idx)
    const from = indices.reduce((a, b) => (b < a ? b : a))
    const to = indices.reduce((a, b) => (b > a ? b : a))
    const places = await store.placesOf(tx, feed_id, { from, to })
    const seqOf = new Map(places.map((row) => [`${row.log_idx}/${row.signal_id}/${row.revision}`, row.seq]))
    return known.flatMap(({ shared, event }) => {
      const seq = seqOf.get(`${event.log_idx}/${event.signal_id}/${event.revision}`)
      if (seq === undefined) throw new Error(`feed ${feed_id} lost log entry ${event.log_idx}`)
      return shared === undefined ? [] : [{ ...shared, feed_id, seq }]
    })
  }

  return {
    async round() {
      const from = await store.nextIndex(db, logId)
      const entries = await provenance.entriesFrom(db, from, ENTRIES_AT_ONCE)
      if (entries.length === 0) return 0
      const { planned, proofs, next } = await plan(entries)
      const byFeed = Map.groupBy(planned, ({ feed_id }) => feed_id)
      const shared: store.SharedRow[] = []
      for (const [feed_id, own] of byFeed) shared.push(...(await place(feed_id, own, proofs)))
      const newest = new Map<Uuid, store.SharedRow>()
      for (const row of shared) {
        if ((newest.get(row.signal_id)?.log_idx ?? -1n) <= row.log_idx) newest.set(row.signal_id, row)
      }
      if (newest.size > 0) await atKeys(db, (tx) => store.upsertShared(tx, [...newest.values()]))
      if (next !== undefined) await atLog(db, logId, (tx) => store.moveNextIndex(tx, logId, next))
      options.onGrowth([...byFeed.keys()])
      return next === undefined ? 0 : Number(next - from)
    },
  }
}

const leavesOf = (packed: Buffer): Buffer[] =>
  Array.from({ length: packed.length / 32 }, (_, i) => packed.subarray(32 * i, 32 * i + 32))
