import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { domainExpressions, hostSuffixes, type UrlExpression } from '../../src/identifiers/domain.ts'
import { canonicalOf, holdsVectors, readVectors, type Vector } from './vectors.ts'

const table = readVectors<{
  profile: string
  vectors: Vector[]
  expressions: { canonical: string; expressions: UrlExpression[] }[]
}>('domain')

describe('domain/1', () => holdsVectors('domain', table.profile, table.vectors))

test.each(table.expressions)('$canonical has its expressions', ({ canonical, expressions }) => {
  expect(domainExpressions(canonical)).toEqual(expressions)
})

test('normalising twice gives what normalising once gave', () => {
  fc.assert(
    fc.property(fc.domain(), (raw) => {
      const once = canonicalOf({ type: 'domain', raw })
      fc.pre(once !== undefined)
      expect(canonicalOf({ type: 'domain', raw: once })).toBe(once)
    }),
  )
})

test('a long host has five hosts: itself and the registrable domain with up to three labels more', () => {
  expect(hostSuffixes('a.b.c.d.e.f.com').map(({ host }) => host)).toEqual([
    'a.b.c.d.e.f.com',
    'f.com',
    'e.f.com',
    'd.e.f.com',
    'c.d.e.f.com',
  ])
})

test('neighbours under a public suffix share no host', () => {
  expect(hostSuffixes('plum.github.io')).toEqual([
    { host: 'plum.github.io', scope: 'exact' },
    { host: 'plum.github.io', scope: 'suffix' },
  ])
})
