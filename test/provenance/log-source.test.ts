import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../src/kernel/bytes.ts'
import {
  entriesOf,
  isFinal,
  LogFault,
  type LogSource,
  LogUnreadable,
  readBundle,
  readCheckpoint,
  readTile,
} from '../../src/provenance/log-source.ts'
import { encodeBundle } from '../../src/provenance/tile.ts'

/** One file, whatever the path; no limit of its own. */
const holding = (data: Uint8Array | undefined): LogSource => ({ read: async () => data })

const faultOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof LogFault ? `${error.kind} ${error.path}` : error),
  )

describe('a checkpoint', () => {
  const read = (data: Uint8Array | undefined) => faultOf(readCheckpoint(holding(data)))

  test('is read as its text', async () => {
    expect(await readCheckpoint(holding(utf8('a\n5\n— b\n')))).toBe('a\n5\n— b\n')
  })
  test('of 64 KiB is read, a longer one is oversize', async () => {
    expect(await read(new Uint8Array(65_536).fill(97))).toBe('none')
    expect(await read(new Uint8Array(65_537).fill(97))).toBe('oversize checkpoint')
  })
  test('that is not there is missing', async () => {
    expect(await read(undefined)).toBe('missing checkpoint')
  })
  test('that is no UTF-8 is malformed, and a mark of byte order stays part of it', async () => {
    expect(await read(Uint8Array.of(0xe2, 0x80, 0x0a))).toBe('malformed checkpoint')
    expect(await readCheckpoint(holding(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)))).toBe('\ufeffa')
  })
})

describe('a tile', () => {
  test.for<[bytes: number | undefined, fault: string]>([
    [32 * 7, 'none'],
    [32 * 7 - 1, 'truncated tile/1/005.p/7'],
    [32 * 6, 'truncated tile/1/005.p/7'],
    [0, 'truncated tile/1/005.p/7'],
    [32 * 7 + 1, 'oversize tile/1/005.p/7'],
    [undefined, 'missing tile/1/005.p/7'],
  ])('of 7 hashes in %s bytes: %s', async ([bytes, fault]) => {
    expect(await faultOf(readTile(holding(bytes === undefined ? bytes : new Uint8Array(bytes)), 1, 5n, 7))).toBe(fault)
  })
})

describe('a bundle', () => {
  test.for<[what: string, changed: (three: Uint8Array) => Uint8Array, fault: string]>([
    ['as it was', (three) => three, 'none'],
    ['without its last byte', (three) => three.slice(0, -1), 'truncated tile/entries/002.p/3'],
    ['without its last entry', (three) => three.slice(0, 5), 'truncated tile/entries/002.p/3'],
    ['with one entry more', (three) => concat(three, encodeBundle([utf8('fig')])), 'oversize tile/entries/002.p/3'],
  ])('of three entries, %s', async ([, changed, fault]) => {
    const data = changed(encodeBundle([utf8('a'), utf8(''), utf8('pear')]))
    expect(await faultOf(readBundle(holding(data), 2n, 3).then((bytes) => entriesOf(bytes, 2n, 3)))).toBe(fault)
  })
  test('has no more bytes than its entries can', async () => {
    expect(await faultOf(readBundle(holding(new Uint8Array(3 * 65_537)), 2n, 3))).toBe('none')
    expect(await faultOf(readBundle(holding(new Uint8Array(3 * 65_537 + 1)), 2n, 3))).toBe(
      'oversize tile/entries/002.p/3',
    )
    expect(await faultOf(readBundle(holding(undefined), 2n, 3))).toBe('missing tile/entries/002.p/3')
  })
})

test('a fault names its file, what is wrong with it, and the entry where one is', () => {
  const said = (...of: ConstructorParameters<typeof LogFault>) => String(new LogFault(...of))
  expect(said('missing', 'tile/0/000')).toBe('LogFault: tile/0/000 is not there')
  expect(said('differs', 'tile/0/000', { entry: 7n })).toBe('LogFault: tile/0/000 is not what was signed (entry 7)')
  expect(said('differs', 'checkpoint', { why: 'has another root' })).toBe('LogFault: checkpoint has another root')
})

test('what cannot be told is no fault of the log', async () => {
  const source: LogSource = {
    read: async (path) => {
      throw new LogUnreadable(path, 'the disk is gone')
    },
  }
  await expect(readCheckpoint(source)).rejects.toMatchObject({
    ...{ name: 'LogUnreadable', message: 'checkpoint cannot be read: the disk is gone' },
  })
})

test('full tiles and bundles never change, partial ones and the checkpoint do', () => {
  expect(['tile/0/000', 'tile/entries/x001/000', 'tile/0/000.p/7', 'checkpoint', 'vkey'].map(isFinal)).toEqual([
    ...[true, true, false, false, false],
  ])
})
