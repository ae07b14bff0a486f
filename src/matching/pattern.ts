import { RE2JS, RE2JSSyntaxException } from 're2js'
import words from '../../config/common-words.json' with { type: 'json' }
import { textFault } from '../identifiers/unicode.ts'
import { LITERAL_MIN, PROGRAM_MAX } from './pattern-limits.ts'
import { requiredLiterals, requiredStrings, unwantedSyntax } from './pattern-literals.ts'
import { type Folding, foldText } from './text-fold.ts'

/** The value of a keyword pattern, as its source signs it. */
export interface Pattern {
  kind: 'literal' | 're2'
  text: string
  language: string
  case_sensitive: boolean
  whole_word: boolean
  /** Compared by what characters look like, too; for literals. */
  confusables?: boolean
  must_match: readonly string[]
  must_not_match: readonly string[]
}

export type PatternFault =
  | 'pattern-text'
  | 'pattern-syntax'
  | 'pattern-size'
  | 'pattern-literals'
  | 'pattern-samples'
  | 'pattern-cost'

/** `common`: the share of common words that it matches. The pointer is within the value; the reason never quotes. */
export type PatternChecked =
  | { outcome: 'ok'; common: number }
  | { outcome: 'refused'; code: PatternFault; pointer: string; reason: string }

export type PatternRefused = Extract<PatternChecked, { outcome: 'refused' }>

/** Tries patterns of others where a bad one does no harm. */
export interface PatternChecker {
  /** Each for itself, in their order, by turns with whoever else has some. Throws `busy` where too many wait, or where the checker was closed. */
  check(patterns: readonly Pattern[], by?: string): Promise<PatternChecked[]>
  close(): Promise<void>
}

const UNSEEN = /\p{Default_Ignorable_Code_Point}/u

/** A pattern that matches; a whole word stands in the first group of what it finds. */
export interface CompiledPattern {
  expression: RE2JS
  group: 0 | 1
  folding: Folding
}

type Compiled = { outcome: 'compiled'; pattern: CompiledPattern } | PatternRefused

/**
 * Whether a pattern is safe and does what its source says: RE2 syntax without inline flags or look-around, linear time,
 * something literal to it, not matching the empty text, and every test string behaving.
 */
export function checkPattern(pattern: Pattern): PatternChecked {
  const fault = textRefusal(pattern)
  if (fault !== undefined) return fault
  const compiled = compilePattern(pattern)
  if (compiled.outcome === 'refused') return compiled
  if (literalsOf(pattern) < LITERAL_MIN)
    return refuse('pattern-literals', '/text', `fewer than ${LITERAL_MIN} literal characters in every match`)
  const { expression, folding } = compiled.pattern
  const matches = (text: string): boolean => expression.matcher(foldText(folding, text)).find()
  if (matches('')) return refuse('pattern-literals', '/text', 'matches the empty text')
  const missed = pattern.must_match.findIndex((sample) => !matches(sample))
  if (missed >= 0) return refuse('pattern-samples', `/must_match/${missed}`, 'the pattern does not match it')
  const hit = pattern.must_not_match.findIndex((sample) => matches(sample))
  if (hit >= 0) return refuse('pattern-samples', `/must_not_match/${hit}`, 'the pattern matches it')
  return { outcome: 'ok', common: commonShare(pattern, compiled.pattern) }
}

/** Compiles a pattern within the limits of its program. */
export function compilePattern(pattern: Pattern): Compiled {
  const { kind, text, whole_word, case_sensitive } = pattern
  const folding = foldingOf(pattern)
  const unwanted = kind === 're2' ? unwantedSyntax(text) : undefined
  if (unwanted !== undefined) return refuse('pattern-syntax', '/text', unwanted)
  const source = kind === 'literal' ? RE2JS.quote(foldText(folding, text)) : text
  const bounded = whole_word ? `(?:^|[^\\p{L}\\p{N}_])(${source})(?:$|[^\\p{L}\\p{N}_])` : source
  try {
    // By itself first: `a)|(?:b` compiles only between the brackets of another.
    if (whole_word) RE2JS.compile(source)
    const expression = RE2JS.compile(bounded, case_sensitive ? 0 : RE2JS.CASE_INSENSITIVE)
    if (expression.programSize() > PROGRAM_MAX)
      return refuse('pattern-size', '/text', `compiles to more than ${PROGRAM_MAX} instructions`)
    return { outcome: 'compiled', pattern: { expression, group: whole_word ? 1 : 0, folding } }
  } catch (error) {
    return refuse('pattern-syntax', '/text', `not RE2 syntax${placeOf(error, text)}`)
  }
}

export const foldingOf = ({ case_sensitive, confusables = false }: Pattern): Folding => ({
  caseSensitive: case_sensitive,
  confusables,
})

/** What is not seen, or turns the direction of the text, would make a pattern another than people read. */
function textRefusal({ kind, text, confusables = false }: Pattern): PatternRefused | undefined {
  const fault = textFault(text)
  if (fault !== undefined) return refuse('pattern-text', '/text', fault)
  if (UNSEEN.test(text))
    return refuse('pattern-text', '/text', 'an invisible or direction-changing character; matching passes over them')
  if (confusables && kind === 're2')
    return refuse('pattern-text', '/confusables', 'what looks alike is compared for literals alone')
  return undefined
}

/** Where RE2 found the fault: it names the piece, which the source may hold in one place. */
function placeOf(error: unknown, text: string): string {
  const piece = error instanceof RE2JSSyntaxException ? (error.getPattern() ?? '') : ''
  const at = piece === '' ? -1 : text.lastIndexOf(piece)
  return at < 0 ? '' : `, at character ${[...text.slice(0, at)].length + 1}`
}

function literalsOf(pattern: Pattern): number {
  const { kind, text } = pattern
  return kind === 're2' ? requiredLiterals(text) : [...foldText(foldingOf(pattern), text).replaceAll(/\s/g, '')].length
}

const COMMON: readonly string[] = Object.values(words.words).flatMap((list) => list.split(' '))
/** By folding, since every pattern of one folding is held against the same. */
const folded = new Map<string, readonly string[]>()

function commonShare(pattern: Pattern, { expression, folding }: CompiledPattern): number {
  const name = JSON.stringify(folding)
  const all = folded.get(name) ?? COMMON.map((word) => foldText(folding, word))
  folded.set(name, all)
  const needles = neededIn(pattern, folding)
  const near = all.filter((word) => needles.every((list) => list.some((needle) => word.includes(needle))))
  return near.filter((word) => expression.matcher(word).find()).length / all.length
}

/** Lists of folded strings: of each list one stands in every text that the pattern matches. */
export function neededIn({ kind, text }: Pattern, folding: Folding): readonly (readonly string[])[] {
  const lists = kind === 'literal' ? [[text]] : requiredStrings(text)
  return lists
    .map((list) => list.map((string) => foldText(folding, string)))
    .filter((list) => list.every((needle) => needle !== ''))
}

const refuse = (code: PatternFault, pointer: string, reason: string): PatternRefused => ({
  ...{ outcome: 'refused', code, pointer, reason },
})
