import { Compile } from 'typebox/compile'
import type { Hash } from '../kernel/bytes.ts'
import { ExportEntry, ExportRead } from '../provenance/schema.ts'
import { decodeBundle } from '../provenance/tile.ts'
import type { VerifiedLog } from '../provenance/verified-log.ts'
import { type Entry, type Inner, openEntry, openRead } from './entry.ts'

/** A line that is none of its file: what was fetched is damaged, which says nothing of the log. */
export class LineMalformed extends Error {
  constructor(what: string) {
    super(`${what} is malformed: fetch it again`)
    this.name = 'LineMalformed'
  }
}

export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What there is to look at, in the order of the log; `close` follows the last read of an entry. */
export type Step =
  | { at: 'entry' | 'close'; entry: Entry }
  | { at: 'read'; entry: Entry; inner: Inner }
  | { at: 'missing'; index: bigint }

const [isEntry, isRead] = [Compile(ExportEntry), Compile(ExportRead)]

/** Each entry of the tree with its record, numbered from `begin` on; nothing more is told behind the last record. */
export async function* stepsOf(
  hash: Hash,
  log: VerifiedLog,
  texts: AsyncIterable<string>,
  begin = 0n,
): AsyncGenerator<Step> {
  const lines = texts[Symbol.asyncIterator]()
  try {
    let line = await nextLine(lines)
    for await (const { index, bytes } of leavesOf(log)) {
      if (line === undefined || 'read' in line || BigInt(line.index) !== index) {
        yield { at: 'missing', index }
        if (line === undefined) return
        continue
      }
      const entry = { ...openEntry(hash, line, bytes), index: begin + index }
      yield { at: 'entry', entry }
      for (line = await nextLine(lines); line !== undefined && 'read' in line; line = await nextLine(lines))
        yield { at: 'read', entry, inner: openRead(hash, line) }
      yield { at: 'close', entry }
    }
  } finally {
    await lines.return?.()
  }
}

async function nextLine(lines: AsyncIterator<string>): Promise<ExportEntry | ExportRead | undefined> {
  const next = await lines.next()
  if (next.done === true) return undefined
  const value = jsonIn(next.value)
  if (isEntry.Check(value) || isRead.Check(value)) return value
  throw new LineMalformed('a record')
}

async function* leavesOf(log: VerifiedLog): AsyncGenerator<{ index: bigint; bytes: Uint8Array }> {
  let index = 0n
  for await (const { path, data } of log.walk()) {
    if (!path.startsWith('tile/entries/')) continue
    for (const bytes of decodeBundle(data) ?? []) {
      yield { index, bytes }
      index += 1n
    }
  }
}
