import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, equal, toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { LogFault } from '../../src/provenance/log-source.ts'
import { prefixRoot } from '../../src/provenance/proof.ts'
import { encodeBundle, parseTilePath, tilePath } from '../../src/provenance/tile.ts'
import { openVerified } from '../../src/provenance/verified-log.ts'
import { leafOf, mth } from './definition.ts'
import { entriesOf, type Forged, fileOf, forge, sourceOf, with_ } from './forge.ts'
import { flipped } from './vectors.ts'

/** Two levels, and a third: 256 full tiles of level 0 and more. */
const SIZES = [1, 2, 255, 256, 257, 512, 1_000]
const LARGE = 65_536 + 300
let made: Forged | undefined
/** Made by the first test that reads it: what is made while a file loads has every test run for each mutant of it. */
const large = (): Forged => (made ??= forge(entriesOf(LARGE)))

const open = (log: Forged) => openVerified(sha256, sourceOf(log), log)
const walked = async (log: Forged, from = 0n) => Array.fromAsync((await open(log)).walk(from))

/** Where a reader of everything finds the first fault. */
const faultIn = async (log: Forged): Promise<string> => {
  try {
    await walked(log)
    return 'none'
  } catch (error) {
    if (error instanceof LogFault) return `${error.kind} ${error.path}`
    throw error
  }
}

describe('a log that is as it was signed', () => {
  test.for([0, ...SIZES, LARGE])('of %i entries is read file by file, each once, entries in order', async (size) => {
    const log = size === LARGE ? large() : forge(entriesOf(size))
    const files = await walked(log)
    const paths = files.map(({ path }) => path)
    expect(new Set(paths).size).toBe(paths.length)
    expect([...paths, 'checkpoint'].sort()).toEqual([...log.files.keys()].sort())
    expect(files.every(({ path, data }) => equal(data, fileOf(log, path)))).toBe(true)
    const bundles = files.filter(({ path }) => path.startsWith('tile/entries/'))
    expect(bundles.map(({ path }) => parseTilePath(path)?.n)).toEqual(bundles.map((_, i) => BigInt(i)))
    expect(bundles.map(({ entries }) => entries)).toEqual(bundles.map((_, i) => BigInt(Math.min(size, 256 * (i + 1)))))
  })
  test.for([0n, 256n, 512n, 65_280n, 65_536n])('is read on from entry %s', async (from) => {
    const bundles = (await walked(large(), from)).filter(({ path }) => path.startsWith('tile/entries/'))
    expect(bundles[0]?.path).toBe(`tile/entries/${String(from / 256n).padStart(3, '0')}`)
    expect(bundles).toHaveLength(Math.ceil((LARGE - Number(from)) / 256))
  })
  test('gives any tile of three levels, held against those above it', async () => {
    const log = await open(large())
    for (const [level, n] of [
      [0, 3n],
      [0, 255n],
      [0, 256n],
      [1, 0n],
    ] as const)
      expect(toHex(await log.tile(level, n, 256))).toBe(toHex(fileOf(large(), tilePath(level, n))))
  })
  test('gives a tile that stands above others from one read, and one of level 0 from a read each time', async () => {
    const source = sourceOf(large())
    const log = await openVerified(sha256, source, large())
    for (const n of [3n, 255n, 3n]) await log.tile(0, n, 256)
    const reads = (path: string): number => source.asked.filter((one) => one === path).length
    expect(['tile/1/000', 'tile/0/003', 'tile/0/255'].map(reads)).toEqual([1, 2, 1])
  })
  test('tells how many entries are verified by each of its files', async () => {
    const tiles = (await walked(large(), 300n)).filter(({ path }) => path.startsWith('tile/0/'))
    expect(tiles.slice(1, 4).map(({ path, entries }) => [path, entries])).toEqual([
      ['tile/0/001', 300n],
      ['tile/0/002', 512n],
      ['tile/0/003', 768n],
    ])
  })
  test('has the root of each of its prefixes', async () => {
    const entries = entriesOf(1_000)
    const log = await open(forge(entries))
    const leaves = entries.map(leafOf)
    for (const part of [0, 1, 255, 256, 257, 700, 768, 1_000])
      expect(toHex(await prefixRoot(sha256, log.tile, BigInt(part), 1_000n))).toBe(toHex(mth(leaves.slice(0, part))))
    await expect(prefixRoot(sha256, log.tile, 1_001n, 1_000n)).rejects.toThrow(RangeError)
  })
})

