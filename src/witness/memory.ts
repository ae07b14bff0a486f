import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createDurably } from '../client/files.ts'
import { toHex } from '../kernel/bytes.ts'
import { StartRefused } from '../kernel/errors.ts'
import { sha256 } from '../kernel/sha256.ts'
import { type Checkpoint, originHash, parseCheckpoint } from '../provenance/checkpoint.ts'
import { parseNote } from '../provenance/note.ts'

/** The newest checkpoint that was cosigned of one log. */
export interface Remembered {
  checkpoint: Checkpoint
  /** With the log's signature and ours, verbatim. */
  note: string
  generation: bigint
}

/** What a witness must never forget: each log's newest cosigned checkpoint. */
export interface Memory {
  /** Undefined before the first. */
  latest(origin: string): Remembered | undefined
  /** From exactly what was read to the next, durable before it returns; `lost` where another process was quicker. */
  keep(origin: string, from: Remembered | undefined, note: string): 'kept' | 'lost'
  /** The newest note of the log whose origin has this hash, in hex. */
  noteOf(hexHash: string): string | undefined
}

const NAME = /^[0-9]{19}$/
/** Generations kept below the newest: of two processes one may be that far behind the other. */
const KEPT = 16n

const nameOf = (generation: bigint): string => String(generation).padStart(19, '0')

/**
 * A folder for each log, in it one file a generation; the highest counts. To move on is to make the next name, which fails
 * if it is there: not even two processes on one folder can cosign two trees of a size. Always read from the disk.
 */
export function openMemory(dir: string): Memory {
  const folderOf = (hexHash: string): string => join(dir, 'logs', hexHash)
  const folder = (origin: string): string => folderOf(toHex(originHash(sha256, origin)))

  const latest: Memory['latest'] = (origin) => {
    const found = newest(folder(origin))
    if (found === undefined) return undefined
    const checkpoint = parseCheckpoint(parseNote(found.note)?.text ?? '')
    if (checkpoint?.origin !== origin) throw new StartRefused(`${found.path}: is no checkpoint of its log`)
    return { checkpoint, note: found.note, generation: found.generation }
  }

  return {
    latest,
    noteOf: (hexHash) => newest(folderOf(hexHash))?.note,
    keep(origin, from, note) {
      const place = folder(origin)
      mkdirSync(place, { recursive: true, mode: 0o700 })
      const generation = (from?.generation ?? 0n) + 1n
      const path = join(place, nameOf(generation))
      if (createDurably(path, note, 0o600) === 'there') return 'lost'
      const all = generationsOf(place)
      // So far behind that the name had been cleared away: the others' newer one counts.
      if (all.some((other) => other > generation)) {
        rmSync(path)
        return 'lost'
      }
      for (const old of all) if (old + KEPT < generation) rmSync(join(place, nameOf(old)), { force: true })
      return 'kept'
    },
  }
}

function newest(place: string): { path: string; note: string; generation: bigint } | undefined {
  // Of names of one length, text sorts as the numbers do.
  const generation = generationsOf(place).map(nameOf).toSorted().map(BigInt).at(-1)
  if (generation === undefined) return undefined
  const path = join(place, nameOf(generation))
  return { path, note: readFileSync(path, 'utf8'), generation }
}

function generationsOf(place: string): bigint[] {
  try {
    return readdirSync(place)
      .filter((name) => NAME.test(name))
      .map(BigInt)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
