import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { equal } from '../kernel/bytes.ts'
import {
  DIGEST,
  type MatchFileHeader,
  type PatternEntry,
  PREAMBLE_BYTES,
  readHeader,
  readPatterns,
  readPreamble,
  SECTIONS,
  type Section,
} from '../matching/match-file.ts'
import { type MatchFault, MatchFileRefused } from '../matching/refused.ts'

/** A match file that is whole. Its records stay on the disk, the other parts are read at once. */
export interface MatchReader {
  readonly header: MatchFileHeader
  /** A part as it stands. Its buffer can be shared with a thread. */
  section(name: Exclude<Section, 'records'>): Uint8Array
  patterns(): PatternEntry[]
  /** Bytes of the records from `at` on, fewer where they end. The buffer is the next call's too. */
  records(at: number, bytes: number): Uint8Array
  allRecords(): Uint8Array
  close(): void
}

const PIECE = 4 * 1024 * 1024

/**
 * Opens a match file and checks its digest, in one pass. Throws `MatchFileRefused`. A file that is replaced later stays open
 * as it was.
 */
export function openMatchFile(path: string): MatchReader {
  const handle = opened(path)
  try {
    return readerOf(path, handle)
  } catch (error) {
    closeSync(handle)
    throw error
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new MatchFileRefused('missing', path)
    throw error
  }
}

function readerOf(path: string, handle: number): MatchReader {
  const refuse = (reason: MatchFault): never => {
    throw new MatchFileRefused(reason, path)
  }
  const { size } = fstatSync(handle)
  const start = readAt(handle, new Uint8Array(Math.min(PREAMBLE_BYTES, size)), 0)
  const preamble = readPreamble(start, size)
  if (preamble.outcome === 'refused') return refuse(preamble.reason)
  const text = readAt(handle, new Uint8Array(preamble.header), PREAMBLE_BYTES)
  const header = readHeader(Buffer.from(text).toString(), size) ?? refuse('damaged')
  const kept = keptSections(header)
  if (!equal(digestOf(handle, { size, kept, header }), start.subarray(...DIGEST))) return refuse('damaged')
  const { at, bytes } = header.sections.records
  let room = new Uint8Array(0)
  return {
    header,
    section: (name) => kept[name],
    patterns: () => readPatterns(Buffer.from(kept.patterns).toString(), header.counts.signals) ?? refuse('damaged'),
    records(from, n) {
      const most = Math.max(0, Math.min(n, bytes - from))
      if (room.length < most) room = new Uint8Array(most)
      return readAt(handle, room.subarray(0, most), at + from)
    },
    allRecords: () => readAt(handle, new Uint8Array(bytes), at),
    close: () => closeSync(handle),
  }
}

type Kept = Record<Exclude<Section, 'records'>, Uint8Array>

const keptSections = ({ sections }: MatchFileHeader): Kept => {
  const room = (name: Section): Uint8Array => new Uint8Array(new SharedArrayBuffer(sections[name].bytes))
  return { table: room('table'), pdq: room('pdq'), patterns: room('patterns') }
}

interface Whole {
  size: number
  kept: Kept
  header: MatchFileHeader
}

/** Reads the whole file once: for the digest, and what is kept of it. */
function digestOf(handle: number, { size, kept, header }: Whole): Uint8Array {
  const hash = createHash('sha256')
  const piece = new Uint8Array(PIECE)
  for (let at = 0; at < size; at += PIECE) {
    const bytes = readAt(handle, piece.subarray(0, Math.min(PIECE, size - at)), at)
    if (at === 0) bytes.fill(0, ...DIGEST)
    hash.update(bytes)
    for (const name of SECTIONS) {
      if (name !== 'records') copyOverlap(kept[name], header.sections[name].at, { bytes, at })
    }
  }
  return hash.digest()
}

/** What a piece of the file has of a section that begins at `start`. */
function copyOverlap(section: Uint8Array, start: number, { bytes, at }: { bytes: Uint8Array; at: number }): void {
  const from = Math.max(start, at)
  const to = Math.min(start + section.length, at + bytes.length)
  if (from < to) section.set(bytes.subarray(from - at, to - at), from - start)
}

/** Fills `into`; a file that ends before was cut after it was measured. */
function readAt(handle: number, into: Uint8Array, at: number): Uint8Array {
  for (let done = 0; done < into.length; ) {
    const n = readSync(handle, into, done, into.length - done, at + done)
    if (n === 0) throw new MatchFileRefused('truncated', 'the match file')
    done += n
  }
  return into
}
