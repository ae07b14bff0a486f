import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, toBase64, toHex, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Rows } from '../../src/kernel/sha256-rows.ts'
import {
  decodeBundle,
  decodeEdges,
  type Edges,
  emptyEdges,
  encodeBundle,
  encodeEdges,
  growTiles,
  hashesOf,
  parseTilePath,
  rootOfEdges,
  tilePath,
  tileWidth,
} from '../../src/provenance/tile.ts'
import { leafOf, mth, tileOf } from './definition.ts'
import { TESSERA } from './vectors.ts'

const ENTRIES = Array.from({ length: 1_600 }, (_, i) => utf8(`entry ${i}`.repeat(1 + (i % 3))))
const LEAVES = ENTRIES.map(leafOf)

interface Tree {
  size: bigint
  edges: Edges
  /** Full tiles by their path. */
  tiles: Map<string, Uint8Array>
}

const EMPTY: Tree = { size: 0n, edges: emptyEdges, tiles: new Map() }

function grow(tree: Tree, entries: readonly Uint8Array[]): Tree {
  const { size, edges, tiles } = growTiles(sha256Rows, tree, entries)
  return {
    size,
    edges,
    tiles: new Map([...tree.tiles, ...tiles.map(({ level, n, data }) => [tilePath(level, n), data] as const)]),
  }
}

/** A tree of all entries, appended in batches of these sizes. */
function inBatches(sizes: readonly number[], entries: readonly Uint8Array[] = ENTRIES): Tree {
  let tree = EMPTY
  let at = 0
  for (const size of sizes) {
    tree = grow(tree, entries.slice(at, at + size))
    at += size
  }
  return tree
}

const hexOf = ({ size, edges, tiles }: Tree) => ({
  size,
  edges: toHex(encodeEdges(edges)),
  tiles: [...tiles].map(([path, data]) => `${path} ${toHex(data)}`).sort(),
})

const batches = fc.array(fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 300 }), fc.constantFrom(255, 256, 257, 512)), {
  minLength: 1,
  maxLength: 5,
})
const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0)

describe('a path', () => {
  test.for<[level: number, n: bigint, width: number, path: string]>([
    [0, 0n, 256, 'tile/0/000'],
    [0, 1_234_067n, 256, 'tile/0/x001/x234/067'],
    [1, 999n, 1, 'tile/1/999.p/1'],
    [2, 1_000n, 255, 'tile/2/x001/000.p/255'],
    [63, 7n, 10, 'tile/63/007.p/10'],
    [-1, 0n, 256, 'tile/entries/000'],
    [-1, 273_000n, 112, 'tile/entries/x273/000.p/112'],
  ])('of level %i, tile %i, width %i is %s', ([level, n, width, path]) => {
    expect(tilePath(level, n, width)).toBe(path)
    expect(parseTilePath(path)).toEqual({ level, n, width })
  })
  test('names its tile, whatever the tile', () => {
    const tile = fc.record({
      level: fc.integer({ min: -1, max: 63 }),
      n: fc.bigInt({ min: 0n, max: 2n ** 62n }),
      width: fc.integer({ min: 1, max: 256 }),
    })
    fc.assert(
      fc.property(tile, (one) => {
        expect(parseTilePath(tilePath(one.level, one.n, one.width))).toEqual(one)
      }),
    )
  })
  test('has one form: what is read is written alike, and is no wider than a tile', () => {
    const path = fc
      .tuple(
        fc.constantFrom('tile/', 'tile/entries', 'tile/0', 'tile/00', 'tile/7', 'tile/64', 'tile/-1', 'file/0', ''),
        fc.array(fc.constantFrom('x001', 'x000', 'x999', 'X001', 'x01', '001'), { maxLength: 3 }),
        fc.constantFrom('000', '067', '999', '67', '0067', 'x067', ''),
        fc.oneof(
          fc.constantFrom('', '.p', '.p/', '.P/7', '.p/07', '.p/-7', '.p/7/'),
          fc.nat({ max: 1_200 }).map((w) => `.p/${w}`),
        ),
      )
      .map(([head, groups, last, partial]) => `${[head, ...groups, last].join('/')}${partial}`)
    fc.assert(
      fc.property(path, (text) => {
        const tile = parseTilePath(text)
        if (tile === undefined) return
        expect(tilePath(tile.level, tile.n, tile.width)).toBe(text)
        expect(tile.width).toBeLessThanOrEqual(256)
      }),
      { numRuns: 500 },
    )
  })
  test.for([
    ...[
      '',
      'tile',
      'tile/0',
      'tile/0/',
      'tile/0/0',
      'tile/0/00',
      'tile/0/0000',
      '/tile/0/000',
      'tile/0/000/',
      'tile/0/000\n',
    ],
    ...[
      'tile/00/000',
      'tile/64/000',
      'tile/-1/000',
      'tile/x/000',
      'tile/Entries/000',
      'tile/entries/1',
      'tile/0/x000/000',
    ],
    ...['tile/0/x1/000', 'tile/0/001/000', 'tile/0/x001/x000', 'tile/0/000.p', 'tile/0/000.p/', 'tile/0/000.p/0'],
    ...['tile/0/000.p/01', 'tile/0/000.p/256', 'tile/0/000.p/257', 'tile/0/000.p/999', 'tile/0/000.p/1000'],
    ...['tile/0/000.p/1/', 'tile/0/../0/000', `tile/0/${'x999/'.repeat(12)}999`],
  ])('%j names nothing', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })
})

