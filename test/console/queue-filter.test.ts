import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseText, type QueueFilter, readQuery, termsOf, textOf } from '../../src/console/queue-filter.ts'

const filters: fc.Arbitrary<QueueFilter> = fc.record(
  {
    state: fc.constantFrom('open' as const, 'held' as const, 'closed' as const),
    type: fc.constantFrom('url' as const, 'keyword_pattern' as const),
    category: fc.constantFrom('grooming', 'network_hub'),
    severity: fc.constantFrom('low' as const, 'critical' as const),
    source: fc.constantFrom('aster', 'birch-2'),
    hits: fc.constantFrom('yes' as const, 'no' as const),
    disputed: fc.constantFrom('yes' as const, 'no' as const),
    mine: fc.constant('yes' as const),
  },
  { requiredKeys: [] },
)

describe('a view of the queue', () => {
  test('is the same as text, as an address and as chips', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(parseText(textOf(filter))).toEqual(filter)
        expect(readQuery(filter)).toEqual({ filter })
        expect(
          termsOf(filter)
            .map(({ name }) => name)
            .sort(),
        ).toEqual(Object.keys(filter).sort())
      }),
    )
  })

  test('loses one term by its chip', () => {
    const [first] = termsOf({ type: 'url', hits: 'yes' })
    expect(first).toEqual({ name: 'type', value: 'url', without: '/queue?hits=yes' })
  })

  test('an empty field of its form asks for anything', () => {
    expect(readQuery({ type: '', severity: 'high', mine: '' })).toEqual({ filter: { severity: 'high' } })
  })

  test.each([
    'plum',
    'plum:1',
    'type:',
    ':url',
    'type:url type:email',
    'type:plum',
    'severity:>=',
    'limit:5',
    'cursor:x',
    '__proto__:url',
  ])('the text %s is none', (text) => {
    expect(parseText(text)).toBeUndefined()
  })

  test('thousands of terms are none, and take no time', () => {
    expect(parseText('type:url '.repeat(50_000))).toBeUndefined()
  })

  test.each([
    { plum: '1' },
    { limit: '5' },
    { holder: 'ann' },
    { mine: 'no' },
    { type: ['url', 'email'] },
    { cursor: 'x'.repeat(200) },
  ])('the address with %j is none', (query) => {
    expect(readQuery(query)).toBeUndefined()
  })
})
