import { concat, u16, u32, u64, utf8 } from '../kernel/bytes.ts'
import { type Uuid, uuidBytes, uuidFromBytes } from '../kernel/ids.ts'

/** One chain link inside an entry. */
export interface ChainLink {
  party: string
  seq: bigint
  salt: Uint8Array
  link: Uint8Array
}

/** What the integrator keeps of one entry, enough to recompute it without the record. */
export interface BatchEntry {
  event_id: Uuid
  participant_id: Uuid
  c: Uint8Array
  entry: Uint8Array
  chains: readonly ChainLink[]
  decoys: readonly Uint8Array[]
}

const text = new TextDecoder()
const PARTY = /^[a-z0-9][a-z0-9-]{0,62}$/
const COUNT_MAX = 0xffff

/** `u32` offset of each entry, then the entries; a row of the log for up to 4,096 leaves. */
export function encodeBatch(entries: readonly BatchEntry[]): Uint8Array {
  const parts = entries.map(encodeEntry)
  let at = 4 * entries.length
  const offsets = parts.map((part) => {
    const offset = u32(at)
    at += part.length
    return offset
  })
  return concat(...offsets, ...parts)
}

/** The entry at `i`; throws a RangeError if the bytes are not a batch of more than `i` entries. */
export function decodeEntry(data: Uint8Array, i: number): BatchEntry {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  // The first entry begins where the offsets end.
  if (4 * i >= view.getUint32(0)) throw new RangeError('no such entry')
  const read = reader(data, view.getUint32(4 * i))
  const event_id = uuidFromBytes(read.bytes(16))
  const participant_id = uuidFromBytes(read.bytes(16))
  const c = read.bytes(32)
  const entry = read.bytes(33)
  const chains = Array.from({ length: read.u16() }, () => ({
    party: partyOf(read.bytes(read.byte())),
    seq: read.u64(),
    salt: read.bytes(32),
    link: read.bytes(32),
  }))
  const decoys = Array.from({ length: read.u16() }, () => read.bytes(32))
  return { event_id, participant_id, c, entry, chains, decoys }
}

/** All entries of a batch of `n`. */
export const decodeBatch = (data: Uint8Array, n: number): BatchEntry[] =>
  Array.from({ length: n }, (_, i) => decodeEntry(data, i))

function encodeEntry({ event_id, participant_id, c, entry, chains, decoys }: BatchEntry): Uint8Array {
  const links = chains.flatMap(({ party, seq, salt, link }) => {
    const name = utf8(party)
    return [Uint8Array.of(name.length), name, u64(seq), salt, link]
  })
  return concat(
    uuidBytes(event_id),
    uuidBytes(participant_id),
    c,
    entry,
    countOf(chains),
    ...links,
    countOf(decoys),
    ...decoys,
  )
}

/** A read batch may touch hundreds of sources, so a byte would not do. */
function countOf({ length }: readonly unknown[]): Uint8Array {
  if (length > COUNT_MAX) throw new RangeError('an entry of more parties than can be counted')
  return u16(length)
}

function partyOf(bytes: Uint8Array): string {
  const party = text.decode(bytes)
  if (!PARTY.test(party)) throw new RangeError('not the name of a party')
  return party
}

function reader(data: Uint8Array, start: number) {
  let at = start
  const bytes = (n: number): Uint8Array => {
    if (at + n > data.length) throw new RangeError('batch ends early')
    at += n
    return data.subarray(at - n, at)
  }
  const byte = (): number => bytes(1)[0] ?? 0
  const view = (n: number): DataView => new DataView(data.buffer, bytes(n).byteOffset, n)
  return { bytes, byte, u16: () => view(2).getUint16(0), u64: () => view(8).getBigUint64(0) }
}