test('the width of the last tile of a level is floor(size / 256^level) mod 256, and of those before it 256', () => {
  const place = fc.record({ size: fc.bigInt({ min: 0n, max: 2n ** 40n }), level: fc.integer({ min: -1, max: 5 }) })
  fc.assert(
    fc.property(place, ({ size, level }) => {
      const nodes = size / 256n ** BigInt(Math.max(level, 0))
      const last = nodes / 256n
      expect(tileWidth(size, level, last)).toBe(Number(nodes % 256n))
      expect(tileWidth(size, level, last + 1n)).toBe(0)
      if (last > 0n) expect(tileWidth(size, level, last - 1n)).toBe(256)
    }),
  )
})

describe('a growing tree', () => {
  test('has the tiles that the definition says, and the root, however it grew', () => {
    fc.assert(
      fc.property(batches, (sizes) => {
        const { size, edges, tiles } = inBatches(sizes)
        const leaves = LEAVES.slice(0, total(sizes))
        expect(size).toBe(BigInt(leaves.length))
        expect(toHex(rootOfEdges(sha256, { edges }))).toBe(toHex(mth(leaves)))
        for (const level of [0, 1]) {
          const full = Math.floor(leaves.length / 256 ** (level + 1))
          for (let n = 0; n < full; n++)
            expect(toHex(tiles.get(tilePath(level, BigInt(n))) ?? utf8(''))).toBe(toHex(tileOf(level, n, leaves)))
          expect(toHex(edges.levels[level] ?? utf8(''))).toBe(toHex(tileOf(level, full, leaves)))
        }
        const whole = Math.floor(leaves.length / 256)
        for (let n = 0; n < whole; n++)
          expect(tiles.get(tilePath(-1, BigInt(n)))).toEqual(encodeBundle(ENTRIES.slice(256 * n, 256 * (n + 1))))
        expect(edges.bundle).toEqual(encodeBundle(ENTRIES.slice(256 * whole, leaves.length)))
        expect(tiles.size).toBe(2 * whole)
      }),
      { numRuns: 25 },
    )
  })
  test('is the same to the byte, in whatever batches it grew', () => {
    fc.assert(
      fc.property(batches, (sizes) => {
        expect(hexOf(inBatches(sizes))).toEqual(hexOf(inBatches([total(sizes)])))
      }),
      { numRuns: 25 },
    )
  })
  test('has only partial tiles that are prefixes of the later, fuller ones', () => {
    fc.assert(
      fc.property(fc.nat({ max: 700 }), fc.nat({ max: 700 }), (first, more) => {
        const early = inBatches([first])
        const late = inBatches([first, more])
        const isPrefix = (level: number, n: number, part: Uint8Array): void => {
          const edge = level === -1 ? late.edges.bundle : late.edges.levels[level]
          const fuller = late.tiles.get(tilePath(level, BigInt(n))) ?? edge ?? utf8('')
          expect(toHex(fuller).startsWith(toHex(part))).toBe(true)
        }
        isPrefix(-1, Math.floor(first / 256), early.edges.bundle)
        for (const [level, part] of early.edges.levels.entries())
          isPrefix(level, Math.floor(first / 256 ** (level + 1)), part)
      }),
      { numRuns: 25 },
    )
  })
  test('of 65,537 entries has a full tile on the second level and one node on the third', () => {
    const entries = Array.from({ length: 65_537 }, (_, i) => utf8(String(i)))
    const leaves = entries.map(leafOf)
    const { edges, tiles } = inBatches([65_000, 537], entries)
    expect(toHex(tiles.get('tile/1/000') ?? utf8(''))).toBe(toHex(tileOf(1, 0, leaves)))
    expect(edges.levels.map((level) => level.length / 32)).toEqual([1, 0, 1])
    expect(toHex(edges.levels[2] ?? utf8(''))).toBe(toHex(mth(leaves.slice(0, 65_536))))
    expect(toHex(rootOfEdges(sha256, { edges }))).toBe(toHex(mth(leaves)))
    expect(tiles.size).toBe(256 + 256 + 1)
  })
  test('that gets nothing stays as it is', () => {
    expect(hexOf(grow(EMPTY, []))).toEqual(hexOf(EMPTY))
    const tree = inBatches([300])
    expect(hexOf(grow(tree, []))).toEqual(hexOf(tree))
  })
})

