import { atFeed, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { randomSource } from '../kernel/random.ts'
import { NONCE_BYTES } from '../matching/sealed.ts'
import type { FeedDirectory } from './directory.ts'
import * as store from './placing-store.ts'
import { entryAt, type Placed, type Planned, placedBefore } from './plan.ts'
import type { Proof } from './project-read.ts'
import { type SealOptions, sealRound } from './seal.ts'
import * as sealedStore from './sealed-store.ts'
import { stampsAfter } from './stamp.ts'

export interface PlacingOptions {
  db: Db
  clock: Clock
  directory: Pick<FeedDirectory, 'isSealed'>
  /** Of a category, for the entries of sealed feeds. */
  categoryId: SealOptions['categoryId']
}

const nonce = randomSource(NONCE_BYTES)

/** Gives the feed's events their dense places; what a former, unfinished round placed keeps its place. */
export function place(
  { db, clock, directory, categoryId }: PlacingOptions,
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
    const stamps = stampsAfter(
      head.added_us,
      clock(),
      fresh.map(({ event }) => event.signal_id),
    )
    const stamped = entries.map((entry, i) => ({ ...entry, added_us: stamps[i] ?? head.added_us }))
    await store.insertEntries(tx, feed_id, { entries: stamped, submissions: proofsOf(fresh, proofs) })
    const added_us = stamps.at(-1) ?? head.added_us
    await store.moveFeed(tx, feed_id, { next_seq: seqAt(fresh.length), applied_idx: last.event.log_idx, added_us })
    return [...placed, ...fresh.flatMap(({ shared }, i) => (shared ? [{ ...shared, feed_id, seq: seqAt(i) }] : []))]
  })
}

/** The events of a sealed feed, and beside them what their live signals are. */
async function sealInto(
  tx: Tx,
  round: { feed_id: Uuid; fresh: readonly Planned[]; next_seq: bigint; categoryId: SealOptions['categoryId'] },
): Promise<Omit<store.EntryRow, 'added_us'>[]> {
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
