import { concat, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import type { LogSource } from '../../src/provenance/log-source.ts'
import { treeHash } from '../../src/provenance/merkle.ts'
import { encodeBundle, hashesOf, rootOfEdges, tilePath } from '../../src/provenance/tile.ts'
import { leafOf } from './definition.ts'
import { aKey } from './signing.ts'

export const ORIGIN = 'node.example.org/provenance/1'
export const LOG_KEY = aKey(ORIGIN, new Uint8Array(32).fill(7))

/** Entries of a log's size and form that differ from one another. */
export const entriesOf = (size: number, tag = 'pear'): Uint8Array[] =>
  Array.from({ length: size }, (_, i) => concat(Uint8Array.of(1), sha256(`${tag} ${i}`)))

/** A log's files by their paths, as someone made them who holds the key. */
export interface Forged {
  files: Map<string, Uint8Array>
  size: bigint
  root: Uint8Array
  note: string
}

/** Tiles, bundles and checkpoint of these entries, level by level as C2SP tlog-tiles defines them. */
export function forge(entries: readonly Uint8Array[], key = LOG_KEY): Forged {
  const files = new Map<string, Uint8Array>()
  for (const [n, width] of widths(entries.length))
    files.set(tilePath(-1, n, width), encodeBundle(entries.slice(Number(n) * 256, Number(n) * 256 + width)))
  const levels: Uint8Array[] = []
  for (let nodes = entries.map(leafOf); nodes.length > 0; ) {
    const above: Uint8Array[] = []
    let edge: Uint8Array = new Uint8Array(0)
    for (const [n, width] of widths(nodes.length)) {
      const tile = concat(...nodes.slice(Number(n) * 256, Number(n) * 256 + width))
      files.set(tilePath(levels.length, n, width), tile)
      if (width === 256) above.push(treeHash(sha256, hashesOf(tile)))
      else edge = tile
    }
    levels.push(edge)
    nodes = above
  }
  const size = BigInt(entries.length)
  const root = rootOfEdges(sha256, { edges: { bundle: new Uint8Array(0), levels } })
  return signed({ files, size, root, note: '' }, key)
}

/** With a checkpoint over its size and root. */
export function signed(forged: Forged, key = LOG_KEY): Forged {
  const { size, root } = forged
  return withNote(forged, key.note({ origin: key.name, size, root }))
}

export const withNote = (forged: Forged, note: string): Forged => with_({ ...forged, note }, 'checkpoint', utf8(note))

/** With another content of one file; undefined takes it away. */
export function with_(forged: Forged, path: string, data: Uint8Array | undefined): Forged {
  const files = new Map(forged.files)
  if (data === undefined) files.delete(path)
  else files.set(path, data)
  return { ...forged, files }
}

export const fileOf = ({ files }: Forged, path: string): Uint8Array => {
  const data = files.get(path)
  if (data === undefined) throw new RangeError(path)
  return data
}

/** The files as they are, and which of them were read. */
export function sourceOf({ files }: Forged): LogSource & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    read: async (path) => {
      asked.push(path)
      return files.get(path)
    },
  }
}

function widths(count: number): [n: bigint, width: number][] {
  return Array.from({ length: Math.ceil(count / 256) }, (_, n) => [BigInt(n), Math.min(256, count - 256 * n)])
}
