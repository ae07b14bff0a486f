import { join } from 'node:path'
import { toHex } from '../kernel/bytes.ts'
import { StartRefused } from '../kernel/errors.ts'
import { folderGenerations, type Generations } from '../kernel/generations.ts'
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
  latest(origin: string): Promise<Remembered | undefined>
  /** From exactly what was read to the next, durable before it resolves; `lost` where another was quicker. */
  keep(origin: string, from: Remembered | undefined, note: string): Promise<'kept' | 'lost'>
  /** The newest note of the log whose origin has this hash, in hex. */
  noteOf(hexHash: string): Promise<string | undefined>
}

/** A folder for each log: not even two processes on one folder can cosign two trees of a size. */
export function openMemory(dir: string): Memory {
  const named = (hexHash: string): Generations => folderGenerations(join(dir, 'logs', hexHash))
  const of = (origin: string): Generations => named(toHex(originHash(sha256, origin)))
  return {
    async latest(origin) {
      const newest = await of(origin).newest()
      if (newest === undefined) return undefined
      const { path, text: note, generation } = newest
      const checkpoint = parseCheckpoint(parseNote(note)?.text ?? '')
      if (checkpoint?.origin !== origin) throw new StartRefused(`${path}: is no checkpoint of its log`)
      return { checkpoint, note, generation }
    },
    keep: (origin, from, note) => of(origin).next(from?.generation ?? 0n, note),
    noteOf: async (hexHash) => (await named(hexHash).newest())?.text,
  }
}
