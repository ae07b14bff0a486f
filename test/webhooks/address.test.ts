import { describe, expect, test } from 'vitest'
import { endpointUrl, isInside } from '../../src/webhooks/address.ts'

describe('an address inside is none that is called', () => {
  test.for([
    ...['127.0.0.1', '127.9.9.9', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254'],
    ...['100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '203.0.113.9'],
    ...['::1', '::', 'fe80::1', 'fc00::1', 'fd12:3456::1', 'ff02::1', '::ffff:10.0.0.1', '::ffff:8.8.8.8'],
    ...['64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '2002:7f00:1::', '2001:db8::1', '2001::1', '3fff::1'],
    ...['not an address', '', '1.2.3', '0x7f000001'],
  ])('%s', (address) => {
    expect(isInside(address)).toBe(true)
  })
  test.for(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
    'and %s is outside',
    (address) => {
      expect(isInside(address)).toBe(false)
    },
  )
})

describe('an endpoint', () => {
  const hosts = new Map([['apple', new Set(['hooks.apple.example'])]])
  const read = (text: string, organisation = 'apple') => endpointUrl(text, { organisation, hosts })

  test('is on an enrolled host, over https', () => {
    expect(read('https://hooks.apple.example/aldis')).toEqual({ url: 'https://hooks.apple.example/aldis' })
    expect(read('https://HOOKS.apple.example:8443')).toEqual({ url: 'https://hooks.apple.example:8443/' })
  })
  test.for([
    ...['http://hooks.apple.example/', 'https://other.example/', 'https://hooks.apple.example.evil.example/'],
    ...['https://hooks.apple.example@evil.example/', 'https://a:b@hooks.apple.example/', 'https://127.0.0.1/'],
    ...['https://hooks.apple.example/?token=1', 'https://hooks.apple.example/#x', 'javascript:alert(1)', ''],
    ...['//hooks.apple.example/', 'https://hooks.apple.example./', `https://hooks.apple.example/${'a'.repeat(512)}`],
  ])('is none at %s', (text) => {
    expect(read(text)).toHaveProperty('fault')
  })
  test("of one organisation is not on another's host", () => {
    expect(read('https://hooks.apple.example/', 'banana')).toHaveProperty('fault')
  })
})
