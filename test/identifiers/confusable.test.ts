import { describe, expect, test } from 'vitest'
import { skeleton } from '../../src/identifiers/confusable.ts'
import { PROTOTYPES } from '../../src/identifiers/confusable-table.ts'

describe('a skeleton', () => {
  // confusables.txt of version 16.0.0.
  test.for([
    ['paypal', 'раураl'],
    ['scope', 'ѕсоре'],
    ['rn', 'm'],
    ['O', '0'],
    ['l', '1'],
    ['l', 'I'],
    ['a\u0301', 'á'],
  ] as const)('of %s is that of %s', ([one, other]) => {
    expect(skeleton(one)).toBe(skeleton(other))
  })
  test('tells apart what does not look alike', () => {
    expect(skeleton('kite')).not.toBe(skeleton('kile'))
  })
})

test('the table is in order and holds what decomposition leaves', () => {
  let code = 0
  for (const entry of PROTOTYPES.split(' ')) {
    const [distance = 0, ...to] = entry.split('.').map((digits) => Number.parseInt(digits, 36))
    expect(distance).toBeGreaterThan(0)
    expect(to.length).toBeGreaterThan(0)
    code += distance
    const char = String.fromCodePoint(code)
    expect(char.normalize('NFKD')).toBe(char)
  }
})
