import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare, concat, toBase64Url, toHex, u64, utf8 } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import type { ChainLink } from '../../src/provenance/batch.ts'
import {
  chainDigest,
  chainDisclosure,
  chainsHash,
  decoyCount,
  decoyDigest,
  entryOf,
  genesisLink,
  nextLink,
} from '../../src/provenance/chain.ts'
import { leafHash } from '../../src/provenance/merkle.ts'
import { aHash, bytes, RECORD } from './vectors.ts'

const { one_party: one, three_parties_and_a_decoy: three } = RECORD

describe('the published entry of one party', () => {
  const seq = BigInt(one.seq)
  const own: ChainLink = { party: one.party, seq, salt: bytes(one.chain_salt), link: bytes(one.link_1) }

  test('has its links', () => {
    const genesis = genesisLink(sha256, one.origin, one.party)
    expect(toHex(genesis)).toBe(one.link_0)
    expect(toHex(nextLink(sha256, genesis, seq, bytes(one.c)))).toBe(one.link_1)
  })
  test('has the disclosure of its link and that digest', () => {
    expect(chainDisclosure(own)).toBe(one.chain_disclosure)
    expect(toHex(chainDigest(sha256, own))).toBe(one.chain_digest)
  })
  test('has its entry of 33 bytes and its leaf', () => {
    const h = chainsHash(sha256, [chainDigest(sha256, own)])
    const entry = entryOf(sha256, bytes(one.c), h)
    expect(toHex(h)).toBe(one.chains_hash)
    expect([entry.length, toHex(entry)]).toEqual([33, one.entry])
    expect(toHex(leafHash(sha256, entry))).toBe(one.leaf)
  })
})

describe('the published entry of three parties and a decoy', () => {
  const links = three.chains.map(
    ({ party, seq, salt, link }): ChainLink => ({ party, seq: BigInt(seq), salt: bytes(salt), link: bytes(link) }),
  )

  test('goes on from the links before it', () => {
    const before = (party: string): Uint8Array =>
      party === one.party ? bytes(one.link_1) : genesisLink(sha256, three.origin, party)
    for (const { party, seq, link } of links)
      expect(toHex(nextLink(sha256, before(party), seq, bytes(three.c)))).toBe(toHex(link))
  })
  test('has its entry and its leaf, in whatever order its digests come', () => {
    const digests = [...links.map((link) => chainDigest(sha256, link)), decoyDigest(sha256, bytes(three.decoy_salt))]
    expect(decoyCount(links.length)).toBe(1)
    for (const some of [digests, digests.toReversed(), digests.toSorted(() => 1)]) {
      const h = chainsHash(sha256, some)
      expect(toHex(h)).toBe(three.chains_hash)
      expect(toHex(entryOf(sha256, bytes(three.c), h))).toBe(three.entry)
      expect(toHex(leafHash(sha256, entryOf(sha256, bytes(three.c), h)))).toBe(three.leaf)
    }
  })
})

test('a chain of another log, party or history has other links', () => {
  const c = bytes(one.c)
  const links = [
    genesisLink(sha256, one.origin, 'plum'),
    genesisLink(sha256, 'node.example.org/provenance/2', 'plum'),
    genesisLink(sha256, one.origin, 'fig'),
  ].flatMap((genesis) => [genesis, nextLink(sha256, genesis, 1n, c), nextLink(sha256, genesis, 2n, c)])
  expect(new Set(links.map(toHex)).size).toBe(links.length)
})

test('the digests of an entry do not tell the number of parties but for its power of two', () => {
  expect([1, 2, 3, 4, 5, 8, 9].map((n) => [n, decoyCount(n)])).toEqual([
    ...[
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 0],
      [5, 3],
      [8, 0],
      [9, 7],
    ],
  ])
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), (n) => {
      expect(Math.log2(n + decoyCount(n)) % 1).toBe(0)
      expect(decoyCount(n)).toBeLessThan(n)
    }),
  )
})

test('the order in which digests come never shows', () => {
  fc.assert(
    fc.property(fc.uniqueArray(aHash, { selector: toHex, minLength: 2, maxLength: 8 }), (digests) => {
      const h = toHex(chainsHash(sha256, digests))
      expect(toHex(chainsHash(sha256, digests.toReversed()))).toBe(h)
      expect(toHex(chainsHash(sha256, digests.slice(1)))).not.toBe(h)
    }),
  )
})

describe('whatever its length, and whatever was hashed before it, each byte counts', () => {
  // Of a digest's length, and of any other that a forged log or receipt may hold.
  const any = fc.oneof(aHash, fc.uint8Array({ maxLength: 400, size: 'max' }))
  const party = fc.oneof(fc.constant('apple'), fc.string({ maxLength: 300, size: 'max', unit: 'binary' }))
  const seq = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: -(2n ** 900n), max: 2n ** 900n }))

  test('of a link and what it comes after', () => {
    fc.assert(
      fc.property(any, seq, any, (link, n, c) => {
        const plain = sha256(concat(utf8('prov-link/v1\n'), link, u64(BigInt.asUintN(64, n)), c))
        expect(toHex(nextLink(sha256, link, BigInt.asUintN(64, n), c))).toBe(toHex(plain))
      }),
    )
  })
  test('of a disclosure and a decoy', () => {
    const [digest, long] = [new Uint8Array(32).fill(5), new Uint8Array(400).fill(6)]
    const fits = { party: 'apple', seq: 1n, salt: digest, link: digest }
    const others = [
      ...['é', 'éapple', 'appleé', 'a'.repeat(300)].map((name) => ({ ...fits, party: name })),
      ...[-(2n ** 900n), 2n ** 900n].map((n) => ({ ...fits, seq: n })),
      ...[{ salt: long }, { link: long }].map((part) => ({ ...fits, ...part })),
    ]
    fc.assert(
      fc.property(fc.record({ party, seq, salt: any, link: any }), (own) => {
        expect(toHex(chainDigest(sha256, own))).toBe(toHex(sha256(chainDisclosure(own))))
        const decoy = toBase64Url(utf8(`["${toBase64Url(own.salt)}","decoy"]`))
        expect(toHex(decoyDigest(sha256, own.salt))).toBe(toHex(sha256(decoy)))
      }),
      { examples: others.map((own) => [own]) },
    )
  })
  test('of an entry and its digests', () => {
    fc.assert(
      fc.property(any, fc.array(any, { maxLength: 3 }), (c, digests) => {
        const h = sha256(concat(utf8('prov-chains/v1\n'), ...digests.toSorted(compare)))
        expect(toHex(chainsHash(sha256, digests))).toBe(toHex(h))
        const [some = h] = digests
        expect(toHex(entryOf(sha256, c, some))).toBe(`01${toHex(sha256(concat(utf8('prov-entry/v1\n'), c, some)))}`)
      }),
    )
  })
})
