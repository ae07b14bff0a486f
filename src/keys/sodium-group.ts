import { concat, equal } from '../kernel/bytes.ts'
import type { Group } from '../matching/oprf.ts'

const HALF = new Uint8Array(32)

/** ristretto255 by libsodium in WebAssembly, in constant time. Loaded by whoever opens one: it takes 20 MB of each thread. */
export async function openSodiumGroup(): Promise<Group> {
  const { default: sodium } = await import('libsodium-wrappers-sumo')
  await sodium.ready
  const isZero = (bytes: Uint8Array): boolean => equal(bytes, HALF)
  const multiply: Group['multiply'] = (scalar, element) => sodium.crypto_scalarmult_ristretto255(scalar, element)
  const add: Group['add'] = (one, other) => sodium.crypto_core_ristretto255_add(one, other)
  const scalarFrom: Group['scalarFrom'] = (uniform) => sodium.crypto_core_ristretto255_scalar_reduce(uniform)
  return {
    // libsodium takes the identity, 32 zero bytes, for a valid point.
    isElement: (bytes) =>
      bytes.length === HALF.length && !isZero(bytes) && sodium.crypto_core_ristretto255_is_valid_point(bytes),
    isScalar: (bytes) =>
      bytes.length === HALF.length && !isZero(bytes) && equal(scalarFrom(concat(bytes, HALF)), bytes),
    elementFrom: (uniform) => sodium.crypto_core_ristretto255_from_hash(uniform),
    scalarFrom,
    multiply,
    multiplyBase: (scalar) => sodium.crypto_scalarmult_ristretto255_base(scalar),
    add,
    combine: (scalars, elements) => {
      const products = elements.map((element, i) => multiply(scalars[i] ?? HALF, element))
      return products.reduce((sum, product) => add(sum, product))
    },
    subtractProduct: (one, other, factor) =>
      sodium.crypto_core_ristretto255_scalar_sub(one, sodium.crypto_core_ristretto255_scalar_mul(other, factor)),
    invert: (scalar) => sodium.crypto_core_ristretto255_scalar_invert(scalar),
  }
}
