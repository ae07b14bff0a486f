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

/**
 * Takes the items of erased signals out of a mirror: the event stays in its place, in as many bytes. The former file is there
 * until the new one is on the disk. Answers how many items went; with none nothing is written.
 */
export function eraseInMirror(path: string, names: readonly ErasedName[]): number {
  // Of one name: what a kill leaves goes when the erasure is repeated, for it may hold what is to be erased.
  const temporary = `${path}.new`
  const [from, to] = [openSync(path, 'r'), openSync(temporary, 'w', 0o600)]
  let gone = 0
  try {
    for (const line of linesOf(from)) {
      const kept = stubLine(line, names)
      if (kept !== undefined) gone += 1
      writeFileSync(to, kept ?? line)
    }
    fsyncSync(to)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(from)
    closeSync(to)
  }
  renameSync(temporary, path)
  syncFolder(dirname(path))
  return gone
}

/** Without the source's bytes; undefined for what holds none of an erased signal. */
export function withoutItem(received: Received, names: readonly ErasedName[]): Received | undefined {
  const { index: _, salt: __, item, path: ___, ...rest } = received.event
  if (item === undefined || !names.some(({ source, signal }) => rest.source === source && rest.signal === signal))
    return undefined
  return { ...received, event: { ...rest, reason: 'erased' } }
}

/** Whoever noted how far it has read the file finds everything where it was. */
function stubLine(line: string, names: readonly ErasedName[]): string | undefined {
  if (!names.some(({ signal }) => line.includes(signal))) return undefined
  const { event, proof } = JSON.parse(line) as MirrorLine
  const stub = event === undefined ? undefined : withoutItem({ event, proof }, names)
  if (stub === undefined) return undefined
  const text = JSON.stringify(stub)
  return `${text}${' '.repeat(Buffer.byteLength(line) - 1 - Buffer.byteLength(text))}\n`
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
