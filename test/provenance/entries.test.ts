import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { rowsBy } from '../../src/kernel/hash-rows.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Rows } from '../../src/kernel/sha256-rows.ts'
import { chainDigest, chainsHash, decoyDigest, entryOf } from '../../src/provenance/chain.ts'
import { entriesOf, type Parts } from '../../src/provenance/entries.ts'
import { aHash, bytes, RECORD } from './vectors.ts'

const { one_party: one, three_parties_and_a_decoy: three } = RECORD

/** One entry after the other, by their definition. */
const plain = (records: readonly Parts[]): string =>
  records
    .map(({ c, chains, decoys }) => {
      const digests = [
        ...chains.map((link) => chainDigest(sha256, link)),
        ...decoys.map((salt) => decoyDigest(sha256, salt)),
      ]
      return toHex(entryOf(sha256, c, chainsHash(sha256, digests)))
    })
    .join('')

test('the published entries, made together, are as published', () => {
  const alone = { party: one.party, seq: BigInt(one.seq), salt: bytes(one.chain_salt), link: bytes(one.link_1) }
  const records = [
    { c: bytes(one.c), chains: [alone], decoys: [] },
    {
      c: bytes(three.c),
      chains: three.chains.map(({ party, seq, salt, link }) => ({
        ...{ party, seq: BigInt(seq), salt: bytes(salt), link: bytes(link) },
      })),
      decoys: [bytes(three.decoy_salt)],
    },
  ]
  expect(toHex(entriesOf(sha256Rows, records))).toBe(one.entry + three.entry)
})

test('entries made together are those that each makes alone, however many parties and decoys they have', () => {
  const party = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/)
  const link = fc.record({ party, seq: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), salt: aHash, link: aHash })
  const parts = fc.record({
    c: aHash,
    chains: fc.array(link, { maxLength: 5 }),
    decoys: fc.array(aHash, { maxLength: 4 }),
  })
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (records) => {
      for (const rows of [sha256Rows, rowsBy(sha256)]) expect(toHex(entriesOf(rows, records))).toBe(plain(records))
    }),
  )
})
