import { atFeed, atKeys, atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { randomSource } from '../kernel/random.ts'
import { sha256 } from '../kernel/sha256.ts'
import { NONCE_BYTES } from '../matching/sealed.ts'
import { placeOf } from '../provenance/origin.ts'
import type { LoggedEvent, ProvenanceService } from '../provenance/service.ts'
import type { FeedDirectory } from './directory.ts'
import { auditPaths, submissionBody } from './entry.ts'
import { type Act, heardIn } from './heard.ts'
import { PREFIX, type SharedKey } from './known-keys.ts'
import { relationRows } from './network.ts'
import * as networkStore from './network-store.ts'
import {
  entryAt,
  newestOf,
  type Placed,
  type Planned,
  placedBefore,
  planEnd,
  planErased,
  planHeard,
  planHeld,
  planItem,
  planReleased,
  type Told,
} from './plan.ts'
import { type SealOptions, sealRound } from './seal.ts'
import * as sealedStore from './sealed-store.ts'
import * as store from './store.ts'

/** Log entries taken in one round. */
export const ENTRIES_AT_ONCE = 256
/** Items after which a round takes no further entry. */
const ITEMS_AT_ONCE = 8_000

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
  /** Of a category, for the entries of sealed feeds. */
  categoryId: SealOptions['categoryId']
  /** Told what a round carried over, after its commit. */
  onCarried(carried: Carried): void
}

/** What reached feeds and look-ups with the log entries from the place `from` to below `to`. */
export interface Carried {
  feeds: readonly Uuid[]
  keys: readonly SharedKey[]
  from: bigint
  to: bigint
}

export interface Projector {
  /**
   * Carries the log's next entries into feeds and look-ups; answers how many it took, and 0 only once everything that was
   * taken is done. Safe to repeat after any failure or crash.
   */
  round(): Promise<number>
}

const nonce = randomSource(NONCE_BYTES)

const SIGNAL_KINDS: ReadonlySet<string> = new Set(['signal.submitted', 'signal.revised', 'signal.withdrawn'])

/** Causes precede effects across shards because all that one participant knows of another came through the log. */
export function createProjector(options: ProjectorOptions): Projector {
  const { db, logId } = options
  let ahead: { from: bigint; read: Promise<Read> } | undefined

  /** What stands from there on: read ahead if it was, unless nothing stood there yet. */
  const readFrom = async (from: bigint): Promise<Read> => {
    const early = ahead?.from === from ? ahead.read : undefined
    ahead = undefined
    const read = await early
    return read === undefined || read.taken === 0 ? readEntries(options, from) : read
  }

  /** Entries never change: the next ones are read and planned while the database writes these. */
  const readAhead = (from: bigint): void => {
    const read = readEntries(options, from)
    // Whoever takes it hears of its failure.
    read.catch(() => {})
    ahead = { from, read }
  }

  /** The end of the last round, while it lasts: its keys are written beside the feeds of the next. */
  let ending: { to: bigint; done: Promise<void> } | undefined

  const endRound = async (placed: readonly Placed[], { feeds, from, to }: Omit<Carried, 'keys'>): Promise<void> => {
    const [newest, hidden] = parted(newestOf(placed), ({ feed_id }) => options.directory.isSealed(feed_id))
    if (newest.length > 0) await atKeys(db, (tx) => share(tx, newest))
    // A first revision was nowhere else before.
    const moved = hidden.filter(({ revision }) => revision > 1)
    if (moved.length > 0) await atKeys(db, (tx) => sealedStore.hideShared(tx, moved))
    await atLog(db, logId, (tx) => store.moveNextIndex(tx, logId, to))
    const [first, next] = [placeOf(logId, from), placeOf(logId, to)]
    options.onCarried({ feeds, keys: newest.map(sharedKey), from: first, to: next })
  }

  /** Throws if the last round failed at its end: this one then begins where that one did. */
  const lastEnded = async (): Promise<void> => {
    const { done } = ending ?? {}
    ending = undefined
    await done
  }

  return {
    async round() {
      const from = ending?.to ?? (await store.nextIndex(db, logId))
      const { planned, proofs, taken } = await readFrom(from)
      if (taken === 0) {
        await lastEnded()
        return 0
      }
      const to = from + BigInt(taken)
      readAhead(to)
      const byFeed = Map.groupBy(planned, ({ feed_id }) => feed_id)
      const placed: Placed[] = []
      for (const [feed_id, own] of byFeed) placed.push(...(await place(options, { feed_id, planned: own, proofs })))
      // In the order of the log: a place is moved on only after all before it is done.
      await lastEnded()
      const done = endRound(placed, { feeds: [...byFeed.keys()], from, to })
      // The next round hears of its failure.
      done.catch(() => {})
      ending = { to, done }
      return taken
    },
  }
}

