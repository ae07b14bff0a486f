import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../src/kernel/bytes.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import {
  appendLeaf,
  auditPath,
  type CompactRange,
  decodeRange,
  emptyRange,
  emptyRoot,
  encodeRange,
  leafHash,
  nodeHash,
  rangeRoot,
  rootFromPath,
  treeHash,
  verifyConsistency,
} from '../../src/provenance/merkle.ts'
import { leafOf, leavesOf, mth, pathOf, proofOf } from './definition.ts'
import { aBit, aHash, bytes, flipped, LOG, TREE } from './vectors.ts'

const LEAVES = leavesOf(100)
const ROOTS = Array.from({ length: LEAVES.length + 1 }, (_, n) => mth(LEAVES.slice(0, n)))
const rootOf = (size: number): Uint8Array => ROOTS[size] ?? new Uint8Array(0)
const rangeOf = (leaves: readonly Uint8Array[]): CompactRange =>
  leaves.reduce((range, leaf) => appendLeaf(sha256, range, leaf), emptyRange)

/** A tree of some size, and a leaf of it. */
const aLeaf = fc
  .integer({ min: 1, max: LEAVES.length })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat({ max: size - 1 }) }))

const inclusionOf = ({ size, index }: { size: number; index: number }) => ({
  leaf: LEAVES[index] ?? new Uint8Array(0),
  index: BigInt(index),
  size: BigInt(size),
  path: pathOf(index, LEAVES.slice(0, size)),
})

/** Two sizes between which there is something to prove. */
const aGrowth = fc
  .integer({ min: 2, max: LEAVES.length })
  .chain((to) => fc.record({ to: fc.constant(to), from: fc.integer({ min: 1, max: to - 1 }) }))

const consistencyOf = ({ from, to }: { from: number; to: number }) => ({
  size1: BigInt(from),
  size2: BigInt(to),
  root1: rootOf(from),
  root2: rootOf(to),
  path: proofOf(from, LEAVES.slice(0, to)),
})

/** The two roots that the steps of RFC 9162, section 2.1.4.2, make of a path, were it not for its length. */
function madeBy(size1: bigint, size2: bigint, path: readonly Uint8Array[]): { root1: Uint8Array; root2: Uint8Array } {
  const [first = new Uint8Array(32), ...rest] = path
  let [fn, sn, root1, root2] = [size1 - 1n, size2 - 1n, first, first]
  const shift = (): void => {
    fn >>= 1n
    sn >>= 1n
  }
  while (fn & 1n) shift()
  for (const node of rest) {
    if (fn & 1n || fn === sn) {
      root1 = nodeHash(sha256, node, root1)
      root2 = nodeHash(sha256, node, root2)
      while (fn !== 0n && !(fn & 1n)) shift()
    } else root2 = nodeHash(sha256, root2, node)
    shift()
  }
  return { root1, root2 }
}

const withNode = (path: readonly Uint8Array[], at: number, node: Uint8Array): Uint8Array[] =>
  path.with(at % path.length, node)

describe('roots', () => {
  test.for(TREE.roots.map((root, size) => ({ root, size })))(
    'the published tree of $size has its root',
    ({ root, size }) => {
      const published = TREE.entries.slice(0, size).map((entry) => leafHash(sha256, bytes(entry)))
      expect(toHex(treeHash(sha256, published))).toBe(root)
      expect(toHex(rangeRoot(sha256, rangeOf(published)))).toBe(root)
    },
  )
  test('the tree without leaves is the hash of nothing', () => {
    expect(toHex(emptyRoot(sha256))).toBe(TREE.roots[0])
  })
  test('a leaf is never a node: their hashes begin with another byte', () => {
    const [left, right] = [LEAVES[0] ?? bytes(''), LEAVES[1] ?? bytes('')]
    expect(nodeHash(sha256, left, right)).not.toEqual(leafHash(sha256, Buffer.concat([left, right])))
    expect(nodeHash(sha256, left, right)).not.toEqual(nodeHash(sha256, right, left))
  })
  test('an entry has its defined leaf, whatever its length', () => {
    for (const length of [0, 1, 254, 255, 256, 257, 65_535]) {
      const entry = new Uint8Array(length).fill(7)
      expect(toHex(leafHash(sha256, entry)), String(length)).toBe(toHex(leafOf(entry)))
    }
  })
  test('both algorithms make the defined root of every size', () => {
    let range = emptyRange
    for (const [n, leaf] of LEAVES.entries()) {
      expect(treeHash(sha256, LEAVES.slice(0, n))).toEqual(rootOf(n))
      expect(rangeRoot(sha256, range)).toEqual(rootOf(n))
      expect(range.size).toBe(BigInt(n))
      range = appendLeaf(sha256, range, leaf)
    }
  })
})

