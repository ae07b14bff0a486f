import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTree } from '../../src/client/tree.ts'
import { equal, toHex, u64 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Rows } from '../../src/kernel/sha256-rows.ts'
import { leafHash } from '../../src/provenance/merkle.ts'
import { emptyEdges, growTiles, parseTilePath, rootOfEdges } from '../../src/provenance/tile.ts'
import { flipped } from '../provenance/vectors.ts'

const entryAt = (i: number): Uint8Array => u64(BigInt(i))

/** A log of numbered entries as tiles, with its head; `asked` are the paths that were fetched. */
function aLog(size: number) {
  const grown = growTiles(
    sha256Rows,
    { size: 0n, edges: emptyEdges },
    Array.from({ length: size }, (_, i) => entryAt(i)),
  )
  const full = new Map(grown.tiles.map(({ level, n, data }) => [`${level}/${n}`, data]))
  const asked: string[] = []
  return {
    head: { note: '', size: BigInt(size), root: rootOfEdges(sha256, grown) },
    asked,
    fetchTile: async (path: string): Promise<Uint8Array> => {
      asked.push(path)
      const { level, n, width } = parseTilePath(path) ?? expect.fail('no path of a tile')
      const tile = full.get(`${level}/${n}`) ?? grown.edges.levels[level] ?? expect.fail('no such tile')
      return tile.subarray(0, 32 * width)
    },
  }
}

describe('a tree under a signed head', () => {
  test.for([1, 5, 255, 256, 257, 1_000, 65_536, 66_000])('of %i has each leaf at its index', async (size) => {
    const { head, fetchTile } = aLog(size)
    const tree = createTree(head, fetchTile)
    for (const i of new Set([0, 1, Math.floor(size / 2), 255, 256, size - 2, size - 1])) {
      if (i < 0 || i >= size) continue
      expect(toHex(await tree.leaf(BigInt(i)))).toBe(toHex(leafHash(sha256, entryAt(i))))
    }
  })
  test('asks for each tile once', async () => {
    const { head, fetchTile, asked } = aLog(1_000)
    const tree = createTree(head, fetchTile)
    for (let i = 0; i < 1_000; i++) await tree.leaf(BigInt(i))
    expect(asked.toSorted()).toEqual([
      ...['tile/0/000', 'tile/0/001', 'tile/0/002', 'tile/0/003.p/232', 'tile/1/000.p/3'],
    ])
  })
  test('has nothing beyond the head', async () => {
    const { head, fetchTile } = aLog(5)
    await expect(createTree(head, fetchTile).leaf(5n)).rejects.toThrow(RangeError)
  })
  test('takes no tile in which one bit is another', async () => {
    const { head, fetchTile } = aLog(66_000)
    await fc.assert(
      fc.asyncProperty(fc.nat(65_999), fc.nat(100_000), fc.nat(3), async (index, bit, which) => {
        let n = 0
        const lying = async (path: string): Promise<Uint8Array> => {
          const tile = await fetchTile(path)
          return n++ === which ? flipped(tile, bit) : tile
        }
        const leaf = createTree(head, lying).leaf(BigInt(index))
        const right = leafHash(sha256, entryAt(index))
        // What was not asked for has not lied.
        const outcome = await leaf.then(
          (hash) => n <= which && equal(hash, right),
          (error: { step?: string }) => error.step === 'tree',
        )
        expect(outcome).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
  test('takes no tile of another width, and none of another tree', async () => {
    const { head, fetchTile } = aLog(300)
    const short = createTree(head, async (path) => (await fetchTile(path)).subarray(32))
    await expect(short.leaf(3n)).rejects.toMatchObject({ step: 'tree' })
    const other = aLog(301)
    await expect(createTree({ ...head, size: 301n }, other.fetchTile).leaf(3n)).rejects.toMatchObject({ step: 'tree' })
  })
})
