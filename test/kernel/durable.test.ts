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
