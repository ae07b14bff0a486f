import { mkdirSync, rmSync } from 'node:fs'
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { newPiece, piecesOf } from './pieces.ts'

/**
 * Sealed segments as files beside the process, made of the database and as good as it: a segment never changes. Named by the
 * digest of its text. Who may read one is decided before anybody comes here.
 */
export interface SegmentFiles {
  /**
   * The bytes of a segment: a stream of its file if that is there and whole, which the caller reads or destroys, read into
   * what `take` gives; else what `fetch` gives, which is then kept.
   */
  open(
    segment: { digest: Buffer; size: number },
    fetch: () => Promise<Buffer | undefined>,
    take?: () => Buffer,
  ): Promise<Buffer | Readable | undefined>
  /** Removes the files of segments that an erasure has replaced: all but those that are named live. */
  sweep(live: (digests: readonly Buffer[]) => Promise<readonly Buffer[]>): Promise<number>
  /** Waits for what is being written. */
  close(): Promise<void>
}

export interface SegmentFilesOptions {
  /** Emptied at the start: a crash may have left half a file. */
  dir: string
  /** Of all files; the oldest goes first. */
  maxBytes: number
  /** Told of a file that could not be written; the segment is then read from the database again. */
  onError(error: unknown): void
}

export function createSegmentFiles({ dir, maxBytes, onError }: SegmentFilesOptions): SegmentFiles {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const held = new Map<string, number>()
  const writing = new Map<string, Promise<void>>()
  let total = 0
  const pathOf = (name: string): string => join(dir, `${name}.br`)

  const drop = async (name: string): Promise<void> => {
    total -= held.get(name) ?? 0
    held.delete(name)
    await rm(pathOf(name), { force: true })
  }

  const keep = async (name: string, bytes: Buffer): Promise<void> => {
    await writeFile(`${pathOf(name)}.new`, bytes, { mode: 0o600 })
    await rename(`${pathOf(name)}.new`, pathOf(name))
    held.set(name, bytes.length)
    total += bytes.length
    for (const oldest of held.keys()) {
      if (total <= maxBytes) return
      await drop(oldest)
    }
  }

  return {
    async open({ digest, size }, fetch, take = newPiece) {
      const name = digest.toString('hex')
      if (held.has(name)) {
        const kept = await openWhole(pathOf(name), size, take).catch(() => undefined)
        if (kept !== undefined) return kept
        await drop(name)
      }
      const bytes = await fetch()
      if (bytes !== undefined && !writing.has(name) && !held.has(name)) {
        const work = keep(name, bytes)
          .catch(onError)
          .finally(() => writing.delete(name))
        writing.set(name, work)
      }
      return bytes
    },
    async sweep(live) {
      await Promise.all(writing.values())
      const names = [...held.keys()]
      const kept = new Set(
        (await live(names.map((name) => Buffer.from(name, 'hex')))).map((digest) => digest.toString('hex')),
      )
      const gone = names.filter((name) => !kept.has(name))
      for (const name of gone) await drop(name)
      return gone.length
    },
    async close() {
      await Promise.all(writing.values())
    },
  }
}

async function openWhole(path: string, size: number, take: () => Buffer): Promise<Readable | undefined> {
  const file = await open(path)
  const whole = await file.stat().then(
    (stat) => stat.size === size,
    () => false,
  )
  if (whole) return piecesOf(file, size, take)
  await file.close()
  return undefined
}
