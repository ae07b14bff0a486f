import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VerificationFailed } from '../../src/client/errors.ts'
import { exportLog } from '../../src/client/log-export.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { LogFault, type LogSource } from '../../src/provenance/log-source.ts'
import { formatVkey } from '../../src/provenance/note.ts'
import { entriesOf, type Forged, fileOf, forge, LOG_KEY, ORIGIN, signed, sourceOf, with_ } from '../provenance/forge.ts'
import { aKey } from '../provenance/signing.ts'
import { flipped } from '../provenance/vectors.ts'

const VKEY = formatVkey(sha256, ORIGIN, LOG_KEY.publicKey)
const ENTRIES = entriesOf(700)
const log = forge(ENTRIES)
const early = forge(ENTRIES.slice(0, 300))

let dir: string
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'aldis-export-')), 'log')
})
afterEach(() => rmSync(dirname(dir), { recursive: true }))

const exported = (source: LogSource) => exportLog({ source, vkey: VKEY, dir })
const filesIn = (): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1))
    .sort()
const isIn = (forged: Forged): boolean =>
  [...forged.files].every(([path, data]) => Buffer.from(data).equals(readFileSync(join(dir, path))))
const put = (path: string, data: Uint8Array): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true })
  writeFileSync(join(dir, path), data)
}

describe('an export', () => {
  test.for([0, 1, 256, 700])('of %i entries has every file of the tree, and the key', async (size) => {
    const own = forge(ENTRIES.slice(0, size))
    const done = await exported(sourceOf(own))
    expect(done).toMatchObject({ size: BigInt(size), kept: 0, repaired: [] })
    expect(filesIn()).toEqual([...own.files.keys(), 'vkey'].sort())
    expect(isIn(own)).toBe(true)
    expect(readFileSync(join(dir, 'vkey'), 'utf8')).toBe(`${VKEY}\n`)
  })
  test('can be read by any web server', async () => {
    const before = process.umask(0o077)
    await exported(sourceOf(log)).finally(() => process.umask(before))
    const modes = (path: string) => (statSync(join(dir, path)).mode & 0o777).toString(8)
    expect(['.', 'tile', 'tile/entries/002.p', 'checkpoint', 'tile/0/000'].map(modes)).toEqual([
      ...['755', '755', '755', '644', '644'],
    ])
  })
  test('says how far it is', async () => {
    const told: bigint[] = []
    await exportLog({ source: sourceOf(log), vkey: VKEY, dir, onProgress: (entries) => void told.push(entries) })
    expect(told.at(-1)).toBe(700n)
    expect(told).toEqual([...told].sort((a, b) => Number(a - b)))
  })
  test('of a log that was exported before fetches what is new, and partial tiles', async () => {
    await exported(sourceOf(early))
    const source = sourceOf(log)
    expect(await exported(source)).toMatchObject({ size: 700n, kept: 2, repaired: [] })
    expect(source.asked).not.toContain('tile/entries/000')
    expect(isIn(log)).toBe(true)
  })
})

describe('an export that broke off', () => {
  const breaking = (forged: Forged, at: string): LogSource => {
    const whole = sourceOf(forged)
    return {
      read: async (path, most) => {
        if (path === at) throw new Error('the line is dead')
        return whole.read(path, most)
      },
    }
  }

  test('has no checkpoint, and goes on where it was', async () => {
    await expect(exported(breaking(log, 'tile/entries/001'))).rejects.toThrow('the line is dead')
    expect(existsSync(join(dir, 'checkpoint'))).toBe(false)
    expect(existsSync(join(dir, 'tile/entries/000'))).toBe(true)
    const source = sourceOf(log)
    expect((await exported(source)).kept).toBeGreaterThan(0)
    expect(source.asked).not.toContain('tile/entries/000')
    expect(isIn(log)).toBe(true)
  })
  test('keeps the checkpoint of the export before', async () => {
    await exported(sourceOf(early))
    await expect(exported(breaking(log, 'tile/entries/001'))).rejects.toThrow('the line is dead')
    expect(readFileSync(join(dir, 'checkpoint'), 'utf8')).toBe(early.note)
    expect(isIn(early)).toBe(true)
  })
  test.for<[what: string, data: Uint8Array]>([
    ['damaged', flipped(fileOf(log, 'tile/entries/001'), 99)],
    ['cut short', fileOf(log, 'tile/entries/001').slice(0, 1_000)],
    ['empty', new Uint8Array(0)],
  ])('and left a file that is %s fetches it again, and says so', async ([, data]) => {
    put('tile/entries/000', fileOf(log, 'tile/entries/000'))
    put('tile/entries/001', data)
    const source = sourceOf(log)
    expect((await exported(source)).repaired).toEqual(['tile/entries/001'])
    expect(source.asked).not.toContain('tile/entries/000')
    expect(isIn(log)).toBe(true)
  })
  test('and left a tile that is too long writes over it', async () => {
    put('tile/0/000', new Uint8Array(9_000))
    await exported(sourceOf(log))
    expect(isIn(log)).toBe(true)
  })
})

describe('an export refuses', () => {
  test('each file that is not under the signed root, before it is written', async () => {
    const path = 'tile/entries/001'
    const source = sourceOf(with_(log, path, flipped(fileOf(log, path), 9)))
    await expect(exported(source)).rejects.toThrow(LogFault)
    expect([path, 'checkpoint'].map((one) => existsSync(join(dir, one)))).toEqual([false, false])
  })
  test('a checkpoint that the pinned key did not sign', async () => {
    const source = sourceOf(signed(log, aKey(ORIGIN, new Uint8Array(32).fill(8))))
    await expect(exported(source)).rejects.toThrow(VerificationFailed)
    expect(existsSync(dir)).toBe(false)
  })
  test('a log that is behind the folder', async () => {
    await exported(sourceOf(log))
    await expect(exported(sourceOf(early))).rejects.toThrow('the folder holds 700 entries already, the log has 300')
    expect(isIn(log)).toBe(true)
  })
  test('a log that does not continue the folder, and leaves it as it is', async () => {
    const other = forge(ENTRIES.slice(0, 300).with(7, new Uint8Array(33)))
    await exported(sourceOf(other))
    const before = filesIn()
    await expect(exported(sourceOf(log))).rejects.toThrow("does not continue the folder's of 300")
    expect(isIn(other)).toBe(true)
    expect(filesIn()).toEqual(before)
  })
})
