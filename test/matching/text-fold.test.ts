import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { skeleton } from '../../src/identifiers/confusable.ts'
import { caseFold, foldNfkc } from '../../src/identifiers/unicode.ts'
import { type Folding, folderOf, foldText, textOf } from '../../src/matching/text-fold.ts'

const PLAIN: Folding = { caseSensitive: false, confusables: false }
const foldings: readonly Folding[] = [false, true].flatMap((caseSensitive) =>
  [false, true].map((confusables) => ({ caseSensitive, confusables })),
)
/** Letters, marks that compose, reorder or do neither, jamo, what is dropped, what becomes several, halves of pairs. */
const unit = fc.constantFrom(
  ...['a', 'K', 'e', ' ', 'ß', 'ﬁ', 'İ', 'Σ', 'ς', 'я', '木', '가', '각', '\u1100', '\u1161', '\u11a8', '\uff76'],
  ...['\uff9e', '\u0301', '\u0327', '\u0345', '\u0334', '\u093e', '\u094d', '\u0915', '\u093c', '\u09c7', '\u09be'],
  ...['\u200b', '\u00ad', '\u202e', '\ufe0f', '\u3164', '\u{1f426}', '\u{1f3fd}', '\u{11099}', '\u{110ba}', '½', '①'],
)
const text = fc.array(unit, { maxLength: 24 }).map((units) => units.join(''))

describe('folding cluster by cluster', () => {
  test.for(foldings)('is the folding of the whole text, with %j', (folding) => {
    const whole = (given: string): string => {
      const folded = foldNfkc(given, folding)
      if (!folding.confusables) return folded
      return folding.caseSensitive ? skeleton(folded) : caseFold(skeleton(folded))
    }
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: 'binary', maxLength: 30 })), (given) => {
        expect(foldText(folding, given)).toBe(whole(given))
      }),
      { numRuns: 400 },
    )
  })

  test('knows of each unit where it came from: what it stands for folds to it', () => {
    const folder = folderOf(PLAIN)
    fc.assert(
      fc.property(text, (given) => {
        const folded = folder.fold(given)
        const places = Array.from({ length: folded.length }, (_, i) => [folded.start(i), folded.end(i)] as const)
        const units = textOf(folded)
        let before = 0
        for (const pair of new Set(places.map(([start, end]) => `${start} ${end}`))) {
          const [start, end] = numbers(pair)
          expect(start).toBeGreaterThanOrEqual(before)
          before = end
          const own = [...units].join('').slice(...span(places, start))
          expect(foldNfkc(given.slice(start, end))).toBe(own)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('takes a lone half of a pair for a character that is none', () => {
    expect(foldText(PLAIN, 'ki\ud83dte')).toBe('ki\ufffdte')
    expect(foldText(PLAIN, '\udc26kite\ud83d')).toBe('\ufffdkite\ufffd')
  })

  test('of one text leaves nothing behind for the next', () => {
    const folder = folderOf(PLAIN)
    folder.fold('e\u0301'.repeat(2_000))
    const folded = folder.fold('kite')
    expect([textOf(folded), folded.length, folded.start(3), folded.end(3)]).toEqual(['kite', 4, 3, 4])
  })

  test('cuts a run of marks that no script writes, so that it costs its length and not the square of it', () => {
    const run = `e${'\u0301\u0316'.repeat(20_000)}`
    const began = performance.now()
    expect(foldText(PLAIN, run).length).toBeGreaterThan(30_000)
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})

const numbers = (pair: string): [number, number] => pair.split(' ').map(Number) as [number, number]

/** From and up to which unit a cluster goes. */
function span(places: readonly (readonly [number, number])[], start: number): [number, number] {
  const from = places.findIndex(([one]) => one === start)
  return [from, places.findLastIndex(([one]) => one === start) + 1]
}
