import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDurably, removeDurably, writeDurably } from '../../src/kernel/durable.ts'

const MODULE = join(import.meta.dirname, '../../src/kernel/durable.ts')

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-durable-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const modeOf = (path: string): number => statSync(path).mode & 0o777

test('what is written is there, alone, with its folders', () => {
  const path = join(dir, 'a', 'b', 'fruit.txt')
  writeDurably(path, 'pear é')
  expect(readFileSync(path, 'utf8')).toBe('pear é')
  writeDurably(path, Uint8Array.of(1, 2))
  expect(readFileSync(path)).toEqual(Buffer.of(1, 2))
  expect(readdirSync(join(dir, 'a', 'b'))).toEqual(['fruit.txt'])
  expect([modeOf(join(dir, 'a')), modeOf(join(dir, 'a', 'b')), modeOf(path)]).toEqual([0o700, 0o700, 0o644])
})

/** What a program syncs, in its order: `fsync` shows nothing of itself that could be looked at afterwards. */
async function syncedBy(work: string): Promise<string[]> {
  const program = `
    import fs from 'node:fs'
    import { syncBuiltinESMExports } from 'node:module'
    const names = new Map()
    const { openSync, fsyncSync } = fs
    fs.openSync = (path, ...rest) => {
      const file = openSync(path, ...rest)
      names.set(file, path)
      return file
    }
    fs.fsyncSync = (file) => {
      console.log(names.get(file))
      fsyncSync(file)
    }
    syncBuiltinESMExports();
    ${work}
  `
  const args = ['--input-type=module-typescript', '--eval', program]
  return (await promisify(execFile)(process.execPath, args, { cwd: dir })).stdout.trim().split('\n')
}

const moduleOf = (name: string): string => JSON.stringify(join(import.meta.dirname, '../../src/kernel', name))

test.for([
  ['a file', `(await import(${moduleOf('durable.ts')})).writeDurably('a/b/c/fruit.txt', 'pear')`],
  ['a generation', `await (await import(${moduleOf('generations.ts')})).folderGenerations('a/b/c').next(0n, 'pear')`],
] as const)('the folders that are made for %s outlive a crash, each name in the one above', async ([, work]) => {
  const synced = await syncedBy(work)
  expect(synced.slice(0, 3)).toEqual(['.', 'a', 'a/b'])
  expect(await syncedBy(work.replace('0n', '1n'))).not.toContain('.')
})

test('a secret has its mode under any umask, though the file was there before with another', () => {
  const path = join(dir, 'secret')
  writeFileSync(path, 'old', { mode: 0o666 })
  const before = process.umask(0)
  try {
    writeDurably(path, 'new', 0o600)
  } finally {
    process.umask(before)
  }
  expect([modeOf(path), readFileSync(path, 'utf8')]).toEqual([0o600, 'new'])
})

test('a write that a crash cut short does not stand in the way of the next', () => {
  const path = join(dir, 'fruit.txt')
  const left = `${path}.${process.pid}.new`
  writeFileSync(left, 'a longer text that was left behind')
  chmodSync(left, 0o666)
  writeDurably(path, 'pear', 0o600)
  expect([readFileSync(path, 'utf8'), modeOf(path)]).toEqual(['pear', 0o600])
  expect(readdirSync(dir)).toEqual(['fruit.txt'])
})

test('a file that was not written to its end does not take the place of the one before', async () => {
  const path = join(dir, 'fruit.txt')
  writeDurably(path, 'pear')
  const program = `
    import { writeDurably } from ${JSON.stringify(MODULE)}
    writeDurably(${JSON.stringify(path)}, 'x'.repeat(5_000))
  `
  // No file of the child may grow beyond 1 or 2 KiB: its first write ends there, as on a full disk.
  const limited = 'ulimit -f 2 && exec "$0" --input-type=module-typescript --eval "$1"'
  await expect(promisify(execFile)('/bin/sh', ['-c', limited, process.execPath, program])).rejects.toThrow('EFBIG')
  expect(readFileSync(path, 'utf8')).toBe('pear')
}, 20_000)

test('a file that is made once is left as it is, and one that is taken away is gone, twice', () => {
  const path = join(dir, 'a', 'fruit.txt')
  expect([createDurably(path, 'pear'), createDurably(path, 'plum')]).toEqual(['made', 'there'])
  expect(readFileSync(path, 'utf8')).toBe('pear')
  removeDurably(path)
  removeDurably(path)
  expect(readdirSync(join(dir, 'a'))).toEqual([])
})
