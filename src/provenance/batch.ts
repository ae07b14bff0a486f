import { type Uuid, uuidFromBytes } from '../kernel/ids.ts'

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

/** Bytes of the event's id, the participant's and the commitment, with which an entry begins. */
export const PACKED = 16 + 16 + 32

/** Whether a chain may be of that name: a participant's, or `node`. */
export const isParty = (name: string): boolean => /^[a-z0-9][a-z0-9-]{0,62}$/.test(name)

/** An entry that is written: the first three as one, as they come from the outbox. */
export interface PackedEntry extends Pick<BatchEntry, 'entry' | 'chains' | 'decoys'> {
  packed: Uint8Array
}

const text = new TextDecoder()
const COUNT_MAX = 0xffff

/** `u32` offset of each entry, then the entries; a row of the log for up to 4,096 leaves. */
export function encodeBatch(entries: readonly PackedEntry[]): Uint8Array {
  const lengths = entries.map(lengthOf)
  const out = new Uint8Array(lengths.reduce((sum, n) => sum + n, 4 * entries.length))
  const view = new DataView(out.buffer)
  let at = 4 * entries.length
  for (const [i, entry] of entries.entries()) {
    view.setUint32(4 * i, at)
    writeEntry(entry, { out, view, at })
    at += lengths[i] ?? 0
  }
  return out
}

/** The entry at `i`; throws a RangeError if the bytes are not a batch of more than `i` entries. */
export function decodeEntry(data: Uint8Array, i: number): BatchEntry {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  // The first entry begins where the offsets end.
  if (4 * i >= view.getUint32(0)) throw new RangeError('no such entry')
  return entryAt(data, view.getUint32(4 * i))
}

function entryAt(data: Uint8Array, at: number): BatchEntry {
  const read = reader(data, at)
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

/** Neighbours out of a batch: where each begins in the bytes of the whole, and their own bytes. */
export interface BatchRun {
  offsets: Uint8Array
  entries: Uint8Array
}

/** All entries of a run. */
export const decodeRun = (run: BatchRun): BatchEntry[] => placesIn(run).map((at) => entryAt(run.entries, at))

/** Of the entries of a run which events they are, and whose: all that those need who follow the log. */
export const idsInRun = (run: BatchRun): Pick<BatchEntry, 'event_id' | 'participant_id'>[] =>
  placesIn(run).map((at) => {
    const read = reader(run.entries, at)
    return { event_id: uuidFromBytes(read.bytes(16)), participant_id: uuidFromBytes(read.bytes(16)) }
  })

function placesIn({ offsets }: BatchRun): number[] {
  const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength)
  return Array.from({ length: offsets.length / 4 }, (_, i) => view.getUint32(4 * i) - view.getUint32(0))
}

const FIXED = PACKED + 33 + 2 + 2
const LINK_FIXED = 1 + 8 + 32 + 32

/** A party's name is ASCII. */
function lengthOf({ chains, decoys }: PackedEntry): number {
  let length = FIXED + 32 * decoys.length
  for (const { party } of chains) length += LINK_FIXED + party.length
  return length
}

function writeEntry(entry: PackedEntry, to: { out: Uint8Array; view: DataView; at: number }): void {
  const { out, view } = to
  const { packed, chains, decoys } = entry
  if (packed.length !== PACKED) throw new RangeError('not the ids and the commitment of an entry')
  out.set(packed, to.at)
  out.set(entry.entry, to.at + PACKED)
  let at = to.at + PACKED + 33
  view.setUint16(at, countOf(chains))
  at += 2
  for (const { party, seq, salt, link } of chains) {
    out[at] = party.length
    for (let i = 0; i < party.length; i++) out[at + 1 + i] = party.charCodeAt(i)
    at += 1 + party.length
    view.setBigUint64(at, seq)
    out.set(salt, at + 8)
    out.set(link, at + 40)
    at += 72
  }
  view.setUint16(at, countOf(decoys))
  at += 2
  for (const decoy of decoys) {
    out.set(decoy, at)
    at += 32
  }
}

/** A read batch may touch hundreds of sources, so a byte would not do. */
function countOf({ length }: readonly unknown[]): number {
  if (length > COUNT_MAX) throw new RangeError('an entry of more parties than can be counted')
  return length
}

function partyOf(bytes: Uint8Array): string {
  const party = text.decode(bytes)
  if (!isParty(party)) throw new RangeError('not the name of a party')
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
