import { join } from 'node:path'
import type { FeedEventBody, Purpose, SnapshotInfo } from '../feeds/schema.ts'
import { fromHex } from '../kernel/bytes.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import { BITS_MAX, BUCKET_LEAST, prefixOf, prefixText } from '../matching/bucket.ts'
import { ENTRY_BYTES, type SealedKey, sealedKey, sealKid } from '../matching/sealed.ts'
import { createSealedTable, type SealedTable } from '../matching/sealed-table.ts'
import { HANDLING_NUMBER, type Handling } from '../signals/schema.ts'
import type { Client } from './client.ts'
import { odOf, promisedEntry } from './countersigned.ts'
import type { LookupKey } from './derive.ts'
import { AldisError, VerificationFailed } from './errors.ts'
import { readBytesIfThere } from './files.ts'
import type { Home } from './home.ts'
import { isOfKey } from './looked-up.ts'
import { keyOfReceipt, policyOfReceipt } from './next-log.ts'
import { RECORD_BYTES, RECORD_TAG_AT } from './sealed-mirror.ts'
import { checkReceipt, isOf, type VerifiedEvent, type Verifier } from './verify.ts'

/** A live entry that one of our keys opens. Who shared it, and everything else, is told when the signal is asked for. */
export interface SealedMatch {
  key: LookupKey
  audience: Uuid
  signal: Uuid
  /** The taxonomy's stable number. */
  category: number
  /** Undefined for one that this version does not know. */
  handling: Handling | undefined
  expires_at: Date
}

/** Finds our keys among sealed entries, wherever these come from. */
export interface PrivateLookUp {
  find(key: LookupKey): Promise<SealedMatch[]>
}

/** In the mirror that `syncFeeds` keeps of a sealed audience: the node hears nothing of what is asked. */
export function openSealedMirror(
  dir: string,
  { feed, audience, now = () => new Date() }: { feed: Uuid; audience: Uuid; now?: () => Date },
): PrivateLookUp & { readonly size: number } {
  // The node chose the name; a path in it would read elsewhere.
  const bytes = isUuid(feed) ? readBytesIfThere(join(dir, `${feed}.sealed`)) : undefined
  if (bytes === undefined) throw new VerificationFailed('mirror', 'there is none of this audience: run aldis sync')
  const table = createSealedTable(bytes, { stride: RECORD_BYTES, at: RECORD_TAG_AT })
  const entries = { bytes, table, at: RECORD_TAG_AT }
  return {
    size: table.size,
    find: async (key) => matchesIn(entries, { key, audience, now: now() }, keyIn(audience, key)),
  }
}

export interface BucketOptions {
  client: Client
  audience: Uuid
  purpose: Purpose
  /** The name of each answer's record in the read journal, and the answer's digest. */
  onRead?(read: string, digest: string): void
  now?: () => Date
}

/** By buckets: the node sees a prefix that many keys share, each bucket once. */
export function createBucketLookUp({ client, audience, purpose, onRead, now }: BucketOptions): PrivateLookUp {
  let snapshot: SnapshotInfo | undefined
  let buckets = new Map<number, Entries>()
  const at = now ?? (() => new Date())

  const bucketOf = async (tag: Uint8Array): Promise<Entries> => {
    snapshot ??= checked(await client.bucketSnapshot(audience))
    const { bits, entries } = snapshot
    const prefix = prefixOf(tag, bits)
    const known = buckets.get(prefix)
    if (known !== undefined) return known
    const { body, read, digest } = await client.bucket(snapshot, prefixText(prefix, bits), purpose)
    if (read !== '') onRead?.(read, digest)
    if (body.length !== entries * ENTRY_BYTES)
      throw new VerificationFailed('bucket', 'it has another size than its snapshot says')
    const bucket = { bytes: body, at: 0, table: createSealedTable(body, { stride: ENTRY_BYTES, at: 0 }) }
    buckets.set(prefix, bucket)
    return bucket
  }

  return {
    async find(key) {
      const sealed = keyIn(audience, key)
      const bucket = await bucketOf(sealed.tag).catch((error: unknown) => {
        if (!(error instanceof AldisError && error.code === 'not-found')) throw error
        // The snapshot is no longer the newest, nor the last but one.
        snapshot = undefined
        buckets = new Map()
        return bucketOf(sealed.tag)
      })
      return matchesIn(bucket, { key, audience, now: at() }, sealed)
    },
  }
}

