import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkPattern, type Pattern } from '../../src/matching/pattern.ts'
import { COMMON_MAX } from '../../src/matching/pattern-limits.ts'
import { createTextMatcher } from '../../src/matching/text-match.ts'

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
const fault = (pattern: Pattern): string => {
  const checked = checkPattern(pattern)
  return checked.outcome === 'ok' ? 'ok' : `${checked.code} ${checked.pointer}`
}
const matchesPattern = (pattern: Pattern, text: string): boolean =>
  createTextMatcher([{ signal: 'kite', revision: 1, value: pattern }]).match(text).length > 0

describe('a pattern', () => {
  test.for(['kite', 'blue\\s+kite', 'b[lr]ue kite', '(?:blue|red) kite', 'bluee? kite', '\\bkite\\b', '^.*kite'])(
    '%s is accepted',
    (text) => {
      expect(reason(re2(text))).toBe('ok')
    },
  )
  test.for([
    ['a look-ahead', 'kite(?=s)', 'pattern-syntax'],
    ['a look-behind', '(?<=blue )kite', 'pattern-syntax'],
    ['an inline flag', '(?i)kite', 'pattern-syntax'],
    ['a named group', '(?P<bird>kite)', 'pattern-syntax'],
    ['a quoted span', '\\Qkite\\E', 'pattern-syntax'],
    ['a back reference', '(k)ite\\1', 'pattern-syntax'],
    ['an open bracket', '(kite', 'pattern-syntax'],
    ['a closed bracket', 'kite)', 'pattern-syntax'],
    ['a double quantifier', 'kite**', 'pattern-syntax'],
    ['too large a count', 'kite{1001}', 'pattern-syntax'],
    ['a count of counts', '(?:(?:(?:kite{0,99}){0,99}){0,99}){0,99}', 'pattern-syntax'],
    ['more than 1,000 instructions', 'kite(?:(?:\\p{L}{0,50}){0,20})', 'pattern-size'],
    ['nothing literal', '\\w+\\s\\w+', 'pattern-literals'],
    ['two literal characters', 'ki\\w+', 'pattern-literals'],
    ['an alternative without three', 'blue|ki', 'pattern-literals'],
    ['what matches the empty text', '(?:blue kite)?', 'pattern-literals'],
    ['a lone surrogate', 'kite\ud800', 'pattern-text'],
    ['a zero-width space', 'ki\u200bte', 'pattern-text'],
    ['a right-to-left override', 'kite\u202e', 'pattern-text'],
    ['an isolate', '\u2066kite\u2069', 'pattern-text'],
    ['a control character', 'kite\u0007', 'pattern-text'],
    ['what Unicode does not assign', 'kite\u{e1000}', 'pattern-text'],
  ] as const)('with %s is refused by name', ([, text, code]) => {
    expect(fault(re2(text))).toBe(`${code} /text`)
  })
  test('that is no RE2 is told where, if its faulty piece stands in it once', () => {
    expect(reason(re2('kite|jay**'))).toBe('not RE2 syntax, at character 9')
  })
  test('may not compare an expression by looks', () => {
    expect(fault(re2('kite', { confusables: true }))).toBe('pattern-text /confusables')
    expect(fault(literal('kite', { confusables: true }))).toBe('ok')
  })
  test('of 1,000 instructions is accepted and one more is not', () => {
    const of = (n: number) => re2(`k{${n}}`, { must_match: ['k'.repeat(n)] })
    expect(reason(of(998))).toBe('ok')
    expect(reason(of(999))).toContain('instructions')
  })
  test('does what its strings say, and the one that does not is named by its place', () => {
    expect(fault(re2('kite', { must_match: ['jay', 'kite'] }))).toBe('pattern-samples /must_match/0')
    expect(fault(re2('kite', { must_match: ['kite', 'jay', 'wren'] }))).toBe('pattern-samples /must_match/1')
    expect(fault(re2('kite', { must_not_match: ['kites', 'jay'] }))).toBe('pattern-samples /must_not_match/0')
    expect(fault(re2('kite', { must_not_match: ['jay', 'wren', 'kites'] }))).toBe('pattern-samples /must_not_match/2')
  })
  test('whose brackets close only inside those that the node adds is refused', () => {
    expect(reason(re2('kite)|(?:blue', { whole_word: true }))).toContain('not RE2 syntax')
  })
  test('takes linear time on what would stall a backtracking engine', () => {
    const evil = re2('(?:x+x+)+yes', { must_match: ['xxyes'], must_not_match: ['x'.repeat(256)] })
    const began = performance.now()
    expect(reason(evil)).toBe('ok')
    expect(performance.now() - began).toBeLessThan(5_000)
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
    expect(reason(literal('\u2460\ufb01', { must_match: ['1fi'] }))).toBe('ok')
    expect(reason(literal('k i t', { must_match: ['k i t'] }))).toBe('ok')
  })
  test('matches wherever it stands in a text, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (text) => {
        const own = { must_match: [`- ${text} -`], must_not_match: ['-'] }
        const said = reason(literal(text, own))
        expect(said === 'ok' || /literal|invisible|control|Unicode/.test(said), said).toBe(true)
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
    const matcher = createTextMatcher([{ signal: 'kite', revision: 2, value: re2('(kite') }])
    expect(matcher.match('(kite')).toEqual([])
    expect(matcher.refused).toEqual([{ signal: 'kite', revision: 2, code: 'pattern-syntax' }])
    expect(matcher.size).toBe(0)
  })
})

describe('the share of common words', () => {
  const common = (pattern: Pattern): number => {
    const checked = checkPattern({ ...pattern, must_match: [], must_not_match: [] })
    return checked.outcome === 'ok' ? checked.common : Number.NaN
  }
  test('is none for a rare word, and beyond the limit for an ending that many words have', () => {
    expect(common(literal('blue kite'))).toBe(0)
    expect(common(literal('ent'))).toBeGreaterThan(COMMON_MAX)
    expect(common(re2('ent|ion|ado'))).toBeGreaterThan(common(re2('ent|ion')))
  })
  test('is the same by an expression as by a literal, and less for whole words', () => {
    expect(common(re2('ent'))).toBe(common(literal('ent')))
    expect(common(literal('ent', { whole_word: true }))).toBeLessThan(common(literal('ent')))
  })
  test('counts words of other scripts', () => {
    expect(common(re2('[а-я]*ого'))).toBeGreaterThan(0)
  })
})
