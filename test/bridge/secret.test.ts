import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSecret, secretFile } from '../../src/bridge/secret.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'aldis-home-'))
})
afterEach(() => rmSync(home, { recursive: true }))

test('the secret is made once, for its owner alone, and known by it', () => {
  const secret = openSecret(home)
  const text = readFileSync(secretFile(home), 'utf8').trim()
  expect(statSync(secretFile(home)).mode & 0o777).toBe(0o600)
  expect(secret.isIn(`Bearer ${text}`)).toBe(true)
  for (const other of [undefined, '', text, `Bearer ${text}x`, `Bearer ${'A'.repeat(43)}`, `Basic ${text}`])
    expect(secret.isIn(other)).toBe(false)
  expect(openSecret(home).isIn(`Bearer ${text}`)).toBe(true)
})

test('a secret that others may read, or that is none, is not used', () => {
  openSecret(home)
  chmodSync(secretFile(home), 0o644)
  expect(() => openSecret(home)).toThrow('other users may read it')
  chmodSync(secretFile(home), 0o600)
  writeFileSync(secretFile(home), 'pear\n')
  expect(() => openSecret(home)).toThrow('is no secret')
})

test("a body's digest is the bridge's own: nobody else can try what it was made of", () => {
  const body = Buffer.from('{"value":"+442079460018"}')
  const digest = openSecret(home).digest('submission', body)
  expect(openSecret(home).digest('submission', body)).toBe(digest)
  expect(openSecret(home).digest('hits', body)).not.toBe(digest)
  rmSync(secretFile(home))
  expect(openSecret(home).digest('submission', body)).not.toBe(digest)
})