describe('a compact range', () => {
  test('has one node for each bit of its size, and comes back from its bytes', () => {
    for (let n = 0; n <= LEAVES.length; n++) {
      const range = rangeOf(LEAVES.slice(0, n))
      expect(range.nodes.length).toBe(n.toString(2).replaceAll('0', '').length)
      expect(decodeRange(encodeRange(range))).toEqual({
        size: range.size,
        nodes: range.nodes.map((node) => new Uint8Array(node)),
      })
    }
  })
  test.for([0, 7, 9, 39, 41])('is not read from %i bytes', (length) => {
    expect(() => decodeRange(new Uint8Array(length))).toThrow(new RangeError('not a compact range'))
  })
  test('that lacks nodes takes no leaf', () => {
    const broken = { size: 3n, nodes: rangeOf(LEAVES.slice(0, 3)).nodes.slice(1) }
    expect(() => appendLeaf(sha256, broken, LEAVES[3] ?? bytes(''))).toThrow(new RangeError('a range lacks nodes'))
  })
})

describe('an inclusion proof', () => {
  test('of the published entry leads to the published root', () => {
    const path = LOG.path.map(bytes)
    const leaves = LOG.entries.map((entry) => leafHash(sha256, bytes(entry)))
    expect(auditPath(sha256, leaves, LOG.index).map(toHex)).toEqual(LOG.path)
    const leaf = leaves[LOG.index] ?? bytes('')
    const root = rootFromPath(sha256, { leaf, index: BigInt(LOG.index), size: 5n, path })
    expect(toHex(root ?? bytes(''))).toBe(LOG.root)
  })
  test('is the defined path and verifies, for every leaf of every tree', () => {
    fc.assert(
      fc.property(aLeaf, (at) => {
        const proof = inclusionOf(at)
        expect(auditPath(sha256, LEAVES.slice(0, at.size), at.index)).toEqual(proof.path)
        expect(rootFromPath(sha256, proof)).toEqual(rootOf(at.size))
      }),
    )
  })
  test('does not verify with one bit turned, in the leaf or on the path', () => {
    fc.assert(
      fc.property(aLeaf, aBit, fc.nat(), (at, bit, which) => {
        const proof = inclusionOf(at)
        expect(rootFromPath(sha256, { ...proof, leaf: flipped(proof.leaf, bit) })).not.toEqual(rootOf(at.size))
        if (proof.path.length === 0) return
        const node = flipped(proof.path[which % proof.path.length] ?? bytes(''), bit)
        const path = withNode(proof.path, which, node)
        expect(rootFromPath(sha256, { ...proof, path })).not.toEqual(rootOf(at.size))
      }),
    )
  })
  test('verifies at no other place of the tree', () => {
    fc.assert(
      fc.property(aLeaf, (at) => {
        const proof = inclusionOf(at)
        for (let index = -1n; index <= proof.size; index++) {
          if (index !== proof.index) expect(rootFromPath(sha256, { ...proof, index })).not.toEqual(rootOf(at.size))
        }
      }),
      { numRuns: 30 },
    )
  })
  test('of another length fits no tree', () => {
    fc.assert(
      fc.property(aLeaf, aHash, (at, extra) => {
        const { path, ...proof } = inclusionOf(at)
        expect(rootFromPath(sha256, { ...proof, path: [...path, extra] })).toBeUndefined()
        if (path.length > 0) expect(rootFromPath(sha256, { ...proof, path: path.slice(0, -1) })).toBeUndefined()
      }),
    )
  })
  test('with a node that is no hash is refused', () => {
    const proof = inclusionOf({ size: 7, index: 3 })
    for (const length of [0, 31, 33, 64])
      expect(rootFromPath(sha256, { ...proof, path: withNode(proof.path, 1, new Uint8Array(length)) })).toBeUndefined()
  })
  test('with a byte behind a node is refused, though a hash over both sides would not notice', () => {
    fc.assert(
      fc.property(aLeaf, fc.nat(), (at, which) => {
        const { path, ...proof } = inclusionOf(at)
        fc.pre(path.length > 0)
        const longer = Buffer.concat([path[which % path.length] ?? bytes(''), Buffer.of(0)])
        expect(rootFromPath(sha256, { ...proof, path: withNode(path, which, longer) })).toBeUndefined()
      }),
    )
  })
  test('is refused outside the tree, by maker and verifier', () => {
    for (const index of [-1, 7, 0.5, Number.NaN])
      expect(() => auditPath(sha256, LEAVES.slice(0, 7), index), String(index)).toThrow(new RangeError('no such leaf'))
    const { leaf } = inclusionOf({ size: 1, index: 0 })
    for (const [index, size] of [
      [0n, 0n],
      [1n, 1n],
      [-1n, 1n],
      [7n, 7n],
    ] as const)
      expect(rootFromPath(sha256, { leaf, index, size, path: [] })).toBeUndefined()
  })
})

