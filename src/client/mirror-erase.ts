import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder } from '../kernel/durable.ts'
import type { Received } from './client.ts'
import type { MirrorLine } from './mirror-lines.ts'

/** A signal, of whichever source calls it so. */
export interface ErasedName {
  source: string
  signal: string
}

const PIECE = 1_048_576

/** The sources that erased a signal, by its id. */
type ErasedNames = ReadonlyMap<string, ReadonlySet<string>>

export function erasedNames(names: readonly ErasedName[]): ErasedNames {
  const found = new Map<string, Set<string>>()
  for (const { source, signal } of names) found.set(signal, (found.get(signal) ?? new Set()).add(source))
  return found
}

/**
 * Takes the items of erased signals out of a mirror: the event stays in its place, in as many bytes. The former file is there
 * until the new one is on the disk. Answers how many items went; with none nothing is written.
 */
export function eraseInMirror(path: string, erased: readonly ErasedName[]): number {
  // Of one name: what a kill leaves goes when the erasure is repeated, for it may hold what is to be erased.
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const from = openSync(path, 'r')
  let gone = 0
  try {
    gone = copyWithout(from, temporary, erasedNames(erased))
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(from)
  }
  if (gone === 0) return 0
  renameSync(temporary, path)
  syncFolder(dirname(path))
  return gone
}

/** Answers how many items it left out; the copy is made where the first one is. */
function copyWithout(from: number, path: string, names: ErasedNames): number {
  let to: number | undefined
  let [gone, bytes] = [0, 0]
  const begin = (): number => {
    to = openSync(path, 'w', 0o600)
    copyStart(from, to, bytes)
    return to
  }
  try {
    for (const line of linesOf(from)) {
      const kept = stubLine(line, names)
      if (kept !== undefined) {
        gone += 1
        writeFileSync(to ?? begin(), kept)
      } else if (to !== undefined) writeFileSync(to, line)
      else bytes += Buffer.byteLength(line)
    }
    if (to !== undefined) fsyncSync(to)
    return gone
  } finally {
    if (to !== undefined) closeSync(to)
  }
}

/** So many bytes of the former file, which is read on from where it was. */
function copyStart(from: number, to: number, bytes: number): void {
  const piece = Buffer.alloc(PIECE)
  for (let at = 0; at < bytes; ) {
    const n = readSync(from, piece, 0, Math.min(PIECE, bytes - at), at)
    writeFileSync(to, piece.subarray(0, n))
    at += n
  }
}

/** Without the source's bytes; undefined for what holds none of an erased signal. */
export function withoutItem(received: Received, names: ErasedNames): Received | undefined {
  const { index: _, salt: __, item, path: ___, ...rest } = received.event
  if (item === undefined || names.get(rest.signal)?.has(rest.source) !== true) return undefined
  return { ...received, event: { ...rest, reason: 'erased' } }
}

/** Whoever noted how far it has read the file finds everything where it was. */
function stubLine(line: string, names: ErasedNames): string | undefined {
  if (!mayName(line, names)) return undefined
  const { event, proof } = JSON.parse(line) as MirrorLine
  const stub = event === undefined ? undefined : withoutItem({ event, proof }, names)
  if (stub === undefined) return undefined
  const text = JSON.stringify(stub)
  return `${text}${' '.repeat(Buffer.byteLength(line) - 1 - Buffer.byteLength(text))}\n`
}

/** By its members alone: within an item, which is a text, quotes are escaped. */
function mayName(line: string, names: ErasedNames): boolean {
  for (const [, signal = ''] of line.matchAll(/"signal":"([^"]*)"/g)) if (names.has(signal)) return true
  return false
}

/** With their newlines. */
function* linesOf(handle: number): Generator<string> {
  const piece = Buffer.alloc(PIECE)
  let rest = Buffer.alloc(0)
  for (;;) {
    const n = readSync(handle, piece, 0, PIECE, null)
    if (n === 0) break
    rest = Buffer.concat([rest, piece.subarray(0, n)])
    let start = 0
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      yield rest.toString('utf8', start, end + 1)
      start = end + 1
    }
    rest = rest.subarray(start)
  }
  if (rest.length > 0) yield rest.toString()
}
