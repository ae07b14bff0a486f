import type { Db } from '../db/connect.ts'
import type { ReadTile } from './proof.ts'
import * as store from './store.ts'
import { decodeEdges, TILE_WIDTH, tileWidth } from './tile.ts'

interface Place {
  level: number
  n: bigint
}

/**
 * Tiles as they stand now: full ones from their rows, the last of each level from the head, read after the checkpoint. Those
 * that are sure to be asked for are read at once.
 */
export async function tilesNow(
  { db, logId }: { db: Db; logId: number },
  sure: readonly Place[] = [],
): Promise<ReadTile> {
  const head = await store.head(db, logId)
  if (head === undefined) throw new Error(`there is no log ${logId}`)
  const { bundle, levels } = decodeEdges(head.edges)
  const isFull = ({ level, n }: Place): boolean => tileWidth(head.size, level, n) === TILE_WIDTH
  const rows = await store.tiles(db, logId, sure.filter(isFull))
  const read = new Map(rows.map(({ level, n, data }) => [`${level}/${n}`, data]))
  const stored = async (level: number, n: bigint): Promise<Uint8Array> => {
    const edge = level < 0 ? bundle : levels[level]
    const full = isFull({ level, n })
    const data = full ? (read.get(`${level}/${n}`) ?? (await store.tile(db, logId, level, n))?.data) : edge
    if (data === undefined) throw new Error(`the log has no tile ${level}/${n}`)
    return data
  }
  return async (level, n, width) => {
    if (tileWidth(head.size, level, n) < width) throw new RangeError('beyond the log')
    const data = await stored(level, n)
    return level < 0 ? bundleOf(data, width) : data.subarray(0, 32 * width)
  }
}

/** The first `width` entries of a bundle. */
function bundleOf(bundle: Uint8Array, width: number): Uint8Array {
  let at = 0
  for (let i = 0; i < width; i++) at += 2 + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
  return bundle.subarray(0, at)
}
