import { concat, equal, type Hash, utf8 } from '../kernel/bytes.ts'

/** Bytes of an element and of a scalar; then of a proof. */
export const ELEMENT_BYTES = 32
const PROOF_BYTES = 64
/** Elements of one evaluation: one proof covers them all. */
export const BATCH_MAX = 256

/** ristretto255 (RFC 9496). Elements and scalars are their 32-byte encodings. */
export interface Group {
  /** Whether the bytes are the one encoding of an element, and not of the identity. */
  isElement(bytes: Uint8Array): boolean
  /** Whether the bytes are the one encoding of a scalar, and not of zero. */
  isScalar(bytes: Uint8Array): boolean
  /** The element that 64 uniform bytes stand for (section 4.3.4). */
  elementFrom(uniform: Uint8Array): Uint8Array
  /** The scalar that 64 uniform bytes stand for, little-endian. */
  scalarFrom(uniform: Uint8Array): Uint8Array
  /** In constant time. */
  multiply(scalar: Uint8Array, element: Uint8Array): Uint8Array
  multiplyBase(scalar: Uint8Array): Uint8Array
  add(one: Uint8Array, other: Uint8Array): Uint8Array
  /** The sum of the products; for public values alone, since its time may depend on them. */
  combine(scalars: readonly Uint8Array[], elements: readonly Uint8Array[]): Uint8Array
  /** one - other * factor, of scalars. */
  subtractProduct(one: Uint8Array, other: Uint8Array, factor: Uint8Array): Uint8Array
  invert(scalar: Uint8Array): Uint8Array
}

/** An input that was blinded: the scalar stays at home, the element is sent. */
export interface Blinded {
  blind: Uint8Array
  element: Uint8Array
}

export interface Evaluated {
  elements: Uint8Array[]
  /** c || s, of the whole batch. */
  proof: Uint8Array
}

/** The verifiable mode of RFC 9497 for ristretto255-SHA512. */
export interface Voprf {
  publicKey(key: Uint8Array): Uint8Array
  /** `scalar` makes the blinding known: for vectors. */
  blind(input: Uint8Array, scalar?: Uint8Array): Blinded
  /** Each element under the key, and the proof that it was this key. Elements were checked by `isElement`. */
  evaluate(key: Uint8Array, elements: readonly Uint8Array[], scalar?: Uint8Array): Evaluated
  /** Whether the key behind the public one made these of those; false for anything that is malformed. */
  verify(publicKey: Uint8Array, blinded: readonly Uint8Array[], evaluated: Evaluated): boolean
  /** The 64-byte output. What was evaluated must have been verified before. */
  finalize(input: Uint8Array, blind: Uint8Array, evaluated: Uint8Array): Uint8Array
  /** Of a key in two parts: what each part made of one batch, added. */
  addShares(one: readonly Uint8Array[], other: readonly Uint8Array[]): Uint8Array[]
  readonly group: Group
}

export interface VoprfOptions {
  group: Group
  /** SHA-512. */
  hash: Hash
  /** 64 random bytes. */
  random(): Uint8Array
}

/** "OPRFV1-" || the verifiable mode || "-" || the suite (section 3.1). */
const CONTEXT = concat(utf8('OPRFV1-'), Uint8Array.of(1), utf8('-ristretto255-SHA512'))
const GROUP_TAG = concat(utf8('HashToGroup-'), CONTEXT)
const SCALAR_TAG = concat(utf8('HashToScalar-'), CONTEXT)
const SEED_TAG = concat(utf8('Seed-'), CONTEXT)
/** Of SHA-512. */
const BLOCK_BYTES = 128

const u16 = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 255)
const sized = (bytes: Uint8Array): Uint8Array => concat(u16(bytes.length), bytes)

/** expand_message_xmd to 64 bytes (RFC 9380 section 5.3.1): one block of SHA-512. */
function expand(hash: Hash, message: Uint8Array, tag: Uint8Array): Uint8Array {
  const last = concat(tag, Uint8Array.of(tag.length))
  const first = hash(concat(new Uint8Array(BLOCK_BYTES), message, u16(64), Uint8Array.of(0), last))
  return hash(concat(first, Uint8Array.of(1), last))
}

export function createVoprf({ group, hash, random }: VoprfOptions): Voprf {
  const scalarOf = (message: Uint8Array): Uint8Array => group.scalarFrom(expand(hash, message, SCALAR_TAG))
  const randomScalar = (): Uint8Array => group.scalarFrom(random())

  /** The weights by which a batch becomes one pair (section 2.2.1). */
  const weights = (
    publicKey: Uint8Array,
    blinded: readonly Uint8Array[],
    evaluated: readonly Uint8Array[],
  ): Uint8Array[] => {
    const seed = sized(hash(concat(sized(publicKey), sized(SEED_TAG))))
    const label = utf8('Composite')
    return blinded.map((element, i) =>
      scalarOf(concat(seed, u16(i), sized(element), sized(evaluated[i] ?? new Uint8Array(0)), label)),
    )
  }
  const challenge = (...elements: readonly Uint8Array[]): Uint8Array =>
    scalarOf(concat(...elements.map(sized), utf8('Challenge')))

  return {
    group,
    publicKey: (key) => group.multiplyBase(key),
    blind(input, scalar = randomScalar()) {
      const point = group.elementFrom(expand(hash, input, GROUP_TAG))
      return { blind: scalar, element: group.multiply(scalar, point) }
    },
    evaluate(key, elements, scalar = randomScalar()) {
      const evaluated = elements.map((element) => group.multiply(key, element))
      const publicKey = group.multiplyBase(key)
      const m = group.combine(weights(publicKey, elements, evaluated), elements)
      const z = group.multiply(key, m)
      const c = challenge(publicKey, m, z, group.multiplyBase(scalar), group.multiply(scalar, m))
      return { elements: evaluated, proof: concat(c, group.subtractProduct(scalar, c, key)) }
    },
    verify(publicKey, blinded, { elements, proof }) {
      if (blinded.length === 0 || blinded.length !== elements.length || proof.length !== PROOF_BYTES) return false
      if (![publicKey, ...blinded, ...elements].every(group.isElement)) return false
      const [c, s] = [proof.subarray(0, ELEMENT_BYTES), proof.subarray(ELEMENT_BYTES)]
      if (!group.isScalar(c) || !group.isScalar(s)) return false
      const d = weights(publicKey, blinded, elements)
      const [m, z] = [group.combine(d, blinded), group.combine(d, elements)]
      const t2 = group.add(group.multiplyBase(s), group.multiply(c, publicKey))
      return equal(c, challenge(publicKey, m, z, t2, group.combine([s, c], [m, z])))
    },
    finalize(input, blind, evaluated) {
      const unblinded = group.multiply(group.invert(blind), evaluated)
      return hash(concat(sized(input), sized(unblinded), utf8('Finalize')))
    },
    addShares: (one, other) =>
      one.map((element, i) => {
        const beside = other[i]
        if (beside === undefined || one.length !== other.length) throw new RangeError('shares of different batches')
        return group.add(element, beside)
      }),
  }
}

/** The elements of one run of bytes; its length is a multiple of 32. */
export function elementsIn(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % ELEMENT_BYTES !== 0) throw new RangeError('elements have 32 bytes each')
  return Array.from({ length: bytes.length / ELEMENT_BYTES }, (_, i) =>
    bytes.subarray(i * ELEMENT_BYTES, (i + 1) * ELEMENT_BYTES),
  )
}
