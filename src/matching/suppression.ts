import shipped from '../../config/suppression.json' with { type: 'json' }
import { linkHash } from '../identifiers/token.ts'
import type { Hash } from '../kernel/bytes.ts'

/** What a list of `config/suppression.json` holds, and how its values are read. */
export interface SuppressionList {
  list: string
  /**
   * `media`: algorithm and hash; `media_digit`: any media hash of one digit; `pdq_bits`: least and most bits set; `domain`:
   * hosts, each with `www.`; `ip`: prefixes; `phone`: numbers, `x` for any digit.
   */
  kind: string
  policy: string
  values: readonly string[]
}

/** On which list a value stands, and whether it is refused for that or only told. */
export interface Suppressed {
  list: string
  refuse: boolean
}

/** Values that stand for nothing, or for what millions share. What is hashed under a key is known only before that. */
export interface Gates {
  media(algorithm: string, hex: string): Suppressed | undefined
  /** The hash of a link's expression. */
  link(sha256: string): Suppressed | undefined
  /** A canonical address or number, where it is at home. */
  identifier(type: string, canonical: string): Suppressed | undefined
}

const IPV4_BITS = 32
const IPV6_BITS = 128

export function createGates(hash: Hash, lists: readonly SuppressionList[] = shipped.lists): Gates {
  const of = (kind: string): readonly SuppressionList[] => lists.filter((list) => list.kind === kind)
  const exact = tableOf(of('media'), (value) => [value])
  const links = tableOf(of('domain'), (host) => [host, `www.${host}`].map((name) => linkHash(hash, `${name}/`)))
  const digit = of('media_digit').map(suppressedBy)[0]
  const bits = of('pdq_bits').map((list) => ({ by: suppressedBy(list), range: list.values.map(Number) }))
  const prefixes = of('ip').flatMap((list) =>
    list.values.map((value) => ({ by: suppressedBy(list), ...prefixOf(value) })),
  )
  const numbers = of('phone').flatMap((list) => list.values.map((value) => ({ by: suppressedBy(list), value })))

  return {
    media(algorithm, hex) {
      if (digit !== undefined && /^(.)\1*$/.test(hex)) return digit
      const known = exact.get(`${algorithm}:${hex}`)
      if (known !== undefined || algorithm !== 'pdq') return known
      const set = bitsOf(hex)
      return bits.find(({ range: [least = 0, most = 256] }) => set < least || set > most)?.by
    },
    link: (sha256) => links.get(sha256),
    identifier(type, canonical) {
      if (type === 'phone') return numbers.find(({ value }) => isNumberOf(value, canonical))?.by
      if (type !== 'ip') return undefined
      const { bits: width, value } = addressOf(canonical)
      return prefixes.find((one) => one.width === width && value >> one.shift === one.value >> one.shift)?.by
    },
  }
}

const suppressedBy = ({ list, policy }: SuppressionList): Suppressed => ({ list, refuse: policy === 'refuse' })

function tableOf(
  lists: readonly SuppressionList[],
  keys: (value: string) => readonly string[],
): ReadonlyMap<string, Suppressed> {
  return new Map(lists.flatMap((list) => list.values.flatMap(keys).map((key) => [key, suppressedBy(list)] as const)))
}

function prefixOf(text: string): { width: number; shift: bigint; value: bigint } {
  const [address = '', length = ''] = text.split('/')
  const { bits, value } = addressOf(address)
  return { width: bits, shift: BigInt(bits - Number(length)), value }
}

/** Of a canonical address: dotted decimal, or RFC 5952. */
function addressOf(text: string): { bits: number; value: bigint } {
  if (!text.includes(':')) return { bits: IPV4_BITS, value: joined(text.split('.').map(Number), 8n) }
  const [head = [], tail = []] = text.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  const groups = [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16))
  return { bits: IPV6_BITS, value: joined(groups, 16n) }
}

const joined = (parts: readonly number[], width: bigint): bigint =>
  parts.reduce((value, part) => (value << width) | BigInt(part), 0n)

const isNumberOf = (pattern: string, number: string): boolean =>
  pattern.length === number.length && [...pattern].every((char, i) => char === 'x' || char === number[i])

function bitsOf(hex: string): number {
  let bits = 0
  for (const digit of hex) for (let n = Number.parseInt(digit, 16); n > 0; n >>= 1) bits += n & 1
  return bits
}
