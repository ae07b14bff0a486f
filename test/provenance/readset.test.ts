import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex, u64 } from '../../src/kernel/bytes.ts'
import { hmac } from '../../src/kernel/hmac.ts'
import { newId, type Uuid } from '../../src/kernel/ids.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { sha256Rows } from '../../src/kernel/sha256-rows.ts'
import { leafHash, rootFromPath } from '../../src/provenance/merkle.ts'
import { type ReadItem, setKey, setLeaf, setProof, setRoot, sourceRoot } from '../../src/provenance/readset.ts'
import { aBit, aHash, bytes, flipped, READSET } from './vectors.ts'

const SALT = bytes(READSET.set_salt)
const ITEMS: ReadItem[] = READSET.items.map(({ signal, revision }) => ({ signal: signal as Uuid, revision }))
const some = (n: number): ReadItem[] =>
  Array.from({ length: n }, (_, i) => ({ signal: newId(new Date(i)), revision: 1 + (i % 4) }))

describe('HMAC-SHA-256', () => {
  test.for(READSET.hmac.cases.map((one, i) => [i + 1, one] as const))(
    'has the published value %i',
    ([, { key, data, mac }]) => {
      expect(toHex(hmac(sha256, bytes(key), bytes(data)))).toBe(mac)
    },
  )
})

describe('the published set', () => {
  test('has the key of its party, and its leaves', () => {
    const key = setKey(sha256, SALT, READSET.party)
    expect(toHex(key)).toBe(READSET.set_key)
    expect(ITEMS.map((item, i) => toHex(setLeaf(sha256, key, i, item)))).toEqual(READSET.leaf_data)
  })
  test('has its root, and the root of its source where it is the only read', () => {
    const root = setRoot(sha256, SALT, READSET.party, ITEMS)
    expect(toHex(root)).toBe(READSET.set_root)
    expect(toHex(sourceRoot(sha256, [{ read: 0, root }]))).toBe(READSET.source_root)
  })
})

describe('a set', () => {
  test('of another salt, party, order or revision has another root', () => {
    const root = toHex(setRoot(sha256, SALT, 'plum', ITEMS))
    const [first, ...rest] = ITEMS
    const changed = [
      setRoot(sha256, flipped(SALT, 0), 'plum', ITEMS),
      setRoot(sha256, SALT, 'fig', ITEMS),
      setRoot(sha256, SALT, 'plum', ITEMS.toReversed()),
      setRoot(sha256, SALT, 'plum', rest),
      setRoot(
        sha256,
        SALT,
        'plum',
        ITEMS.map((item) => ({ ...item, revision: item.revision + 1 })),
      ),
      setRoot(sha256, SALT, 'plum', [...ITEMS, first ?? expect.fail('no items')]),
    ]
    expect(new Set([root, ...changed.map(toHex)]).size).toBe(1 + changed.length)
  })
  test('has one root, whether its leaves are hashed one by one or together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), aHash, (n, salt) => {
        const items = some(n)
        expect(toHex(setRoot(sha256, salt, 'plum', items, sha256Rows))).toBe(
          toHex(setRoot(sha256, salt, 'plum', items)),
        )
      }),
    )
  })
  test('proves each of its items, and with one bit turned none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), aHash, aBit, (n, which, salt, bit) => {
        const items = some(n)
        const index = which % n
        const { data, path } = setProof(sha256, { salt, party: 'plum', items }, index)
        const made = (leaf: Uint8Array) => rootFromPath(sha256, { leaf, index: BigInt(index), size: BigInt(n), path })
        const whole = setRoot(sha256, salt, 'plum', items)
        expect(made(leafHash(sha256, data))).toEqual(whole)
        expect(made(leafHash(sha256, flipped(data, bit)))).not.toEqual(whole)
      }),
    )
  })
  test('shows the salt of no other item: it would tell which signals were read', () => {
    const { data } = setProof(sha256, { salt: SALT, party: 'plum', items: ITEMS }, 1)
    const key = setKey(sha256, SALT, 'plum')
    expect(data.length).toBe(32 + 16 + 4)
    expect(toHex(data).startsWith(toHex(hmac(sha256, key, u64(1n))))).toBe(true)
    expect(toHex(data).includes(toHex(hmac(sha256, key, u64(0n))))).toBe(false)
  })
  test('proves nothing that is not in it', () => {
    for (const index of [-1, 3, 0.5])
      expect(() => setProof(sha256, { salt: SALT, party: 'plum', items: ITEMS }, index), String(index)).toThrow(
        new RangeError('no such item'),
      )
  })
})

test("a source's root is bound to the place of each read", () => {
  const root = setRoot(sha256, SALT, 'plum', ITEMS)
  const roots = [
    [{ read: 0, root }],
    [{ read: 1, root }],
    [{ read: 256, root }],
    [
      { read: 0, root },
      { read: 1, root },
    ],
    [
      { read: 1, root },
      { read: 0, root },
    ],
  ].map((sets) => toHex(sourceRoot(sha256, sets)))
  expect(new Set(roots).size).toBe(roots.length)
})
