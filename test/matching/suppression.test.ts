import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import suppression from '../../config/suppression.json' with { type: 'json' }
import { normalise } from '../../src/identifiers/normalise.ts'
import { linkHash } from '../../src/identifiers/token.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { createGates } from '../../src/matching/suppression.ts'

const gates = createGates(sha256)
const digest = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex')
/** The bits are the last so many, the rest zero. */
const low = (bits: number): string => ((1n << BigInt(bits)) - 1n).toString(16).padStart(64, '0')

test('every list names its kind, policy, source and date', () => {
  const kinds = ['media', 'media_digit', 'pdq_bits', 'domain', 'ip', 'phone']
  for (const { list, kind, policy, source, date } of suppression.lists) {
    expect(list).toMatch(/^[a-z][a-z-]+$/)
    expect(kinds).toContain(kind)
    expect(['refuse', 'warn']).toContain(policy)
    expect(source.length).toBeGreaterThan(5)
    expect(date).toMatch(/^20\d\d-\d\d-\d\d$/)
  }
  expect(new Set(suppression.lists.map(({ list }) => list)).size).toBe(suppression.lists.length)
})

describe('a media hash', () => {
  test.for(['md5', 'sha1', 'sha256'])(
    'by %s of an empty file stands on a list, and that of a fruit does not',
    (name) => {
      expect(gates.media(name, digest(name, ''))).toEqual({ list: 'empty-digests', refuse: true })
      expect(gates.media(name, digest(name, 'apple'))).toBeUndefined()
    },
  )
  test('of one digit repeated does, all zero among them, by any algorithm', () => {
    for (const hex of ['0'.repeat(64), 'f'.repeat(64), '7'.repeat(64)])
      for (const name of ['pdq', 'sha256', 'vpdq'])
        expect(gates.media(name, hex)).toEqual({ list: 'blank-hashes', refuse: true })
  })
  test.for([
    [63, 'low-quality-pdq'],
    [64, undefined],
    [128, undefined],
    [192, undefined],
    [193, 'low-quality-pdq'],
  ] as const)('by PDQ with %i bits set: %s', ([bits, list]) => {
    expect(gates.media('pdq', low(bits))?.list).toBe(list)
    expect(gates.media('sha256', low(bits))).toBeUndefined()
  })
  test('of one algorithm says nothing of another', () => {
    expect(gates.media('pdq', digest('sha256', ''))).toBeUndefined()
  })
})

describe('a link', () => {
  const hashOf = (type: string, raw: string): string => {
    const normal = normalise({ type, raw })
    return linkHash(sha256, normal.outcome === 'ok' ? (normal.expressions[0]?.expression ?? '') : '')
  }
  test.for([
    ['domain', 'google.com', 'well-known-domains'],
    ['domain', 'WWW.Google.com.', 'well-known-domains'],
    ['url', 'https://google.com/', 'well-known-domains'],
    ['domain', 'discord.gg', 'shared-hosting'],
    ['domain', 'gmail.com', 'mail-domains'],
    ['url', 'https://discord.gg/birds', undefined],
    ['domain', 'mail.google.com', undefined],
    ['domain', 'fruit.example', undefined],
  ] as const)('%s of %s: %s', ([type, raw, list]) => {
    expect(gates.link(hashOf(type, raw))?.list).toBe(list)
  })
})

describe('an identifier, where it is at home,', () => {
  test.for([
    ['ip', '10.1.2.3', 'private-addresses'],
    ['ip', '172.31.255.255', 'private-addresses'],
    ['ip', '172.32.0.0', undefined],
    ['ip', '100.64.0.1', 'private-addresses'],
    ['ip', '100.128.0.1', undefined],
    ['ip', '127.0.0.1', 'private-addresses'],
    ['ip', '8.8.8.8', 'public-resolvers'],
    ['ip', '8.8.8.9', undefined],
    ['ip', '::1', 'private-addresses'],
    ['ip', 'fd00::1', 'private-addresses'],
    ['ip', 'fe80::1', 'private-addresses'],
    ['ip', '2001:4860:4860::8888', 'public-resolvers'],
    ['ip', '2001:db8::7', 'documentation-addresses'],
    ['ip', '2001:db9::7', undefined],
    ['ip', '198.51.100.4', 'documentation-addresses'],
    ['phone', '+12025550143', 'test-numbers'],
    ['phone', '+12025550243', undefined],
    ['phone', '+447700900123', 'test-numbers'],
    ['phone', '+4477009001234', undefined],
    ['email', '10.1.2.3', undefined],
  ] as const)('%s %s: %s', ([type, canonical, list]) => {
    expect(gates.identifier(type, canonical)?.list).toBe(list)
  })
  test('set aside for documentation is told and not refused', () => {
    expect(gates.identifier('ip', '192.0.2.1')).toEqual({ list: 'documentation-addresses', refuse: false })
    expect(gates.identifier('phone', '+12025550143')?.refuse).toBe(false)
  })
})

test('lists are data: with others, other values are suppressed', () => {
  const own = createGates(sha256, [{ list: 'orchard', kind: 'domain', policy: 'warn', values: ['fruit.example'] }])
  expect(own.link(linkHash(sha256, 'www.fruit.example/'))).toEqual({ list: 'orchard', refuse: false })
  expect(own.link(linkHash(sha256, 'google.com/'))).toBeUndefined()
  expect(own.media('sha256', '0'.repeat(64))).toBeUndefined()
})