interface Read {
  planned: Planned[]
  proofs: Map<Uuid, Proof>
  /** Entries of the log. */
  taken: number
}

async function readEntries(options: ProjectorOptions, from: bigint): Promise<Read> {
  const { db, provenance, directory } = options
  const entries = await provenance.entriesFrom(db, { logId: options.logId, from, limit: ENTRIES_AT_ONCE })
  // An entry may tell of an audience that another process or thread has just made.
  if (entries.length > 0) await directory.refresh()
  const taken = await takenOf(options, entries)
  const found = await submissionsIn(options, taken)
  const planned: Planned[] = []
  const proofs = new Map<Uuid, Proof>()
  for (const entry of taken) {
    if (SIGNAL_KINDS.has(entry.kind)) {
      const told = toldBy(directory, entry)
      const submission = found.get(entry.event_id)
      if (submission === undefined) throw new Error(`log entry ${entry.idx} has no submission`)
      proofs.set(entry.event_id, proofOf(told, submission))
      planned.push(...planSubmission(told, submission, directory.feedOf))
    } else if (entry.kind === 'signal.expired') {
      const ended = await store.expiredBy(db, entry.participant_id, entry.event_id)
      planned.push(...ended.map((one) => planEnd(toldBy(directory, entry), one, directory.feedOf)))
    } else if (entry.kind === 'erasure') {
      const erased = await store.erasedBy(db, entry.participant_id, entry.event_id)
      planned.push(...erased.flatMap((one) => planErased(toldBy(directory, entry), one, directory.feedOf)))
    } else {
      planned.push(...(await planOther(options, entry, proofs)))
    }
  }
  return { planned, proofs, taken: taken.length }
}

/** Holds and their ends, and what participants tell each other; nothing of other kinds. */
async function planOther(
  { db, directory }: ProjectorOptions,
  entry: LoggedEvent,
  proofs: Map<Uuid, Proof>,
): Promise<Planned[]> {
  const { participant_id, event_id, kind } = entry
  // What is the programme's own is told by no participant.
  if (!HOLDS.has(kind) && !ACTS.has(kind)) return []
  const told = toldBy(directory, entry)
  if (kind === 'signal.held') {
    const held = there(entry, await store.heldBy(db, participant_id, event_id))
    return [planHeld(told, { ...held, erased: held.salt === null }, directory.feedOf)]
  }
  if (kind === 'signal.released') {
    const released = there(entry, await store.releasedBy(db, participant_id, event_id))
    const [submission] = await store.submissionsOf(db, participant_id, [released.submission_id])
    const { leaves } = there(entry, submission)
    const path = auditPaths(sha256, leavesOf(leaves))(released.item_index)
    proofs.set(event_id, proofOf(told, { submission: there(entry, submission), items: [], formerOf: () => undefined }))
    return [planReleased(told, { ...released, path, former: undefined }, directory.feedOf)]
  }
  const heard = ACTS.has(kind) ? heardIn(kind, there(entry, await actIn(db, entry))) : undefined
  if (heard === undefined) return []
  if (heard.proof !== undefined) proofs.set(event_id, { submission_id: event_id, body: heard.proof(told) })
  return [planHeard(told, heard, directory.inboxOf)]
}

const HOLDS: ReadonlySet<string> = new Set(['signal.held', 'signal.released'])
const ACTS: ReadonlySet<string> = new Set(['feedback.given', 'dispute.opened', 'dispute.closed'])

