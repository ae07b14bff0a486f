import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, test } from 'vitest'
import { requiredLiterals, requiredStrings, unwantedSyntax } from '../../src/matching/pattern-literals.ts'

describe('required literals', () => {
  test.for([
    ['', 0],
    ['kite', 4],
    ['blue kite', 8],
    ['kite|jay', 3],
    ['kite|', 0],
    ['|kite', 0],
    ['k(i|ee)te', 4],
    ['k(?:i|)te', 3],
    ['kites?', 4],
    ['kites??', 4],
    ['kites*', 4],
    ['kites*?', 4],
    ['kites+', 5],
    ['(kite){3}', 12],
    ['(kite){2,}', 8],
    ['(kite){2,5}?', 8],
    ['(kite){0,5}', 0],
    ['k{0}ite', 3],
    ['k{,2}', 5],
    ['k{x}', 4],
    ['.+', 0],
    ['^kite$', 4],
    ['[aeiou]kite', 4],
    ['[^aeiou]+kite', 4],
    ['[]a]kite', 4],
    ['[^]a]kite', 4],
    ['[a\\]b]kite', 4],
    ['[[:alpha:]]kite', 4],
    ['[[:^digit:]x]{9}kite', 4],
    ['[(|)]kite', 4],
    ['\\d{9}', 0],
    ['\\bkite\\b', 4],
    ['\\p{Greek}\\P{Lu}\\pL', 0],
    ['\\.\\*\\(', 3],
    ['\\x{1F400}\\x41', 2],
    ['\\141\\142', 2],
    ['a\\sb\\tc\\n', 3],
    ['a b\u00a0c', 3],
    ['\u{1f426}\u{1f427}', 2],
    ['\u{1f426}?', 0],
    ['((((kite))))', 4],
    ['a(b(c|d)e|f)g', 3],
  ] as const)('of %s are %i', ([text, expected]) => {
    expect(requiredLiterals(text)).toBe(expected)
  })

  /** A pattern with the number it must have and its shortest match. */
  type Drawn = readonly [text: string, literals: number, shortest: string]
  const leaf: fc.Arbitrary<Drawn> = fc.oneof(
    fc.constantFrom(...'abcxyz').map((char): Drawn => [char, 1, char]),
    fc.constantFrom('.', '+', '(', '[', '|', '{').map((char): Drawn => [`\\${char}`, 1, char]),
    fc.constantFrom('[a-z]', '[^b]', '[]a]', '\\w', '.', '\\p{L}').map((text): Drawn => [text, 0, 'a']),
  )
  const { pattern } = fc.letrec<{ pattern: Drawn; piece: Drawn }>((tie) => ({
    pattern: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .array(tie('piece'), { minLength: 1, maxLength: 4 })
        .map(
          (all): Drawn => [
            all.map(([text]) => text).join(''),
            all.reduce((sum, [, n]) => sum + n, 0),
            all.map(([, , match]) => match).join(''),
          ],
        ),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]): Drawn => {
        const least = a[1] <= b[1] ? a : b
        return [`(?:${a[0]}|${b[0]})`, least[1], least[2]]
      }),
    ),
    piece: fc
      .tuple(
        tie('pattern'),
        fc.constantFrom<[string, number]>(
          ['', 1],
          ['?', 0],
          ['*', 0],
          ['+?', 1],
          ['{2}', 2],
          ['{1,3}?', 1],
          ['{0,2}', 0],
        ),
      )
      .map(
        ([[text, n, match], [quantifier, times]]): Drawn => [
          quantifier === '' ? text : `(${text})${quantifier}`,
          n * times,
          match.repeat(times),
        ],
      ),
  }))

  test('are counted for whatever RE2 compiles, and every match has them', () => {
    fc.assert(
      fc.property(pattern, ([text, literals, shortest]) => {
        expect(requiredLiterals(text), text).toBe(literals)
        expect(RE2JS.compile(text).matches(shortest), text).toBe(true)
        expect(shortest.length).toBeGreaterThanOrEqual(literals)
        for (const list of requiredStrings(text))
          expect(
            list.some((string) => shortest.includes(string)),
            `${text} without ${list}`,
          ).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('required strings', () => {
  test.for([
    ['kite', [['kite']]],
    ['blue\\s+kite', [['blue'], ['kite']]],
    ['b[lr]ue kite', [['blue kite', 'brue kite']]],
    ['kite|jay', [['kite', 'jay']]],
    ['kite|', []],
    ['(?:blue|red) kites?', [['blue kites', 'blue kite', 'red kites', 'red kite']]],
    ['.{0,3}kite.*wren', [['kite'], ['wren']]],
    ['(kite)+', [['kite']]],
    ['(kite){2}', [['kitekite']]],
    ['(kite){2,3}x', [['kite']]],
    ['(kite)*jay', [['jay']]],
    ['k.i.t.e', []],
    ['[a-z]kite', [['kite']]],
    ['\\bkite\\b', [['kite']]],
    ['^ki\\x74e$', [['kite']]],
    ['\\153ite', [['kite']]],
    ['(?:kite.|jay.)wren', [['wren'], ['kite', 'jay']]],
    ['a{0}kite', [['kite']]],
  ] as const)('of %s are %j', ([text, expected]) => {
    expect(requiredStrings(text)).toEqual(expected)
  })
  test('are few and short, however many a pattern allows', () => {
    const lists = requiredStrings(`${'(?:ab|cd)'.repeat(12)}${'kite'.repeat(60)}.${'x.ab'.repeat(40)}`)
    expect(lists.length).toBeLessThanOrEqual(4)
    for (const list of lists) {
      expect(list.length).toBeLessThanOrEqual(16)
      for (const string of list) expect(string.length).toBeLessThanOrEqual(64)
    }
  })
})

describe('syntax that is not taken', () => {
  test.for([
    '(?i)kite',
    '(?s:kite)',
    '(?P<bird>kite)',
    '(?<bird>kite)',
    '(?=kite)',
    '(?!kite)',
    '(?<=k)ite',
    '\\Qkite\\E',
    'a\\\\(?i)b',
    '\\\\\\Qkite',
  ])('%s', (text) => {
    expect(unwantedSyntax(text)).toBeTypeOf('string')
  })
  test.for(['(?:kite)', '(kite)?', '\\(?i', '[(?i)]', '\\\\Q', '[(][?]i', 'a[^](?=]b', '[[:alpha:](?i]'])(
    'and %s, which is',
    (text) => {
      expect(unwantedSyntax(text)).toBeUndefined()
    },
  )
  test('is not a part of the text quoted', () => {
    expect(unwantedSyntax('(?i)kite')).not.toContain('kite')
  })
})
