import { expect, test } from 'vitest'
import { networkOf, plainAddress } from '../../src/http/address.ts'

const PLAIN: readonly [given: string | undefined, plain: string][] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['not an address', 'unknown'],
  [undefined, 'unknown'],
]
test.for(PLAIN)('%s is %s', ([given, plain]) => {
  expect(plainAddress(given)).toBe(plain)
})

const NETWORKS: readonly [address: string, network: string][] = [
  ['192.0.2.7', '192.0.2.0/24'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::/48'],
  ['2001:0db8::1', '2001:db8:0::/48'],
  ['::1', '0:0:0::/48'],
  ['2001:db8::192.0.2.7', '2001:db8:0::/48'],
  ['unknown', 'unknown'],
]
test.for(NETWORKS)('%s lies in %s', ([address, network]) => {
  expect(networkOf(address)).toBe(network)
})

test('a subscriber of IPv6 has a /64', () => {
  expect(networkOf('2001:db8:1:2:3:4:5:6', 64)).toBe('2001:db8:1:2::/64')
})
