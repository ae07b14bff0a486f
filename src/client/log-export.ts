import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { equal } from '../kernel/bytes.ts'
import { makeFolderDurably, writeDurably } from '../kernel/durable.ts'
import { sha256 } from '../kernel/sha256.ts'
import { isFinal, LogFault, type LogSource, readCheckpoint } from '../provenance/log-source.ts'
import { prefixRoot } from '../provenance/proof.ts'
import { openVerified, type VerifiedLog } from '../provenance/verified-log.ts'
import { VerificationFailed } from './errors.ts'
import { readIfThere } from './files.ts'
import { folderLog } from './log-source.ts'
import { type KeptHead, openHead, openVkey } from './verify.ts'

export interface ExportOptions {
  /** Where what is missing comes from. */
  source: LogSource
  /** The key that the log is pinned to (C2SP signed-note). */
  vkey: string
  /** What is exported; the source's newest checkpoint unless given. */
  head?: KeptHead
  dir: string
  /** Entries that are in the folder by now. */
  onProgress?(entries: bigint, size: bigint): void
}

export interface Exported {
  size: bigint
  /** Files that came from the source, and full ones that were in the folder and verify. */
  fetched: number
  kept: number
  /** Files of the folder that did not verify and were fetched anew. */
  repaired: readonly string[]
}

/**
 * Writes the whole tree under one checkpoint into a folder that any web server can serve: each file is verified up to the
 * signed root before it is written, durably; the checkpoint comes last. What a broken export left is gone on with. Throws
 * `LogFault` where the source has another tree than it signed, `VerificationFailed` where the folder holds another log.
 */
export async function exportLog(options: ExportOptions): Promise<Exported> {
  const { source, dir } = options
  const key = openVkey(options.vkey)
  const head = options.head ?? openHead(await readCheckpoint(source), key)
  const before = readIfThere(join(dir, 'checkpoint'))
  const old = before === undefined ? undefined : openHead(before, key)
  if (old !== undefined && old.size > head.size)
    throw new VerificationFailed('export', `the folder holds ${old.size} entries already, the log has ${head.size}`)
  // Before anything is written: what the folder has of another history is evidence.
  if (old !== undefined) await expectContinued(await openVerified(sha256, source, head), old, head)
  const written = await writeTree(options, head)
  write(dir, 'vkey', `${options.vkey.trim()}\n`)
  write(dir, 'checkpoint', head.note)
  return { size: head.size, ...written }
}

/** Again from the beginning where a file of the folder is wrong: what is right there is not fetched twice. */
async function writeTree({ source, dir, onProgress }: ExportOptions, head: KeptHead): Promise<Omit<Exported, 'size'>> {
  const repaired: string[] = []
  for (;;) {
    const both = preferring(folderLog(dir), source)
    try {
      const log = await openVerified(sha256, both, head)
      for await (const { path, data, entries } of log.walk()) {
        if (!both.kept.has(path)) write(dir, path, data)
        onProgress?.(entries, head.size)
      }
      return { fetched: both.fetched(), kept: both.kept.size, repaired }
    } catch (error) {
      if (!(error instanceof LogFault) || !both.kept.has(error.path)) throw error
      repaired.push(error.path)
      rmSync(join(dir, error.path))
    }
  }
}

/** Final files from the folder, where they are there; everything else from the source. */
function preferring(folder: LogSource, source: LogSource): LogSource & { kept: Set<string>; fetched(): number } {
  const kept = new Set<string>()
  let fetched = 0
  return {
    kept,
    fetched: () => fetched,
    async read(path, most) {
      const own = isFinal(path) ? await ownUpTo(folder, path, most) : undefined
      if (own !== undefined) {
        kept.add(path)
        return own
      }
      fetched += 1
      return source.read(path, most)
    },
  }
}

/** A file of the folder that is too long is as good as none: it is written over. */
const ownUpTo = (folder: LogSource, path: string, most: number): Promise<Uint8Array | undefined> =>
  folder.read(path, most).catch((error: unknown) => {
    if (error instanceof LogFault) return undefined
    throw error
  })

async function expectContinued(log: VerifiedLog, old: KeptHead, head: KeptHead): Promise<void> {
  if (!equal(await prefixRoot(sha256, log.tile, old.size, head.size), old.root))
    throw new VerificationFailed(
      'export',
      `the log of ${head.size} entries does not continue the folder's of ${old.size}`,
    )
}

function write(dir: string, path: string, data: string | Uint8Array): void {
  const file = join(dir, path)
  makeFolderDurably(dirname(file))
  writeDurably(file, data)
}
