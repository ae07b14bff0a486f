import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { Refusal, StartRefused } from '../../kernel/errors.ts'
import { type JsonLimits, parseStrict } from '../../kernel/strict-json.ts'

/** One file of a list, wherever it is. */
export interface ListFile {
  /** As people are told of it. */
  name: string
  bytes: number
  pieces(): AsyncIterable<Uint8Array>
}

/** Bytes of a file that is read as a whole. */
export const DOCUMENT_MAX = 67_108_864
const DOCUMENT: JsonLimits = { depth: 16, members: 100_000, string: 1_048_576, array: 1_000_000 }
/** As files are read from a disk: of the same bytes a list has one digest, wherever they are. */
const PIECE = 65_536

export const fileOnDisk = (path: string): ListFile => ({
  name: path,
  bytes: statOf(path).size,
  pieces: () => createReadStream(path, { highWaterMark: PIECE }),
})

export const fileInMemory = (name: string, bytes: Uint8Array): ListFile => ({
  ...{ name, bytes: bytes.length },
  async *pieces() {
    for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE)
  },
})

export function statOf(path: string): { isDirectory(): boolean; size: number } {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new StartRefused(`${path}: is missing`)
  return found
}

/** What names the events of a feed. */
export const isManifest = ({ name }: ListFile): boolean => basename(name) === MANIFEST
export const MANIFEST = 'manifest.json'

/** A document in memory. Throws `StartRefused` for what is too large, no JSON, or JSON that two readers see differently. */
export async function documentIn({ name, bytes, pieces }: ListFile): Promise<unknown> {
  if (bytes > DOCUMENT_MAX) throw new StartRefused(`${name}: is larger than ${DOCUMENT_MAX} bytes`)
  try {
    return parseStrict(Buffer.concat(await Array.fromAsync(pieces())), DOCUMENT)
  } catch (error) {
    if (error instanceof Refusal) throw new StartRefused(`${name}: ${error.code}`, { cause: error })
    throw error
  }
}
