import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { looseIpv4 } from '../../src/identifiers/ip.ts'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{ profile: string; vectors: Vector[] }>('ip')
const mapped = /^\[::ffff:/

describe('ip/1', () => holdsVectors('ip', table.profile, table.vectors))

test('IPv6 is written as the URL standard writes it', () => {
  fc.assert(
    fc.property(fc.ipV6(), (raw) => {
      const host = new URL(`http://[${raw}]/`).hostname
      fc.pre(!mapped.test(host))
      expect(`[${canonicalOf({ type: 'ip', raw })}]`).toBe(host)
    }),
    { numRuns: 1000 },
  )
})

test('an IPv4 address and its mapped form are one address', () => {
  fc.assert(
    fc.property(fc.ipV4(), (raw) => {
      expect(canonicalOf({ type: 'ip', raw })).toBe(raw)
      expect(canonicalOf({ type: 'ip', raw: `::ffff:${raw}` })).toBe(raw)
    }),
  )
})

test('a host of numbers is read as the URL standard reads it', () => {
  fc.assert(
    fc.property(fc.ipV4Extended(), (raw) => {
      expect(looseIpv4(raw)).toBe(new URL(`http://${raw}/`).hostname)
    }),
    { numRuns: 1000 },
  )
})

test.each(['1.2.3.4.5', '08.1', '256.1.1.1', '1.16777216', '4294967296', '1..2', 'a.1', ''])(
  'no address is made of %j',
  (host) => expect(looseIpv4(host)).toBeUndefined(),
)
