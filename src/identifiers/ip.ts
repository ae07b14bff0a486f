import { type Normalised, PROFILE, refused } from './profile.ts'

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/
const GROUP = /^[0-9a-f]{1,4}$/i
const LOOSE = /^(?:0x[0-9a-f]*|[0-9]+)$/i

/** `ip/1`: dotted decimal or RFC 5952; an IPv4-mapped address is the IPv4 address. No zone, no prefix length. */
export function canonicalIp(raw: string): Normalised {
  const text = raw.trim()
  if (text.includes('%')) return refused('an address without its zone')
  if (text.includes('/')) return refused('one address, not a prefix')
  const canonical = text.includes(':') ? ipv6Text(text) : strictIpv4(text)
  return canonical === undefined
    ? refused('not an IPv4 or IPv6 address')
    : { outcome: 'ok', canonical, profile: PROFILE.ip.first }
}

/** Four decimal numbers without leading zeros, which some read as octal; undefined for anything else. */
function strictIpv4(text: string): string | undefined {
  const octets = text.split('.')
  return octets.length === 4 && octets.every((octet) => OCTET.test(octet) && Number(octet) < 256) ? text : undefined
}

/**
 * As browsers and inet_aton read a host: one to four numbers, decimal, octal or hexadecimal, the last filling what is
 * left. Dotted decimal, or undefined for a host that is no address.
 */
export function looseIpv4(host: string): string | undefined {
  const parts = host.split('.')
  if (parts.length > 4 || !parts.every((part) => LOOSE.test(part))) return undefined
  const numbers = parts.map(looseNumber)
  const last = numbers.pop() ?? Number.NaN
  // NaN, from an 8 or 9 in an octal number, fails every comparison.
  if (!numbers.every((n) => n < 256) || !(last < 256 ** (4 - numbers.length))) return undefined
  const value = numbers.reduce((sum, n, i) => sum + n * 256 ** (3 - i), last)
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

function looseNumber(part: string): number {
  if (/^0x/i.test(part)) return part.length === 2 ? 0 : Number(part)
  if (part.length > 1 && part.startsWith('0')) return /^[0-7]+$/.test(part) ? Number.parseInt(part, 8) : Number.NaN
  return Number(part)
}

/** RFC 5952 text of an IPv6 address, or dotted decimal of an IPv4-mapped one; undefined for anything else. */
export function ipv6Text(text: string): string | undefined {
  const groups = ipv6Groups(text)
  if (groups === undefined) return undefined
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return mapped ? dotted(groups) : compress(groups)
}

/** As `ipv6Text`, and the well-known NAT64 prefix 64:ff9b::/96 is IPv4 too: two ways to one server. */
export function ipv6Host(text: string): string | undefined {
  const groups = ipv6Groups(text)
  const nat64 = [0x64, 0xff9b, 0, 0, 0, 0]
  return groups !== undefined && nat64.every((group, i) => groups[i] === group) ? dotted(groups) : ipv6Text(text)
}

function ipv6Groups(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half, i) => groupsOf(half, i === halves.length - 1))
  if (head === undefined) return undefined
  if (halves.length === 1) return head.length === 8 ? head : undefined
  if (tail === undefined || head.length + tail.length > 7) return undefined
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
}

/** Only the end of an address may be written as IPv4. */
function groupsOf(half: string, last: boolean): number[] | undefined {
  if (half === '') return []
  const parts = half.split(':')
  const ipv4 = last ? strictIpv4(parts.at(-1) ?? '') : undefined
  const hex = ipv4 === undefined ? parts : parts.slice(0, -1)
  if (!hex.every((part) => GROUP.test(part))) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = ipv4?.split('.').map(Number) ?? []
  return [...hex.map((part) => Number.parseInt(part, 16)), ...(ipv4 === undefined ? [] : [a * 256 + b, c * 256 + d])]
}

function dotted(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** RFC 5952 section 4.2: the first of the longest runs of two or more zero groups. */
function compress(groups: readonly number[]): string {
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (groups[end] === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
  }
  const hex = groups.map((group) => group.toString(16))
  return start < 0 ? hex.join(':') : `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`
}
