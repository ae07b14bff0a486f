import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkPattern, matchesPattern, type Pattern } from '../../src/signals/pattern.ts'

const re2 = (text: string, change: Partial<Pattern> = {}): Pattern => ({
  ...{ kind: 're2', text, language: 'en', case_sensitive: false, whole_word: false },
  ...{ must_match: ['the blue kite sings'], must_not_match: ['a sky'] },
  ...change,
})
const literal = (text: string, change: Partial<Pattern> = {}): Pattern => re2(text, { kind: 'literal', ...change })
const reason = (pattern: Pattern): string => {
  const checked = checkPattern(pattern)
  return checked.outcome === 'ok' ? 'ok' : checked.reason
}

describe('a pattern', () => {
  test.for(['kite', 'blue\\s+kite', 'b[lr]ue kite', '(?:blue|red) kite', 'bluee? kite', '\\bkite\\b', '^.*kite'])(
    '%s is accepted',
    (text) => {
      expect(reason(re2(text))).toBe('ok')
    },
  )
  test.for([
    ['a look-ahead', 'kite(?=s)'],
    ['a look-behind', '(?<=blue )kite'],
    ['an inline flag', '(?i)kite'],
    ['a named group', '(?P<bird>kite)'],
    ['a quoted span', '\\Qkite\\E'],
    ['a back reference', '(k)ite\\1'],
    ['an open bracket', '(kite'],
    ['a closed bracket', 'kite)'],
    ['a double quantifier', 'kite**'],
    ['too large a count', 'kite{1001}'],
    ['a count of counts', '(?:(?:(?:kite{0,99}){0,99}){0,99}){0,99}'],
    ['more than 1,000 instructions', 'kite(?:(?:\\p{L}{0,50}){0,20})'],
    ['nothing literal', '\\w+\\s\\w+'],
    ['two literal characters', 'ki\\w+'],
    ['an alternative without three', 'blue|ki'],
    ['what matches the empty text', '(?:blue kite)?'],
  ] as const)('with %s is refused', ([, text]) => {
    expect(checkPattern(re2(text)).outcome).toBe('refused')
  })
  test('of 1,000 instructions is accepted and one more is not', () => {
    const of = (n: number) => re2(`k{${n}}`, { must_match: ['k'.repeat(n)] })
    expect(reason(of(998))).toBe('ok')
    expect(reason(of(999))).toContain('instructions')
  })
  test('does what its strings say, and the one that does not is named by its place', () => {
    expect(reason(re2('kite', { must_match: ['jay', 'kite'] }))).toBe('must_match/0 does not match')
    expect(reason(re2('kite', { must_match: ['kite', 'jay', 'wren'] }))).toBe('must_match/1 does not match')
    expect(reason(re2('kite', { must_not_match: ['kites', 'jay'] }))).toBe('must_not_match/0 matches')
    expect(reason(re2('kite', { must_not_match: ['jay', 'wren', 'kites'] }))).toBe('must_not_match/2 matches')
  })
  test('whose brackets close only inside those that the node adds is refused', () => {
    expect(reason(re2('kite)|(?:blue', { whole_word: true }))).toBe('not RE2 syntax')
  })
  test('takes linear time on what would stall a backtracking engine', () => {
    const evil = re2('(?:x+x+)+yes', { must_match: ['xxyes'], must_not_match: ['x'.repeat(256)] })
    const began = performance.now()
    expect(reason(evil)).toBe('ok')
    expect(performance.now() - began).toBeLessThan(500)
  })
  test('is never quoted in its refusal', () => {
    for (const pattern of [re2('secretbird('), re2('(?i)secretbird'), literal('secretbird'), re2('secretbird')])
      expect(reason(pattern)).not.toContain('secret')
  })
})

describe('a literal', () => {
  test('is text and no expression', () => {
    const pattern = literal('a.b*(c', { must_match: ['see a.b*(c here'], must_not_match: ['see aXbbb(c here'] })
    expect(reason(pattern)).toBe('ok')
  })
  test('has three characters that can be seen', () => {
    expect(reason(literal('ki', { must_match: ['kite'] }))).toContain('literal')
    expect(reason(literal('k i', { must_match: ['k i'] }))).toContain('literal')
    expect(reason(literal('\u200bki\u200b', { must_match: ['kite'] }))).toContain('literal')
    expect(reason(literal('k i t', { must_match: ['k i t'] }))).toBe('ok')
  })
  test('matches wherever it stands in a text, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (text) => {
        const own = { must_match: [`- ${text} -`], must_not_match: ['-'] }
        const said = reason(literal(text, own))
        expect(said === 'ok' || said.includes('literal'), said).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})

describe('comparison', () => {
  const matches = (change: Partial<Pattern>, text: string): boolean =>
    matchesPattern(literal('Blue Kite', change), text)

  test.for([
    [{}, 'BLUE KITE', true],
    [{}, 'ｂｌｕｅ ｋｉｔｅ', true],
    [{}, 'bl\u200bue k\u00adite', true],
    [{}, 'bluekite', false],
    [{ case_sensitive: true }, 'Blue Kite', true],
    [{ case_sensitive: true }, 'blue kite', false],
    [{ case_sensitive: true }, 'Ｂlue Kite', true],
    [{}, 'trueblue kites', true],
    [{ whole_word: true }, 'trueblue kite', false],
    [{ whole_word: true }, 'blue kites', false],
    [{ whole_word: true }, 'blue kite_', false],
    [{ whole_word: true }, 'a blue kite.', true],
    [{ whole_word: true }, 'blue kite', true],
    [{ whole_word: true }, 'éblue kite', false],
    [{ whole_word: true }, 'blue kite9', false],
  ] as const)('with %j of %s: %s', ([change, text, expected]) => {
    expect(matches(change, text)).toBe(expected)
  })
  test('folds fully: sharp s is two letters', () => {
    expect(matchesPattern(literal('große'), 'GROSSE')).toBe(true)
  })
  test('without regard to case holds for expressions too', () => {
    expect(matchesPattern(re2('[A-Z]{2}UE KITE'), 'blue kite')).toBe(true)
    expect(matchesPattern(re2('[A-Z]{2}UE KITE', { case_sensitive: true }), 'blue kite')).toBe(false)
  })
  test('by what does not compile matches nothing', () => {
    expect(matchesPattern(re2('(kite'), '(kite')).toBe(false)
  })
})
