import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../src/kernel/errors.ts'
import {
  FILTER_CHARACTERS,
  FILTER_DAYS,
  FILTER_TERMS,
  filterText,
  kindsOf,
  parseFilter,
  wordsOf,
} from '../../src/provenance/explore-filter.ts'

const codeOf = (text: string): string => {
  try {
    parseFilter(text)
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'none'
}

const ID = '018f6b2e-0000-7000-8000-000000000001'

test('each term is read as it is written', () => {
  expect(
    parseFilter(`actor:aster -kind:read.batch signal:${ID} recipient:birch at>=2026-11-01 at<2026-11-02T10:30Z`),
  ).toEqual({
    terms: [
      { field: 'actor', value: 'aster', not: false },
      { field: 'kind', value: 'read.batch', not: true },
      { field: 'signal', value: ID, not: false },
      { field: 'recipient', value: 'birch', not: false },
    ],
    from: new Date('2026-11-01T00:00:00Z'),
    to: new Date('2026-11-02T10:30:00Z'),
  })
  expect(parseFilter('  ')).toEqual({ terms: [] })
})

test('the beginning of several kinds is all of them, and nothing that no record has', () => {
  expect(kindsOf('signal.*')).toContain('signal.withdrawn')
  expect(kindsOf('signal.*')).not.toContain('read.batch')
  expect(kindsOf('read')).toEqual([])
  expect(kindsOf('nothing.*')).toEqual([])
})

describe('what cannot be meant is refused by name', () => {
  test.for([
    ['colour:red', 'filter-field'],
    ['aster', 'filter-field'],
    ['actor:', 'filter-value'],
    ['actor:A"ster', 'filter-value'],
    ['actor>=aster', 'filter-value'],
    ['kind:signal.invented', 'filter-value'],
    ['signal:no-id', 'filter-value'],
    ['at>=2026-13-01', 'filter-value'],
    ['at>=2026-02-30', 'filter-value'],
    ['at:2026-02-01', 'filter-value'],
    ['-at>=2026-02-01', 'filter-value'],
    ['at>=2026-02-01T10:00', 'filter-value'],
    ['actor:a actor:b', 'filter-conflict'],
    ['kind:signal.* -kind:signal.*', 'filter-conflict'],
    ['at>=2026-02-01 at<2026-02-01', 'filter-conflict'],
    ['at>=2026-02-01 at>=2026-02-02', 'filter-conflict'],
    [`at>=2024-01-01 at<2026-01-01`, 'filter-range'],
    [Array.from({ length: FILTER_TERMS + 1 }, (_, i) => `-actor:a${i}`).join(' '), 'filter-range'],
    ['x'.repeat(FILTER_CHARACTERS + 1), 'filter-range'],
  ] as const)('%s: %s', ([text, code]) => expect(codeOf(text)).toBe(code))

  test('and what is at the limit is not', () => {
    expect(codeOf(Array.from({ length: FILTER_TERMS }, (_, i) => `-actor:a${i}`).join(' '))).toBe('none')
    const day = (n: number): string => new Date(Date.UTC(2025, 0, 1 + n)).toISOString().slice(0, 10)
    expect(codeOf(`at>=${day(0)} at<${day(FILTER_DAYS)}`)).toBe('none')
  })
})

const slug = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,12}$/)
const term = fc.oneof(
  fc.tuple(fc.constantFrom('actor', 'recipient', 'party'), slug).map(([field, value]) => `${field}:${value}`),
  fc.constantFrom('kind:signal.*', 'kind:read.batch', 'kind:erasure'),
)
const word = fc.tuple(fc.boolean(), term).map(([not, one]) => (not ? `-${one}` : one))

test('text and filter are one: what is written again is read as the same, and each chip leaves what it says', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const text = words.join(' ')
      if (codeOf(text) !== 'none') return
      const filter = parseFilter(text)
      expect(parseFilter(filterText(filter))).toEqual(filter)
      for (const { word: one, without } of wordsOf(filter)) expect(filterText(without).split(' ')).not.toContain(one)
    }),
  )
})

test('no text makes it fail otherwise than by a name', () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => /^(none|filter-)/.test(codeOf(text))))
})
