import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { UrlExpression } from '../../src/identifiers/domain.ts'
import { linkHash } from '../../src/identifiers/token.ts'
import { urlExpressions } from '../../src/identifiers/url.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{
  profile: string
  vectors: Vector[]
  expressions: { canonical: string; expressions: UrlExpression[] }[]
  hashes: { expression: string; sha256: string }[]
}>('url')

describe('url/1', () => holdsVectors('url', table.profile, table.vectors))

test.each(table.expressions)('$canonical has its expressions, the exact one first', ({ canonical, expressions }) => {
  expect(urlExpressions(canonical)).toEqual(expressions)
})

test.each(table.hashes)('$expression has its hash', ({ expression, sha256: hex }) => {
  expect(linkHash(sha256, expression)).toBe(hex)
})

test('normalising twice gives what normalising once gave, for any path', () => {
  const part = fc.constantFrom(
    '%',
    '2',
    '5',
    '3',
    'F',
    '/',
    '.',
    '..',
    '?',
    '#',
    '@',
    ':',
    'a',
    ' ',
    'é',
    '\\',
    '%2F',
    '%3F',
  )
  const anyByte = fc.nat(255).map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
  const text = fc
    .array(fc.oneof({ arbitrary: part, weight: 4 }, anyByte), { maxLength: 20 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.constantFrom('http://example.com/', 'http://', 'https://a@b.example:8', ''), text, (start, rest) => {
      const once = canonicalOf({ type: 'url', raw: start + rest })
      fc.pre(once !== undefined)
      expect(canonicalOf({ type: 'url', raw: once })).toBe(once)
    }),
    { numRuns: 3000 },
  )
})

test('at most thirty expressions, each hashed one within the canonical form, none with the scheme', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true }), (raw) => {
      const canonical = canonicalOf({ type: 'url', raw }) ?? ''
      const expressions = urlExpressions(canonical)
      expect(expressions.length).toBeLessThanOrEqual(30)
      expect(`http://${expressions[0]?.expression}`).toBe(canonical.replace(/^https/, 'http'))
      for (const { expression } of expressions) expect(expression).not.toContain('://')
    }),
  )
})

test('a link of escapes only is unescaped in one pass', () => {
  const raw = `http://example.com/${'%25'.repeat(2700)}`
  expect(canonicalOf({ type: 'url', raw })).toBe(raw)
})