/** What a participant said to another in an entry. */
async function actIn(db: Db, { kind, participant_id, event_id }: LoggedEvent): Promise<Act | undefined> {
  if (kind === 'feedback.given') return store.feedbackOf(db, participant_id, event_id)
  if (kind === 'dispute.opened') return store.disputeOpenedBy(db, participant_id, event_id)
  return store.disputeClosedBy(db, participant_id, event_id)
}

function there<T>({ idx }: LoggedEvent, row: T | undefined): T {
  if (row === undefined) throw new Error(`log entry ${idx} has no row`)
  return row
}

/** As many of the entries as have about as many items as a round takes. */
async function takenOf({ db }: ProjectorOptions, entries: readonly LoggedEvent[]): Promise<readonly LoggedEvent[]> {
  const sizes = new Map<Uuid, number>()
  for (const [participant_id, ids] of bySource(entries)) {
    for (const { submission_id, n } of await store.sizesOf(db, participant_id, ids)) sizes.set(submission_id, n)
  }
  let items = 0
  const end = entries.findIndex(({ event_id }) => {
    const full = items >= ITEMS_AT_ONCE
    items += sizes.get(event_id) ?? 0
    return full
  })
  return end === -1 ? entries : entries.slice(0, end)
}

/** A submission with its accepted items in their order, and the texts that revisions and withdrawals follow. */
interface Found {
  submission: Awaited<ReturnType<typeof store.submissionsOf>>[number]
  items: readonly store.ProjectedItem[]
  formerOf(item: Revision): string | undefined
}

/** One question a source, however many submissions it has among the entries. */
async function submissionsIn({ db }: ProjectorOptions, entries: readonly LoggedEvent[]): Promise<Map<Uuid, Found>> {
  const found = new Map<Uuid, Found>()
  for (const [participant_id, ids] of bySource(entries)) {
    const submissions = await store.submissionsOf(db, participant_id, ids)
    const items = await store.itemsOf(db, participant_id, ids)
    const formerOf = await formerItems(db, participant_id, items)
    const own = Map.groupBy(items, ({ submission_id }) => submission_id)
    for (const submission of submissions) {
      const { submission_id } = submission
      found.set(submission_id, { submission, items: own.get(submission_id) ?? [], formerOf })
    }
  }
  return found
}

function bySource(entries: readonly LoggedEvent[]): [Uuid, Uuid[]][] {
  const submitted = entries.filter(({ kind }) => SIGNAL_KINDS.has(kind))
  const groups = Map.groupBy(submitted, ({ participant_id }) => participant_id)
  return [...groups].map(([participant_id, own]) => [participant_id, own.map(({ event_id }) => event_id)])
}

async function share(tx: Tx, newest: readonly Placed[]): Promise<void> {
  await store.upsertShared(tx, newest)
  await networkStore.upsertRelations(tx, newest.flatMap(relationRows))
}

const sharedKey = ({ signal_key, origin, audience_id }: Placed): SharedKey => ({
  prefix: signal_key.toString('hex', 0, PREFIX / 2),
  origin,
  audience_id,
})

function proofOf({ source }: Told, { submission }: Found): Proof {
  const { submission_id, n, jws, response } = submission
  const { countersignature } = JSON.parse(response) as { countersignature: object }
  const body = submissionBody({ submission_id, source, n, jws, countersignature: JSON.stringify(countersignature) })
  return { submission_id, body }
}

function planSubmission(
  told: Told,
  { submission, items, formerOf }: Found,
  feedOf: FeedDirectory['feedOf'],
): Planned[] {
  const path = auditPaths(sha256, leavesOf(submission.leaves))
  return items.flatMap((item) =>
    planItem(told, { ...item, path: path(item.item_index), former: formerOf(item) }, feedOf),
  )
}

type Revision = Pick<store.ProjectedItem, 'signal_id' | 'revision'>

/** The texts that revisions and withdrawals follow. */
async function formerItems(
  db: Db,
  participant_id: Uuid,
  items: readonly Revision[],
): Promise<(item: Revision) => string | undefined> {
  const later = items.filter(({ revision }) => revision > 1)
  const rows = later.length === 0 ? [] : await store.formerItems(db, participant_id, later)
  const texts = new Map(rows.map(({ signal_id, revision, item }) => [`${signal_id}/${revision}`, item]))
  return ({ signal_id, revision }) => texts.get(`${signal_id}/${revision - 1}`)
}

