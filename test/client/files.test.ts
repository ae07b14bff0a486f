import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readIfThere, readSecret } from '../../src/client/files.ts'
import { writeDurably } from '../../src/kernel/durable.ts'
import { StartRefused } from '../../src/kernel/errors.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'aldis-files-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

test('a file that is not there reads as nothing', () => {
  expect([readIfThere(join(dir, 'fruit.txt')), readSecret(join(dir, 'fruit.txt'))]).toEqual([undefined, undefined])
  writeDurably(join(dir, 'fruit.txt'), '')
  expect(readIfThere(join(dir, 'fruit.txt'))).toBe('')
})

test('a secret is read only if nobody else can read or write it', () => {
  const path = join(dir, 'secret')
  writeDurably(path, 'quince', 0o600)
  expect(readSecret(path)).toBe('quince')
  for (const mode of [0o400, 0o700]) {
    chmodSync(path, mode)
    expect(readSecret(path)).toBe('quince')
  }
  for (const mode of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o666]) {
    chmodSync(path, mode)
    expect(() => readSecret(path)).toThrow(StartRefused)
  }
})
