import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { concat } from '../kernel/bytes.ts'
import type { Group } from '../matching/oprf.ts'

const { Point } = ristretto255
const { Fn } = Point
type Point = InstanceType<typeof Point>

/** ristretto255 in JavaScript alone: another hand than the node's, and at home in a browser too. */
export const nobleGroup: Group = {
  isElement(bytes) {
    try {
      return !Point.fromBytes(bytes).is0()
    } catch {
      return false
    }
  },
  isScalar(bytes) {
    try {
      return Fn.fromBytes(bytes) !== 0n
    } catch {
      return false
    }
  },
  elementFrom: (uniform) => derive(uniform).toBytes(),
  scalarFrom: (uniform) => Fn.toBytes(Fn.create(littleEndian(uniform))),
  multiply: (scalar, element) => Point.fromBytes(element).multiply(Fn.fromBytes(scalar)).toBytes(),
  multiplyBase: (scalar) => Point.BASE.multiply(Fn.fromBytes(scalar)).toBytes(),
  add: (one, other) => Point.fromBytes(one).add(Point.fromBytes(other)).toBytes(),
  combine: (scalars, elements) =>
    mulAddUnsafe(
      Point,
      elements.map((element) => Point.fromBytes(element)),
      scalars.map((scalar) => Fn.fromBytes(scalar)),
    ).toBytes(),
  subtractProduct: (one, other, factor) =>
    Fn.toBytes(Fn.sub(Fn.fromBytes(one), Fn.mul(Fn.fromBytes(other), Fn.fromBytes(factor)))),
  invert: (scalar) => Fn.toBytes(Fn.inv(Fn.fromBytes(scalar))),
}

/** The map of RFC 9496 section 4.3.4; the library's type leaves it optional, since not every group has one. */
function derive(uniform: Uint8Array): Point {
  const { deriveToCurve } = ristretto255_hasher
  if (deriveToCurve === undefined) throw new Error('the library has no map to ristretto255')
  return deriveToCurve(uniform)
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of concat(bytes).reverse()) value = (value << 8n) | BigInt(byte)
  return value
}