const toldBy = (directory: FeedDirectory, entry: LoggedEvent): Told => ({
  ...entry,
  // Feeds order the entries of all logs.
  idx: entry.place,
  source: directory.slugOf(entry.participant_id),
})

/** Gives the feed's events their dense places; what a former, unfinished round placed keeps its place. */
function place(
  { db, clock, directory, categoryId }: ProjectorOptions,
  { feed_id, planned, proofs }: { feed_id: Uuid; planned: readonly Planned[]; proofs: ReadonlyMap<Uuid, Proof> },
): Promise<Placed[]> {
  return atFeed(db, feed_id, async (tx) => {
    const head = await store.lockFeed(tx, feed_id)
    const known = planned.filter(({ event }) => event.log_idx <= head.applied_idx)
    const fresh = planned.filter(({ event }) => event.log_idx > head.applied_idx)
    const placed = known.length === 0 ? [] : placedBefore(feed_id, known, await placesOf(tx, feed_id, known))
    const last = fresh.at(-1)
    if (last === undefined) return placed
    const seqAt = (i: number): bigint => head.next_seq + BigInt(i)
    const entries = directory.isSealed(feed_id)
      ? await sealInto(tx, { feed_id, fresh, next_seq: head.next_seq, categoryId })
      : fresh.map(({ event }, i) => entryAt(feed_id, seqAt(i), event))
    await store.insertEntries(tx, feed_id, { entries, submissions: proofsOf(fresh, proofs) })
    const now = BigInt(clock().getTime()) * 1000n
    const added_us = now > head.added_us ? now : head.added_us + 1n
    await store.moveFeed(tx, feed_id, { next_seq: seqAt(fresh.length), applied_idx: last.event.log_idx, added_us })
    return [...placed, ...fresh.flatMap(({ shared }, i) => (shared ? [{ ...shared, feed_id, seq: seqAt(i) }] : []))]
  })
}

/** The events of a sealed feed, and beside them what their live signals are. */
async function sealInto(
  tx: Tx,
  round: { feed_id: Uuid; fresh: readonly Planned[]; next_seq: bigint; categoryId: SealOptions['categoryId'] },
): Promise<store.EntryRow[]> {
  const { feed_id, fresh, next_seq, categoryId } = round
  const ids = [...new Set(fresh.map(({ event }) => event.signal_id))]
  const standing = await sealedStore.sealedPlaces(tx, feed_id, ids)
  const { entries, kept, gone } = sealRound(fresh, { feed_id, next_seq, standing }, { categoryId, nonce })
  await sealedStore.upsertSealed(tx, feed_id, kept)
  await sealedStore.deleteSealed(tx, feed_id, gone)
  return entries
}

function placesOf(tx: Parameters<typeof store.placesOf>[0], feed_id: Uuid, known: readonly Planned[]) {
  // Planned in the order of the log.
  const [from = 0n, to = from] = [known[0]?.event.log_idx, known.at(-1)?.event.log_idx]
  return store.placesOf(tx, feed_id, { from, to })
}

/** The submissions that prove what their sources said. */
function proofsOf(fresh: readonly Planned[], proofs: ReadonlyMap<Uuid, Proof>): Proof[] {
  const cited = new Set(fresh.flatMap(({ event }) => (event.signed === undefined ? [] : [event.submission_id])))
  const byId = new Map([...proofs.values()].map((proof) => [proof.submission_id, proof]))
  return [...cited].flatMap((id) => byId.get(id) ?? [])
}

function parted<T>(all: readonly T[], apart: (one: T) => boolean): [T[], T[]] {
  const { rest = [], found = [] } = Object.groupBy(all, (one) => (apart(one) ? 'found' : 'rest'))
  return [rest, found]
}

const leavesOf = (packed: Buffer): Buffer[] =>
  Array.from({ length: packed.length / 32 }, (_, i) => packed.subarray(32 * i, 32 * i + 32))
