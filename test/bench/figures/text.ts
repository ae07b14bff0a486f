import FastAhoCorasick from 'modern-ahocorasick/fast'
import words from '../../../config/common-words.json' with { type: 'json' }
import type { Pattern } from '../../../src/matching/pattern.ts'
import { createTextMatcher } from '../../../src/matching/text-match.ts'
import type { Spec } from '../measure.ts'

const LITERALS = 10_000
const EXPRESSIONS = 1_000
const CHARACTERS = 1_000
const MESSAGES = 4_000
/** Of the references, which take longer. */
const FEWER = 500
const FEWEST = 50
/** Messages that hold a pattern whole, one in so many. */
const HIT_EVERY = 20

const FRUIT =
  'apple pear plum cherry quince medlar grape melon mango papaya guava lychee яблоко груша слива вишня айва りんご 葡萄 芒果 सेब केला تفاح كمثرى birne kirsche pflaume manzana ciruela poire cerise pêche maçã'
const BIRD =
  'kite jay wren robin finch heron stork swift swallow lark сокол ласточка дрозд снегирь ツバメ 麻雀 喜鹊 मोर तोता عصفور حمامة amsel drossel fink gorrión paloma moineau hirondelle pardal'
/** Of ten messages. */
const MIX = ['en', 'en', 'en', 'es', 'pt', 'de', 'fr', 'ru', 'ar', 'hi'] as const
const MIXED = 'of ten messages three English, one each Spanish, Portuguese, German, French, Russian, Arabic, Hindi'

/** The same in each run. */
function drawn(): (below: number) => number {
  let seed = 20_261_126
  return (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
}

const draw = drawn()
const one = (from: readonly string[]): string => from[draw(from.length)] ?? ''
const [fruits, birds] = [FRUIT.split(' '), BIRD.split(' ')]

/** Three names each, the first two as one word. */
function literals(count: number): string[] {
  const all = new Set<string>()
  while (all.size < count) all.add(`${one(fruits)}${one(birds)} ${one(fruits)}${draw(3) === 0 ? ` ${one(birds)}` : ''}`)
  return [...all]
}

/** Common words of one language, a name here and there, and in some a whole pattern. */
function messages(count: number, texts: readonly string[]): string[] {
  return Array.from({ length: count }, (_, i) => {
    const common = words.words[MIX[i % MIX.length] ?? 'en'].split(' ')
    let text = i % HIT_EVERY === 0 ? `${one(texts)} ` : ''
    while (text.length < CHARACTERS) text += `${draw(40) === 0 ? one(fruits) : one(common)} `
    return text.slice(0, CHARACTERS)
  })
}

const patternOf = (kind: Pattern['kind'], text: string): Pattern => ({
  ...{ kind, text, language: 'en', case_sensitive: false, whole_word: false, must_match: [], must_not_match: [] },
})
const matcherOf = (kind: Pattern['kind'], texts: readonly string[]) =>
  createTextMatcher(texts.map((text, i) => ({ signal: String(i), revision: 1, value: patternOf(kind, text) })))
const foldedRoughly = (text: string): string => text.normalize('NFKC').toLowerCase()

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const run =
  (count: number, work: () => { texts: readonly string[]; hits(text: string): number }): Spec['measured'] =>
  async (timed) => {
    const { texts, hits } = work()
    const some = texts.slice(0, count)
    let found = 0
    const { seconds } = await timed(async () => {
      for (const text of some) found += hits(text)
    })
    if (found === 0) throw new Error('nothing was found')
    return count / seconds
  }

export function matchLiterals(): Spec {
  const made = lazily(() => {
    const needles = literals(LITERALS)
    const other = new FastAhoCorasick(needles.map(foldedRoughly))
    return { texts: messages(MESSAGES, needles), matcher: matcherOf('literal', needles), other }
  })
  return {
    name: 'match.literals',
    what: `texts of ${CHARACTERS} characters matched by ${LITERALS.toLocaleString('en')} literals, folded, on one core; ${MIXED}; one in ${HIT_EVERY} holds a literal`,
    unit: 'texts/s',
    target: 60_000,
    absolute: true,
    rounds: 5,
    warmups: 2,
    measured: run(MESSAGES, () => {
      const { texts, matcher } = made()
      return { texts, hits: (text) => matcher.match(text).length }
    }),
    reference: {
      what: 'modern-ahocorasick, its double-array form, on text in lower case',
      run: run(FEWER, () => {
        const { texts, other } = made()
        return { texts, hits: (text) => other.search(foldedRoughly(text)).length }
      }),
    },
  }
}

/** Of a literal's names an expression of one of four forms. */
function expressionOf(literal: string, i: number): string {
  const [head = '', tail = ''] = literal.split(' ')
  const forms = [
    `${head}\\s+${tail}`,
    `(?:${head}|${head}s) ${tail}[a-z]?`,
    `${head}.{0,20}${tail}`,
    `\\b${head} ?${tail}`,
  ]
  return forms[i % forms.length] ?? head
}

export function matchRegex(): Spec {
  const made = lazily(() => {
    const needles = literals(EXPRESSIONS)
    const expressions = needles.map(expressionOf)
    return {
      texts: messages(MESSAGES, needles),
      matcher: matcherOf('re2', expressions),
      others: expressions.map((text) => new RegExp(text, 'iu')),
    }
  })
  return {
    name: 'match.regex',
    what: `texts of ${CHARACTERS} characters matched by ${EXPRESSIONS.toLocaleString('en')} RE2 expressions, folded, in pure JavaScript on one core; ${MIXED}; one in ${HIT_EVERY} is matched`,
    unit: 'texts/s',
    target: 3_000,
    absolute: true,
    rounds: 5,
    warmups: 2,
    measured: run(MESSAGES, () => {
      const { texts, matcher } = made()
      return { texts, hits: (text) => matcher.match(text).length }
    }),
    reference: {
      what: 'a loop over expressions of V8, which takes trusted patterns only',
      run: run(FEWEST, () => {
        const { texts, others } = made()
        return {
          texts,
          hits(text) {
            const folded = foldedRoughly(text)
            return others.filter((expression) => expression.test(folded)).length
          },
        }
      }),
    },
  }
}
