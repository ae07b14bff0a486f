import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Rows } from '../../src/kernel/sha256-rows.ts'
import { rootFromPath, verifyConsistency } from '../../src/provenance/merkle.ts'
import { consistencyProof, inclusionProof, prefixRoot, type ReadTile } from '../../src/provenance/proof.ts'
import { emptyEdges, growTiles, tilePath, tileWidth } from '../../src/provenance/tile.ts'
import { leafOf, mth, pathOf, proofOf } from './definition.ts'
import { LOG } from './vectors.ts'

const SIZE = 1_300
const ENTRIES = Array.from({ length: SIZE }, (_, i) => utf8(`entry ${i}`))
const LEAVES = ENTRIES.map(leafOf)

/** The tree as its readers have it at any size: tiles of exactly the width that was asked for, and of no other. */
function published(): (size: bigint) => ReadTile {
  const { tiles, edges } = growTiles(sha256Rows, { size: 0n, edges: emptyEdges }, ENTRIES)
  const full = new Map(tiles.map(({ level, n, data }) => [tilePath(level, n), data]))
  return (size) => async (level, n, width) => {
    expect(width).toBe(tileWidth(size, level, n))
    const data = full.get(tilePath(level, n)) ?? edges.levels[level]
    if (data === undefined || width === 0) throw new Error(`no tile ${level}/${n}`)
    return data.subarray(0, 32 * width)
  }
}

const anEntry = fc
  .integer({ min: 1, max: SIZE })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat({ max: size - 1 }) }))
const aGrowth = fc
  .integer({ min: 0, max: SIZE })
  .chain((to) => fc.record({ to: fc.constant(to), from: fc.nat({ max: to }) }))

describe('from tiles alone', () => {
  test('an inclusion proof is the defined path and verifies', async () => {
    const tilesOf = published()
    await fc.assert(
      fc.asyncProperty(anEntry, async ({ size, index }) => {
        const path = await inclusionProof(sha256, tilesOf(BigInt(size)), BigInt(index), BigInt(size))
        const leaves = LEAVES.slice(0, size)
        expect(path.map(toHex)).toEqual(pathOf(index, leaves).map(toHex))
        const proof = { leaf: LEAVES[index] ?? utf8(''), index: BigInt(index), size: BigInt(size), path }
        expect(rootFromPath(sha256, proof)).toEqual(mth(leaves))
      }),
      { numRuns: 40 },
    )
  })
  test('a consistency proof is the defined path and verifies', async () => {
    const tilesOf = published()
    await fc.assert(
      fc.asyncProperty(aGrowth, async ({ from, to }) => {
        const path = await consistencyProof(sha256, tilesOf(BigInt(to)), BigInt(from), BigInt(to))
        const leaves = LEAVES.slice(0, to)
        expect(path.map(toHex)).toEqual(proofOf(from, leaves).map(toHex))
        const [root1, root2] = [mth(LEAVES.slice(0, from)), mth(leaves)]
        expect(verifyConsistency(sha256, { size1: BigInt(from), size2: BigInt(to), root1, root2, path })).toBe(true)
      }),
      { numRuns: 40 },
    )
  })
  test.for([
    [256, 512],
    [255, 256],
    [256, 257],
    [1, SIZE],
    [512, 1_024],
    [1_024, SIZE],
  ] as const)('a consistency proof verifies from %i to %i, where tiles end', async ([from, to]) => {
    const path = await consistencyProof(sha256, published()(BigInt(to)), BigInt(from), BigInt(to))
    const [root1, root2] = [mth(LEAVES.slice(0, from)), mth(LEAVES.slice(0, to))]
    expect(verifyConsistency(sha256, { size1: BigInt(from), size2: BigInt(to), root1, root2, path })).toBe(true)
  })
  test('the proofs of the published log are its published ones', async () => {
    const { tiles, edges } = growTiles(
      sha256Rows,
      { size: 0n, edges: emptyEdges },
      LOG.entries.map((one) => Buffer.from(one, 'hex')),
    )
    expect(tiles).toEqual([])
    const read: ReadTile = async () => edges.levels[0] ?? utf8('')
    expect((await inclusionProof(sha256, read, BigInt(LOG.index), 5n)).map(toHex)).toEqual(LOG.path)
    const consistency = await consistencyProof(sha256, read, BigInt(LOG.consistency.from), 5n)
    expect(consistency.map(toHex)).toEqual(LOG.consistency.path)
  })
})

test('the root of each prefix is had from the tiles of a larger tree', async () => {
  const read = published()(BigInt(SIZE))
  for (const part of [0, 1, 2, 7, 255, 256, 257, 700, SIZE])
    expect(toHex(await prefixRoot(sha256, read, BigInt(part), BigInt(SIZE)))).toBe(toHex(mth(LEAVES.slice(0, part))))
})

test('a tile is read once a proof, however often it serves', async () => {
  const reads: string[] = []
  const tiles = published()(BigInt(SIZE))
  const read: ReadTile = (level, n, width) => {
    reads.push(tilePath(level, n))
    return tiles(level, n, width)
  }
  await inclusionProof(sha256, read, 700n, BigInt(SIZE))
  expect(reads.toSorted()).toEqual([...new Set(reads)].toSorted())
})

test('what lies outside the tree has no proof', async () => {
  const read = published()(7n)
  for (const index of [-1n, 7n, 8n])
    await expect(inclusionProof(sha256, read, index, 7n)).rejects.toThrow(new RangeError('no such entry'))
  await expect(inclusionProof(sha256, read, 0n, 0n)).rejects.toThrow(RangeError)
  for (const from of [8n, -1n]) {
    await expect(consistencyProof(sha256, read, from, 7n)).rejects.toThrow(new RangeError('no such sizes'))
    await expect(prefixRoot(sha256, read, from, 7n)).rejects.toThrow(new RangeError('no such size'))
  }
})
