import { concat, type Hash, type HashRows, u32, u64, utf8 } from '../kernel/bytes.ts'
import { hmac, hmacRows } from '../kernel/hmac.ts'
import { type Uuid, uuidBytes } from '../kernel/ids.ts'
import { auditPath, leafHash, leafHashesOf, treeHash, treeHashOf } from './merkle.ts'

const DIGEST = 32
/** The data of a leaf: a salt, a signal's id and a revision. */
const LEAF = DIGEST + 16 + 4
/** Laying out rows takes longer than hashing fewer of them one by one. */
const MANY = 8

/** One signal revision that an answer gave out. */
export interface ReadItem {
  signal: Uuid
  revision: number
}

/** k_p = HMAC-SHA-256(set_salt, "prov-set/v1\n" p "\n"). */
export const setKey = (hash: Hash, salt: Uint8Array, party: string): Uint8Array =>
  hmac(hash, salt, utf8(`prov-set/v1\n${party}\n`))

/** Leaf data of item i: HMAC-SHA-256(k_p, u64(i)) || signal id 16 || u32 revision. */
export const setLeaf = (hash: Hash, key: Uint8Array, i: number, item: ReadItem): Uint8Array =>
  itemLeaf(hmac(hash, key, u64(BigInt(i))), item)

/** The same from the item's own salt, which tells nothing of the key that made it. */
export const itemLeaf = (salt: Uint8Array, { signal, revision }: ReadItem): Uint8Array =>
  concat(salt, uuidBytes(signal), u32(revision))

/** The root over one source's items of one answer, in the answer's order. */
export const setRoot = (
  hash: Hash,
  salt: Uint8Array,
  party: string,
  items: readonly ReadItem[],
  /** The same hash, of many messages at once. */
  rows?: HashRows,
): Uint8Array =>
  rows === undefined || items.length < MANY
    ? treeHash(hash, setLeaves(hash, salt, party, items))
    : treeHashOf(hash, rows, leavesTogether(hash, rows, setKey(hash, salt, party), items))

/** The leaf hash and audit path of one item: proof that it was given out, telling nothing of the others. */
export function setProof(
  hash: Hash,
  set: { salt: Uint8Array; party: string; items: readonly ReadItem[] },
  index: number,
): { data: Uint8Array; path: Uint8Array[] } {
  const item = set.items[index]
  if (item === undefined) throw new RangeError('no such item')
  const data = setLeaf(hash, setKey(hash, set.salt, set.party), index, item)
  return { data, path: auditPath(hash, setLeaves(hash, set.salt, set.party, set.items), index) }
}

/** A source's root in a batch: MTH over u32(j) || set root of the reads j that gave out something of it. */
export const sourceRoot = (hash: Hash, sets: readonly SourceRead[]): Uint8Array =>
  treeHash(
    hash,
    sets.map((set) => sourceLeaf(hash, set)),
  )

/** The set root of a read, by the read's place in its batch. */
export interface SourceRead {
  read: number
  root: Uint8Array
}

export const sourceLeaf = (hash: Hash, { read, root }: SourceRead): Uint8Array =>
  leafHash(hash, concat(u32(read), root))

/** The audit path of one read's set to the source's root. */
export const sourcePath = (hash: Hash, sets: readonly SourceRead[], place: number): Uint8Array[] =>
  auditPath(
    hash,
    sets.map((set) => sourceLeaf(hash, set)),
    place,
  )

function setLeaves(hash: Hash, salt: Uint8Array, party: string, items: readonly ReadItem[]): Uint8Array[] {
  const key = setKey(hash, salt, party)
  return items.map((item, i) => leafHash(hash, setLeaf(hash, key, i, item)))
}

/** The same, one after the other. */
function leavesTogether(hash: Hash, rows: HashRows, key: Uint8Array, items: readonly ReadItem[]): Uint8Array {
  const [numbers, leaves] = [new Uint8Array(8 * items.length), new Uint8Array(LEAF * items.length)]
  const [number, leaf] = [new DataView(numbers.buffer), new DataView(leaves.buffer)]
  for (let i = 0; i < items.length; i++) number.setBigUint64(8 * i, BigInt(i))
  const salts = hmacRows(hash, rows, key, numbers, 8)
  for (const [i, { signal, revision }] of items.entries()) {
    leaves.set(salts.subarray(DIGEST * i, DIGEST * (i + 1)), LEAF * i)
    leaves.set(uuidBytes(signal), LEAF * i + DIGEST)
    leaf.setUint32(LEAF * i + DIGEST + 16, revision)
  }
  return leafHashesOf(rows, leaves, LEAF)
}
