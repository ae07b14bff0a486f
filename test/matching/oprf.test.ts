import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ristretto255_oprf } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nobleGroup } from '../../src/client/noble-group.ts'
import { concat, fromHex, toHex } from '../../src/kernel/bytes.ts'
import { sha512 } from '../../src/kernel/sha512.ts'
import { openSodiumGroup } from '../../src/keys/sodium-group.ts'
import { createVoprf, ELEMENT_BYTES, elementsIn, type Voprf } from '../../src/matching/oprf.ts'

interface Vectors {
  secret_key: string
  public_key: string
  seed: string
  key_info: string
  cases: {
    name: string
    inputs: string[]
    blinds: string[]
    blinded: string[]
    evaluated: string[]
    proof_scalar: string
    proof: string
    outputs: string[]
  }[]
}

const VECTORS = JSON.parse(readFileSync(new URL('../vectors/oprf.json', import.meta.url), 'utf8')) as Vectors
const bytes = (hex: string): Uint8Array => {
  const value = fromHex(hex)
  if (value === undefined) throw new Error('not hex')
  return value
}
const at = <T>(list: readonly T[], i: number): T => {
  const found = list[i]
  if (found === undefined) throw new Error('too short')
  return found
}

const over = (group: Voprf['group']): Voprf => createVoprf({ group, hash: sha512, random: () => randomBytes(64) })
const sodium = over(await openSodiumGroup())
const noble = over(nobleGroup)
const SIDES: readonly [string, Voprf][] = [
  ['libsodium', sodium],
  ['noble', noble],
]
const input = (text: string): Uint8Array => Buffer.from(text)
const scalar = (side: Voprf): Uint8Array => side.group.scalarFrom(randomBytes(64))