describe('one bit', () => {
  test('anywhere in a tile or bundle is found, and its file is named', async () => {
    const logs = SIZES.map((size) => forge(entriesOf(size)))
    const place = fc.tuple(fc.constantFrom(...logs), fc.nat(), fc.nat())
    await fc.assert(
      fc.asyncProperty(place, async ([log, file, bit]) => {
        const paths = [...log.files.keys()].filter((path) => path !== 'checkpoint')
        const path = paths[file % paths.length] ?? ''
        const fault = await faultIn(with_(log, path, flipped(fileOf(log, path), bit)))
        expect(fault.split(' ')[1]).toBe(path)
      }),
      { numRuns: 150 },
    )
  })
  test.for([
    'tile/2/000.p/1',
    'tile/1/000',
    'tile/0/255',
    'tile/0/000',
    'tile/entries/255',
    'tile/0/256',
    'tile/1/001.p/1',
  ])('in %s of a log of three levels is found there', async (path) => {
    expect(await faultIn(with_(large(), path, flipped(fileOf(large(), path), 77)))).toBe(`differs ${path}`)
  })
  test('in an entry names the entry', async () => {
    const log = forge(entriesOf(1_000))
    const path = 'tile/entries/002'
    const bad = flipped(fileOf(log, path), 8 * (35 * 100 + 20))
    const error = await walked(with_(log, path, bad)).catch((one: unknown) => one)
    expect(error).toMatchObject({ kind: 'differs', path, entry: 612n })
  })
})

describe('a file that is', () => {
  const paths = [
    ...['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/188'],
    ...['tile/0/000', 'tile/0/001', 'tile/0/002.p/188', 'tile/1/000.p/2'],
  ]

  test.for(paths)('another: %s', async (path) => {
    const log = forge(entriesOf(700))
    const other = forge(entriesOf(700, 'fig'))
    expect([...log.files.keys()]).toEqual([...paths, 'checkpoint'])
    expect(await faultIn(with_(log, path, undefined))).toBe(`missing ${path}`)
    expect(await faultIn(with_(log, path, fileOf(log, path).slice(0, -1)))).toBe(`truncated ${path}`)
    expect(await faultIn(with_(log, path, concat(fileOf(log, path), Uint8Array.of(0))))).toMatch(
      path.includes('entries') ? /^truncated / : /^oversize /,
    )
    expect(await faultIn(with_(log, path, fileOf(other, path)))).toBe(`differs ${path}`)
  })
  test('a bundle with an entry more is oversize', async () => {
    const log = forge(entriesOf(700))
    const path = 'tile/entries/000'
    expect(await faultIn(with_(log, path, concat(fileOf(log, path), encodeBundle([new Uint8Array(33)]))))).toBe(
      `oversize ${path}`,
    )
  })
  test('of a tree that is sound under another root: the checkpoint', async () => {
    const log = { ...forge(entriesOf(700)), root: forge(entriesOf(700, 'fig')).root }
    expect(await faultIn(log)).toBe('differs checkpoint')
    await expect(open(log)).rejects.toThrow('checkpoint has another root than the tiles make')
  })
})

test('two tiles that are exchanged do not pass', async () => {
  const log = forge(entriesOf(700))
  const [one, two] = [fileOf(log, 'tile/0/000'), fileOf(log, 'tile/0/001')]
  expect(await faultIn(with_(with_(log, 'tile/0/000', two), 'tile/0/001', one))).toBe('differs tile/0/000')
})