/** A longer prefix than so many entries allow would tell the node more than it may know. */
function checked(snapshot: SnapshotInfo): SnapshotInfo {
  const { bits, entries } = snapshot
  const sane = Number.isInteger(bits) && bits >= 0 && bits <= BITS_MAX && Number.isSafeInteger(entries) && entries >= 0
  if (sane && (bits === 0 || entries >= BUCKET_LEAST)) return snapshot
  throw new VerificationFailed('bucket', 'the prefix is longer than its buckets allow')
}

interface Entries {
  bytes: Uint8Array
  /** Where a record's entry begins. */
  at: number
  table: SealedTable
}

function keyIn(audience: Uuid, { key }: LookupKey): SealedKey {
  const bytes = fromHex(key)
  if (bytes?.length !== 32) throw new TypeError('a match key is 64 characters of hex')
  return sealedKey(bytes, audience)
}

function matchesIn(
  { bytes, at, table }: Entries,
  { key, audience, now }: { key: LookupKey; audience: Uuid; now: Date },
  sealed: SealedKey,
): SealedMatch[] {
  const found = new Map<Uuid, SealedMatch>()
  for (const record of table.find(sealed.tag)) {
    const content = sealed.open(sealKid(key.profile), bytes.subarray(record + at, record + at + ENTRY_BYTES))
    if (content === undefined || content.expires_at <= now) continue
    const { signal, category, expires_at } = content
    found.set(signal, { key, audience, signal, category, handling: handlingOf(content.handling), expires_at })
  }
  return [...found.values()]
}

const handlingOf = (number: number): Handling | undefined =>
  (Object.keys(HANDLING_NUMBER) as Handling[]).find((name) => HANDLING_NUMBER[name] === number)

/** A signal as its source signed it, once its entry was opened. */
export interface Opened extends VerifiedEvent {
  item: Record<string, unknown>
  match: SealedMatch
  /** The commitment of the entry that the node promised its log holds of it, base64url. */
  promised: string
}

/**
 * Asks for the signal behind a match: the disclosure, recorded before it is answered. Empty if it has ended since. Throws
 * `VerificationFailed` unless a source signed it for this audience, and for the very key that we asked with.
 */
export async function openMatch(
  { client, verifier, node }: { client: Client; verifier: Verifier; node: Parameters<typeof promisedEntry>[1] },
  match: SealedMatch,
  { purpose, onRead }: { purpose: Purpose; onRead?: (read: string, digest: string) => void },
): Promise<Opened[]> {
  const answer = await client.open(match.audience, match.signal, purpose).catch((error: unknown) => {
    if (error instanceof AldisError && error.code === 'not-found') return undefined
    throw error
  })
  if (answer === undefined) return []
  onRead?.(answer.read, answer.digest)
  const proofs = new Map(answer.submissions.map((proof) => [proof.event, proof]))
  const opened = answer.events.flatMap((event): Opened[] => {
    const proof = proofs.get(event.event)
    const verified = verifier.event({ event, proof })
    const { item } = verified
    if (proof === undefined || item === undefined || !isOfMatch(event, item, match)) return []
    const { jws, countersignature } = proof
    const promised = promisedEntry({ payload: jws.payload, od: odOf(jws), countersignature }, node)
    return [{ ...verified, item, match, promised }]
  })
  if (opened.length > 0) return opened
  throw new VerificationFailed('opening', 'no source signed this signal for the key that we hold')
}

/** Another source may have a signal of the same id: only those of our key are what was asked for. */
const isOfMatch = (
  event: FeedEventBody,
  item: Record<string, unknown>,
  { signal, audience, key }: SealedMatch,
): boolean => event.signal === signal && item['audience'] === audience && isOfKey(item, key)

/**
 * The receipt of what a source submitted, verified as all that the folder keeps; undefined while its checkpoint is still to come. Throws
 * `VerificationFailed` if it is of something else than the node promised.
 */
export async function receiptFor(
  client: Client,
  { event, promised }: Opened,
  home: Pick<Home, 'dir' | 'pinned' | 'pinnedPolicy'>,
): Promise<string | undefined> {
  const text = await client.receipt(event.event, {}, 0)
  if (text === undefined) return undefined
  const key = keyOfReceipt(home, text)
  const { passed, steps } = checkReceipt(text, key, policyOfReceipt(home, key))
  if (passed && isOf(text, promised)) return text
  const why = steps.find((step) => step.why !== undefined)?.why
  throw new VerificationFailed('receipt', why ?? 'it is of another entry than the node promised')
}