describe('a consistency proof', () => {
  test('of the published log verifies', () => {
    const { from, root, path } = LOG.consistency
    const claim = { size1: BigInt(from), size2: 5n, root1: Buffer.from(root, 'base64'), root2: bytes(LOG.root) }
    expect(verifyConsistency(sha256, { ...claim, path: path.map(bytes) })).toBe(true)
  })
  test('verifies between any two sizes up to 48', () => {
    for (let to = 1; to <= 48; to++)
      for (let from = 1; from < to; from++) expect(verifyConsistency(sha256, consistencyOf({ from, to }))).toBe(true)
  })
  test('does not verify with one bit turned, in a root or on the path', () => {
    fc.assert(
      fc.property(aGrowth, aBit, fc.nat(), (at, bit, which) => {
        const claim = consistencyOf(at)
        const node = flipped(claim.path[which % claim.path.length] ?? bytes(''), bit)
        expect(verifyConsistency(sha256, { ...claim, root1: flipped(claim.root1, bit) })).toBe(false)
        expect(verifyConsistency(sha256, { ...claim, root2: flipped(claim.root2, bit) })).toBe(false)
        expect(verifyConsistency(sha256, { ...claim, path: withNode(claim.path, which, node) })).toBe(false)
      }),
    )
  })
  test('with a node more, less or of another length is refused', () => {
    fc.assert(
      fc.property(aGrowth, aHash, (at, extra) => {
        const { path, ...claim } = consistencyOf(at)
        for (const other of [[...path, extra], [extra, ...path], path.slice(1), path.slice(0, -1), []])
          expect(verifyConsistency(sha256, { ...claim, path: other })).toBe(false)
        for (const [i, node] of path.entries())
          for (const other of [Buffer.concat([node, Buffer.of(0)]), node.slice(1), new Uint8Array(0)])
            expect(verifyConsistency(sha256, { ...claim, path: path.with(i, other) })).toBe(false)
      }),
    )
  })
  test('of another length proves nothing, not even about the roots that it makes itself', () => {
    const path = LEAVES.slice(0, 6)
    for (const [size1, size2, length] of [
      [3n, 4n, 3],
      [7n, 8n, 4],
      [6n, 8n, 3],
      [7n, 5n, 4],
    ] as const) {
      const verdicts = [1, 2, 3, 4, 5, 6].map((n) => {
        const some = path.slice(0, n)
        return verifyConsistency(sha256, { size1, size2, ...madeBy(size1, size2, some), path: some })
      })
      const right = size1 < size2 ? length : 0
      expect(verdicts, `${size1} to ${size2}`).toEqual([1, 2, 3, 4, 5, 6].map((n) => n === right))
    }
  })
  test('of a tree that was rewritten is refused', () => {
    fc.assert(
      fc.property(aGrowth, fc.nat(), aBit, (at, which, bit) => {
        const leaves = LEAVES.slice(0, at.to)
        const rewritten = leaves.with(which % at.from, flipped(leaves[which % at.from] ?? bytes(''), bit))
        const claim = { ...consistencyOf(at), root2: mth(rewritten), path: proofOf(at.from, rewritten) }
        expect(verifyConsistency(sha256, claim)).toBe(false)
      }),
    )
  })
  test('between equal sizes is the equality of their roots, without path', () => {
    const claim = { ...consistencyOf({ from: 4, to: 8 }), size2: 4n, root2: rootOf(4), path: [] }
    expect(verifyConsistency(sha256, claim)).toBe(true)
    expect(verifyConsistency(sha256, { ...claim, root2: rootOf(5) })).toBe(false)
    expect(verifyConsistency(sha256, { ...claim, path: [rootOf(4)] })).toBe(false)
  })
  test('from nothing is the root of nothing, without path', () => {
    const claim = { size1: 0n, size2: 8n, root1: rootOf(0), root2: rootOf(8), path: [] }
    expect(verifyConsistency(sha256, claim)).toBe(true)
    expect(verifyConsistency(sha256, { ...claim, root1: rootOf(1) })).toBe(false)
    expect(verifyConsistency(sha256, { ...claim, path: [rootOf(8)] })).toBe(false)
  })
  test('to a smaller size, or from a negative one, is refused', () => {
    const claim = consistencyOf({ from: 4, to: 8 })
    expect(verifyConsistency(sha256, { ...claim, size1: 8n, size2: 4n })).toBe(false)
    expect(verifyConsistency(sha256, { ...claim, size1: -1n })).toBe(false)
    expect(verifyConsistency(sha256, { ...claim, size1: -1n, size2: -1n, root2: claim.root1, path: [] })).toBe(false)
  })
})
