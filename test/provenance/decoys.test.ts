import { expect, test } from 'vitest'
import { fromBase64Url } from '../../src/kernel/bytes.ts'
import { randomTextSource } from '../../src/kernel/random.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { decoy, digestOf } from '../../src/provenance/commitment.ts'
import { decoySource } from '../../src/provenance/decoys.ts'

/** More than are made at once. */
const SOME = 600

test('a decoy has the digest of a disclosure that says nothing under its salt', () => {
  const next = decoySource(randomTextSource(32))
  for (const { salt, digest } of Array.from({ length: SOME }, next)) {
    const bytes = fromBase64Url(salt) ?? expect.fail('a salt is base64url')
    expect(bytes).toHaveLength(32)
    expect(digest).toBe(digestOf(sha256, decoy(bytes)))
  }
})

test('no decoy is given twice', () => {
  const next = decoySource(randomTextSource(32))
  const given = Array.from({ length: SOME }, next)
  expect(new Set(given.map(({ salt }) => salt)).size).toBe(SOME)
  expect(new Set(given.map(({ digest }) => digest)).size).toBe(SOME)
})

test('a salt of another length makes no decoy', () => {
  expect(() => decoySource(() => 'A'.repeat(42))()).toThrow('a salt is not of 32 bytes')
})