describe("another implementation's log", () => {
  const entries = TESSERA.entries.map(utf8)

  test.for(TESSERA.checkpoints.map((note, size) => ({ size, root: note.split('\n')[2] })))(
    'has our root at size $size, and our tiles',
    ({ size, root }) => {
      const { edges } = inBatches([size], entries)
      expect(toBase64(rootOfEdges(sha256, { edges }))).toBe(root)
      expect(TESSERA.tile_0_000_p_15.startsWith(toHex(edges.levels[0] ?? utf8('')))).toBe(true)
      expect(TESSERA.tile_entries_000_p_15.startsWith(toHex(edges.bundle))).toBe(true)
    },
  )
  test('has our last tiles byte for byte', () => {
    const { edges } = inBatches(
      entries.map(() => 1),
      entries,
    )
    expect(edges.levels.map(toHex)).toEqual([TESSERA.tile_0_000_p_15])
    expect(toHex(edges.bundle)).toBe(TESSERA.tile_entries_000_p_15)
    expect(hashesOf(Buffer.from(TESSERA.tile_0_000_p_15, 'hex')).map(toHex)).toEqual(
      entries.map((one) => toHex(leafOf(one))),
    )
  })
})

describe('a bundle', () => {
  const some = fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 12 })

  test('gives back its entries', () => {
    fc.assert(
      fc.property(some, (entries) => {
        expect(decodeBundle(encodeBundle(entries))).toEqual(entries)
      }),
    )
  })
  test('that ends within an entry is none', () => {
    fc.assert(
      fc.property(some, fc.nat(), (entries, cut) => {
        const bundle = encodeBundle(entries)
        const part = bundle.slice(0, cut % (bundle.length + 1))
        const whole = entries.filter((_, i) => encodeBundle(entries.slice(0, i + 1)).length <= part.length)
        const ends = encodeBundle(whole).length === part.length
        expect(decodeBundle(part)).toEqual(ends ? whole : undefined)
      }),
    )
  })
})

describe('edges', () => {
  test('come back from their bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), (size) => {
        const { edges } = inBatches([size])
        expect(decodeEdges(encodeEdges(edges))).toEqual({ bundle: edges.bundle, levels: edges.levels })
      }),
      { numRuns: 20 },
    )
    expect(decodeEdges(encodeEdges(emptyEdges))).toEqual(emptyEdges)
  })
  test('are not read from bytes that end early', () => {
    const whole = encodeEdges(inBatches([300]).edges)
    for (const cut of [1, 7, 8, 100, whole.length - 1])
      expect(() => decodeEdges(whole.slice(0, cut)), String(cut)).toThrow(RangeError)
    expect(() => decodeEdges(whole.slice(0, 100))).toThrow('not edges')
    expect(() => decodeEdges(concat(whole, utf8('more')))).toThrow(RangeError)
  })
  test('have a root up to 63 levels', () => {
    const bundle = new Uint8Array(0)
    const top = leafOf(bundle)
    const levels = [...Array.from({ length: 62 }, () => bundle), top]
    expect(rootOfEdges(sha256, { edges: { bundle, levels } })).toEqual(top)
    expect(() => rootOfEdges(sha256, { edges: { bundle, levels: [bundle, ...levels] } })).toThrow(
      new RangeError('a tree of more than 2^63 leaves'),
    )
  })
})

test('a bundle holds entries of up to 65,535 bytes, an empty one at its end too, and ends with an entry', () => {
  const entries = [new Uint8Array(300).fill(7), new Uint8Array(65_535), new Uint8Array(0)]
  const bundle = encodeBundle(entries)
  expect(decodeBundle(bundle)?.map(({ length }) => length)).toEqual([300, 65_535, 0])
  expect(decodeBundle(bundle.slice(0, -1))).toBeUndefined()
  expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow(new RangeError('an entry of more than 65,535 bytes'))
})
