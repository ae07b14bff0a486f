import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url, toHex } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { prefixNumber } from '../matching/bucket.ts'
import type { ProvenanceService } from '../provenance/service.ts'
import { bySource, type Disclosed, openingBody, type Reader } from './answer.ts'
import { readAsOf } from './as-of.ts'
import type { FeedDirectory } from './directory.ts'
import type { OnLookUps } from './lookup.ts'
import type { Purpose, SnapshotInfo } from './schema.ts'
import * as sealed from './sealed-store.ts'
import * as store from './store.ts'

/** Look-ups in a sealed audience. Another than the reader's sealed audiences is as one that never was. */
export interface SealedLookUp {
  /** The newest snapshot, and how long its prefixes are. */
  snapshot(by: Reader, audience: Uuid): Promise<SnapshotInfo>
  /** The entries of a bucket, which tell the reader nothing but of the keys that it has. */
  bucket(by: Reader, asked: AskedBucket): Promise<DisclosedBucket>
  /** A signal whose entry the reader has opened: the disclosure. */
  open(by: Reader, asked: { audience: Uuid; signal: Uuid; purpose: Purpose }): Promise<Disclosed>
}

export interface AskedBucket {
  audience: Uuid
  snapshot: bigint
  prefix: string
  purpose: Purpose
}

export interface DisclosedBucket {
  body: Buffer
  /** SHA-256 of the body, hex. */
  digest: string
  read: string
}

export interface SealedLookUpOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  directory: FeedDirectory
  /** Told of each bucket and each opening, which is asked for by one key. */
  onLookUps: OnLookUps
  /** Of each statement. */
  timeoutMs: number
}

export function createSealedLookUp(options: SealedLookUpOptions): SealedLookUp {
  const { db, timeoutMs, onLookUps } = options
  return {
    async snapshot(by, audience) {
      const feed = sealedFeedOf(options, by, audience)
      return asParticipant(db, by.participant, (tx) => describe(tx, feed, audience), { timeoutMs })
    },
    async bucket(by, asked) {
      const feed = sealedFeedOf(options, by, asked.audience)
      options.provenance.admitLookUp()
      const given = await asParticipant(db, by.participant, (tx) => giveBucket(options, tx, { by, feed, asked }), {
        timeoutMs,
      })
      onLookUps([{ keys: 1, matches: 0 }])
      return given
    },
    async open(by, { audience, signal, purpose }) {
      const feed = sealedFeedOf(options, by, audience)
      options.provenance.admitLookUp()
      const { matches, ...opened } = await asParticipant(
        db,
        by.participant,
        (tx) => open(options, tx, { by, feed, signal, purpose }),
        { timeoutMs },
      )
      onLookUps([{ keys: 1, matches }])
      return opened
    },
  }
}

function sealedFeedOf({ directory }: SealedLookUpOptions, { participant }: Reader, audience: Uuid): Uuid {
  const member = directory.audiencesOf(participant).some(({ audience_id }) => audience_id === audience)
  const feed = member ? directory.feedOf(audience) : undefined
  if (feed === undefined || !directory.isSealed(feed)) throw new Refusal('not-found')
  return feed
}

/** Rounds that divide come every two seconds, and a large audience takes a few: a client's five tries outlast both. */
const DIVISION_SECONDS = 4

async function describe(tx: Tx, feed: Uuid, audience: Uuid): Promise<SnapshotInfo> {
  const newest = await sealed.newestSnapshot(tx, feed)
  if (newest === undefined) throw new Refusal('busy', { retryAfter: DIVISION_SECONDS })
  const { snapshot, bits, width } = newest
  if (bits === null) throw new Refusal('mirror-only')
  return { audience, snapshot: String(snapshot), bits, entries: width }
}

async function giveBucket(
  { provenance }: SealedLookUpOptions,
  tx: Tx,
  { by, feed, asked }: { by: Reader; feed: Uuid; asked: AskedBucket },
): Promise<DisclosedBucket> {
  const { snapshot, purpose } = asked
  const known = await sealed.snapshotAt(tx, feed, snapshot)
  const prefix = known === undefined || known.bits === null ? undefined : prefixNumber(asked.prefix, known.bits)
  const row = prefix === undefined ? undefined : await sealed.bucketAt(tx, feed, { snapshot, prefix })
  if (row === undefined || known === undefined) throw new Refusal('not-found')
  const digest = sha256(row.body)
  const given = { body: row.body, digest: toHex(digest) }
  // An empty one gives nothing out.
  if (known.width === 0) return { ...given, read: '' }
  const read = provenance.prepareRead({
    route: by.route,
    as_of: { audience: asked.audience, snapshot: String(snapshot) },
    n: known.width,
    body: toBase64Url(digest),
    purpose,
    sources: [],
  })
  const [name = ''] = await provenance.insertReads(tx, by.participant, [read])
  return { ...given, read: name }
}

async function open(
  { clock, directory, provenance }: SealedLookUpOptions,
  tx: Tx,
  { by, feed, signal, purpose }: { by: Reader; feed: Uuid; signal: Uuid; purpose: Purpose },
): Promise<Disclosed & { matches: number }> {
  const { as_of, placed: rows } = await readAsOf(async () => {
    // In this order: the rows are at least as far as the index says.
    const at = await provenance.projected(tx)
    return { as_of: at, placed: await sealed.sealedSignals(tx, feed, signal, clock()) }
  })
  if (rows.length === 0) throw new Refusal('not-found')
  const ids = [...new Set(rows.map(({ submission_id }) => submission_id))]
  const proofs = (await store.submissionBodies(tx, feed, ids)).map(({ body }) => body)
  const body = openingBody({ rows, proofs, as_of })
  const read = provenance.prepareRead({
    route: by.route,
    as_of: { log: String(as_of) },
    n: rows.length,
    body: toBase64Url(sha256(Buffer.from(body))),
    purpose,
    sources: bySource(rows, directory.slugOf),
  })
  const [name = ''] = await provenance.insertReads(tx, by.participant, [read])
  return { body, read: name, matches: rows.length }
}
