import { expect, test } from 'vitest'
import { fromBase64Url } from '../../src/kernel/bytes.ts'
import { randomTextSource } from '../../src/kernel/random.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { decoy, digestOf } from '../../src/provenance/commitment.ts'
import { decoySource } from '../../src/provenance/decoys.ts'

const TEXT = 43

/** Salt and digest of some six hundred, more than are made at once, taken as reads take them. */
function taken(): [salt: string, digest: string][] {
  const take = decoySource(randomTextSource(32))
  return Array.from({ length: 170 }, (_, i) => i % 8).flatMap((n) => {
    const { salts, digests } = take(n)
    expect([salts.length, digests.length]).toEqual([TEXT * n, n])
    return digests.map((digest, i): [string, string] => [salts.slice(TEXT * i, TEXT * (i + 1)), digest])
  })
}

test('a decoy has the digest of a disclosure that says nothing under its salt', () => {
  for (const [salt, digest] of taken()) {
    const bytes = fromBase64Url(salt) ?? expect.fail('a salt is base64url')
    expect(bytes).toHaveLength(32)
    expect(digest).toBe(digestOf(sha256, decoy(bytes)))
  }
})

test('no decoy is given twice', () => {
  const given = taken()
  expect(new Set(given.map(([salt]) => salt)).size).toBe(given.length)
  expect(new Set(given.map(([, digest]) => digest)).size).toBe(given.length)
})

test('a salt of another length makes no decoy, and no more are given than are made at once', () => {
  expect(() => decoySource(() => 'A'.repeat(42))(1)).toThrow('a salt is not of 32 bytes')
  expect(() => decoySource(randomTextSource(32))(257)).toThrow('at most 256 decoys')
})
