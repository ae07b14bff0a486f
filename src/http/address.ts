import { isIP } from 'node:net'

/** IPv4 in IPv6 (RFC 4291 section 2.5.5.2) as the IPv4 address that it is; anything that is no address as `unknown`. */
export function plainAddress(address: string | undefined): string {
  const text = address?.split('%')[0] ?? ''
  const mapped = /^::ffff:([0-9.]+)$/i.exec(text)?.[1]
  if (mapped !== undefined && isIP(mapped) === 4) return mapped
  return isIP(text) === 0 ? 'unknown' : text
}

/** The network around a plain address in CIDR form: /24 for IPv4, /48 (or as asked) for IPv6. */
export function networkOf(address: string, v6Bits: 48 | 64 = 48): string {
  if (isIP(address) === 4) return `${address.split('.').slice(0, 3).join('.')}.0/24`
  if (isIP(address) !== 6) return 'unknown'
  const groups = groupsOf(address).slice(0, v6Bits / 16)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/${v6Bits}`
}

/** The eight groups of an IPv6 address; a dotted end counts as two, whatever it holds. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.replace(/[0-9.]+\.[0-9]+$/, '0:0').split('::')
  const left = head === '' ? [] : head.split(':')
  if (tail === undefined) return left
  const right = tail === '' ? [] : tail.split(':')
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right]
}
