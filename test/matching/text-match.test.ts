import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import type { Pattern } from '../../src/matching/pattern.ts'
import { foldText } from '../../src/matching/text-fold.ts'
import { createTextMatcher } from '../../src/matching/text-match.ts'

const re2 = (text: string, change: Partial<Pattern> = {}): Pattern => ({
  ...{ kind: 're2', text, language: 'en', case_sensitive: false, whole_word: false },
  ...{ must_match: [], must_not_match: [] },
  ...change,
})
const literal = (text: string, change: Partial<Pattern> = {}): Pattern => re2(text, { kind: 'literal', ...change })
const matcherOf = (...values: Pattern[]) =>
  createTextMatcher(values.map((value, i) => ({ signal: `signal ${i}`, revision: i + 1, value })))
/** What was found, as it stands in the text. */
const found = (text: string, ...values: Pattern[]): string[] =>
  matcherOf(...values)
    .match(text)
    .map(({ signal, start, end }) => `${signal.at(-1)}:${text.slice(start, end)}`)

describe('a hit', () => {
  test('names the pattern, its signal and revision, and the place in the text as it was given', () => {
    const text = 'gro\u00dfe \u{1f426} bl\u200bue K\u0131te BLUE\u00a0KITE'
    expect(matcherOf(literal('wren'), literal('blue kite')).match(text)).toEqual([
      { pattern: 1, signal: 'signal 1', revision: 2, start: 20, end: 29 },
    ])
    expect(text.slice(20, 29)).toBe('BLUE\u00a0KITE')
  })
  test('comes once for a signal, at its first place, and hits stand in the order of their places', () => {
    expect(found('a wren, a kite, a wren, a kite', literal('kite'), re2('wr.n'), literal('jay'))).toEqual([
      '1:wren',
      '0:kite',
    ])
  })
  test('of a whole word does not hold what surrounds the word, by literal or expression', () => {
    for (const whole of [literal('kite', { whole_word: true }), re2('k[ij]te', { whole_word: true })]) {
      expect(found('kites kite\u0660 \u{1d7d8}kite, kite.', whole)).toEqual(['0:kite'])
      expect(found('kites \u{20000}kite kite\u{20000} kite_', whole)).toEqual([])
    }
  })
  test('covers a cluster whole: letters are not taken apart', () => {
    expect(found('ki\ufb01ne', literal('kif'))).toEqual(['0:ki\ufb01'])
    expect(found('kite\u0301s', literal('kite'))).toEqual([])
    expect(found('kit\u0065\u0301s', literal('kit\u00e9'))).toEqual(['0:kite\u0301'])
  })
  test('by what characters look like comes only where the pattern asks for it', () => {
    const looks = literal('kite', { confusables: true })
    expect(found('k\u0456t\u0435', looks)).toEqual(['0:k\u0456t\u0435'])
    expect(found('k\u0456t\u0435', literal('kite'))).toEqual([])
    expect(found('R0B1N', literal('robln', { confusables: true }))).toEqual(['0:R0B1N'])
  })
  test('needs every part that an expression holds, wherever each stands', () => {
    const both = re2('wren.{0,9}kite')
    expect(found('kite and wren', both)).toEqual([])
    expect(found('wren and kite', both)).toEqual(['0:wren and kite'])
    expect(found('k.t.e k-i-t-e', re2('k.i.t.e'))).toEqual(['0:k-i-t-e'])
  })
  test('of one text does not depend on the texts before', () => {
    const matcher = matcherOf(re2('wren.{0,9}kite'), literal('kite', { whole_word: true }))
    expect(matcher.match('wren')).toEqual([])
    expect(matcher.match('kite')).toHaveLength(1)
    expect(matcher.match('wren kite')).toHaveLength(2)
    expect(matcher.match('')).toEqual([])
  })
})

test('texts with halves of pairs, direction marks and invisible characters are matched by what is to be read', () => {
  const kite = literal('blue kite')
  expect(found('\ud83dblue\u202e k\u2066ite\udc26', kite)).toEqual(['0:blue\u202e k\u2066ite'])
  expect(found('b\u00adl\u200du\ufe0fe kite', kite)).toEqual(['0:b\u00adl\u200du\ufe0fe kite'])
})

test('patterns that were never checked are left out by name, and the others serve', () => {
  const matcher = matcherOf(re2('(kite'), literal('ki'), re2('kite(?:(?:\\p{L}{0,50}){0,20})'), literal('kite'))
  expect(matcher.refused.map(({ code }) => code)).toEqual(['pattern-syntax', 'pattern-literals', 'pattern-size'])
  expect(matcher.match('(kite').map(({ signal }) => signal)).toEqual(['signal 3'])
})

const letters = fc.constantFrom('a', 'b', 'c', 'A', 'ß', 'é', 'e\u0301', ' ', '_', '.', '\u200b', '木', '\u{1f426}')
const words = fc.string({ unit: letters, minLength: 3, maxLength: 6 })

test('all literals together find what each finds as an expression of its own', () => {
  const value = fc.record({ text: words, whole_word: fc.boolean(), case_sensitive: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 6 }),
      fc.string({ unit: letters, maxLength: 40 }),
      (values, text) => {
        const patterns = values.map(({ text: needle, ...options }) => literal(needle, options))
        const matcher = matcherOf(...patterns)
        const left = new Set(matcher.refused.map(({ signal }) => signal))
        const hits = new Set(matcher.match(text).map(({ signal }) => signal))
        patterns.forEach((pattern, i) => {
          if (left.has(`signal ${i}`)) return
          expect(hits.has(`signal ${i}`), JSON.stringify([pattern, text])).toBe(alone(pattern, text))
        })
      },
    ),
    { numRuns: 400 },
  )
})

test('all expressions together find what each finds alone', () => {
  const piece = fc.oneof(words, fc.constantFrom('a+', '[ab]', '(?:ab|ca)', '.', 'b?', '(?:abc){2}', '\\s*', '\\b'))
  const expression = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(
      fc.array(expression, { minLength: 1, maxLength: 6 }),
      fc.string({ unit: letters, maxLength: 40 }),
      (texts, text) => {
        const patterns = texts.map((one) => re2(one))
        const hits = new Set(
          matcherOf(...patterns)
            .match(text)
            .map(({ signal }) => signal),
        )
        texts.forEach((one, i) => {
          const folded = foldText({ caseSensitive: false, confusables: false }, text)
          const hit = RE2JS.compile(one, RE2JS.CASE_INSENSITIVE).matcher(folded).find()
          expect(hits.has(`signal ${i}`), JSON.stringify([one, text])).toBe(hit)
        })
      },
    ),
    { numRuns: 400 },
  )
})

function alone({ text: needle, case_sensitive, whole_word }: Pattern, text: string): boolean {
  const folding = { caseSensitive: case_sensitive, confusables: false }
  const quoted = RE2JS.quote(foldText(folding, needle))
  const bounded = whole_word ? `(?:^|[^\\p{L}\\p{N}_])(?:${quoted})(?:$|[^\\p{L}\\p{N}_])` : quoted
  return RE2JS.compile(bounded).matcher(foldText(folding, text)).find()
}