describe.for(SIDES)('over %s', ([, side]) => {
  test.for(VECTORS.cases)('RFC 9497 A.1.2, $name: blinded, evaluated, proof and output', (one) => {
    const key = bytes(VECTORS.secret_key)
    expect(toHex(side.publicKey(key))).toBe(VECTORS.public_key)
    const blinded = one.inputs.map((text, i) => side.blind(bytes(text), bytes(at(one.blinds, i))))
    expect(blinded.map(({ element }) => toHex(element))).toEqual(one.blinded)
    const evaluated = side.evaluate(
      key,
      blinded.map(({ element }) => element),
      bytes(one.proof_scalar),
    )
    expect(evaluated.elements.map(toHex)).toEqual(one.evaluated)
    expect(toHex(evaluated.proof)).toBe(one.proof)
    const sent = one.blinded.map(bytes)
    expect(side.verify(bytes(VECTORS.public_key), sent, evaluated)).toBe(true)
    const outputs = one.inputs.map((text, i) =>
      toHex(side.finalize(bytes(text), at(blinded, i).blind, at(evaluated.elements, i))),
    )
    expect(outputs).toEqual(one.outputs)
  })

  test('a proof does not hold for another key, element, order, batch or proof', () => {
    const key = scalar(side)
    const blinded = ['pear', 'plum', 'finch'].map((word) => side.blind(input(word)).element)
    const good = side.evaluate(key, blinded)
    const publicKey = side.publicKey(key)
    expect(side.verify(publicKey, blinded, good)).toBe(true)
    const { elements, proof } = good
    const other = side.evaluate(scalar(side), blinded)
    const turned = [at(elements, 1), at(elements, 0), at(elements, 2)]
    const bent = proof.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
    expect(side.verify(side.publicKey(scalar(side)), blinded, good)).toBe(false)
    expect(side.verify(publicKey, blinded, other)).toBe(false)
    expect(side.verify(publicKey, blinded, { elements: turned, proof })).toBe(false)
    expect(side.verify(publicKey, blinded.slice(1), good)).toBe(false)
    expect(side.verify(publicKey, [], { elements: [], proof })).toBe(false)
    expect(side.verify(publicKey, blinded, { elements, proof: bent })).toBe(false)
    expect(side.verify(publicKey, blinded, { elements, proof: proof.subarray(1) })).toBe(false)
    expect(side.verify(publicKey, blinded, { elements, proof: new Uint8Array(64) })).toBe(false)
    expect(side.verify(publicKey, blinded, { elements, proof: new Uint8Array(64).fill(255) })).toBe(false)
    expect(side.verify(new Uint8Array(32), blinded, good)).toBe(false)
  })

  test('the identity, a scalar of zero and what is no canonical encoding are refused', () => {
    const order = bytes('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
    const field = bytes('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
    const good = side.blind(input('pear')).element
    const negative = good.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
    for (const bad of [new Uint8Array(32), field, negative, good.subarray(1), concat(good, Uint8Array.of(0))])
      expect(side.group.isElement(bad), toHex(bad)).toBe(false)
    expect(side.group.isElement(good)).toBe(true)
    for (const bad of [new Uint8Array(32), order, new Uint8Array(32).fill(255), order.subarray(1)])
      expect(side.group.isScalar(bad), toHex(bad)).toBe(false)
    expect(side.group.isScalar(scalar(side))).toBe(true)
  })
})

test('both sides and the library make the same of the same: one blinds, the other evaluates, either finalizes', () => {
  const words = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(words, fc.boolean(), (inputs, turned) => {
      const [here, there] = turned ? [sodium, noble] : [noble, sodium]
      const key = scalar(there)
      const blinded = inputs.map((one) => here.blind(one))
      const elements = blinded.map(({ element }) => element)
      const evaluated = there.evaluate(key, elements)
      expect(here.verify(there.publicKey(key), elements, evaluated)).toBe(true)
      const own = inputs.map((one, i) => here.finalize(one, at(blinded, i).blind, at(evaluated.elements, i)))
      const items = inputs.map((one, i) => ({
        ...{ input: one, blind: at(blinded, i).blind, blinded: at(elements, i) },
        evaluated: at(evaluated.elements, i),
      }))
      const theirs = ristretto255_oprf.voprf.finalizeBatch(items, here.publicKey(key), evaluated.proof)
      expect(own.map(toHex)).toEqual(theirs.map(toHex))
    }),
    { numRuns: 15 },
  )
})

test("the library's own evaluation and proof are taken too", () => {
  const key = scalar(noble)
  const elements = ['pear', 'plum'].map((word) => sodium.blind(input(word)).element)
  const made = ristretto255_oprf.voprf.blindEvaluateBatch(key, noble.publicKey(key), elements)
  for (const [, side] of SIDES)
    expect(side.verify(side.publicKey(key), elements, { elements: made.evaluated, proof: made.proof })).toBe(true)
})

test('the sum of what two parts of a key make is what the whole key makes', () => {
  const [one, other] = [scalar(sodium), scalar(sodium)]
  const whole = sodium.group.subtractProduct(one, other, sodium.group.subtractProduct(ZERO, ONE, ONE))
  expect(toHex(noble.group.add(noble.publicKey(one), noble.publicKey(other)))).toBe(toHex(noble.publicKey(whole)))
  const { blind, element } = noble.blind(input('pear'))
  const sum = noble.addShares(sodium.evaluate(one, [element]).elements, sodium.evaluate(other, [element]).elements)
  const single = sodium.evaluate(whole, [element]).elements
  expect(sum.map(toHex)).toEqual(single.map(toHex))
  expect(toHex(noble.finalize(input('pear'), blind, at(sum, 0)))).toBe(
    toHex(noble.finalize(input('pear'), blind, at(single, 0))),
  )
})

const ZERO = new Uint8Array(ELEMENT_BYTES)
const ONE = Uint8Array.from(ZERO, (_, i) => (i === 0 ? 1 : 0))

test('shares of different batches are not added, and elements of 31 bytes are none', () => {
  const { element } = sodium.blind(input('pear'))
  expect(() => sodium.addShares([element], [])).toThrow('different batches')
  expect(() => sodium.addShares([element], [element, element])).toThrow('different batches')
  expect(() => elementsIn(new Uint8Array(31))).toThrow('32 bytes')
  expect(elementsIn(concat(element, element)).map(toHex)).toEqual([toHex(element), toHex(element)])
})
