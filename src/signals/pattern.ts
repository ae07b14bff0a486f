import { RE2JS } from 're2js'
import type { Static } from 'typebox'
import { foldNfkc } from '../identifiers/unicode.ts'
import type { Checked } from './media-hash.ts'
import { requiredLiterals, unwantedSyntax } from './pattern-literals.ts'
import type { PatternValue } from './schema.ts'

export type Pattern = Static<typeof PatternValue>

/** Instructions of a compiled pattern: re2js takes what native RE2 refuses, and each instruction costs at each character. */
const PROGRAM_MAX = 1_000
/** Code points that every match holds literally, at least: with fewer a pattern would match everywhere. */
const LITERAL_MIN = 3

/**
 * Whether a pattern is safe and does what its source says: RE2 syntax without inline flags or look-around, linear time,
 * something literal to it, not matching the empty text, and every test string behaving. The reason never quotes.
 */
export function checkPattern(pattern: Pattern): Checked {
  const { text, kind, must_match, must_not_match } = pattern
  const unwanted = kind === 're2' ? unwantedSyntax(text) : undefined
  if (unwanted !== undefined) return refused(unwanted)
  const compiled = compile(pattern)
  if (compiled === undefined) return refused('not RE2 syntax')
  if (compiled.programSize() > PROGRAM_MAX) return refused(`compiles to more than ${PROGRAM_MAX} instructions`)
  if (literalsOf(pattern) < LITERAL_MIN) return refused(`fewer than ${LITERAL_MIN} literal characters in every match`)
  if (matches(compiled, pattern, '')) return refused('matches the empty text')
  const missed = must_match.findIndex((sample) => !matches(compiled, pattern, sample))
  if (missed >= 0) return refused(`must_match/${missed} does not match`)
  const hit = must_not_match.findIndex((sample) => matches(compiled, pattern, sample))
  return hit >= 0 ? refused(`must_not_match/${hit} matches`) : { outcome: 'ok' }
}

/** Whether a pattern that was accepted matches a text. */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  const compiled = compile(pattern)
  return compiled !== undefined && matches(compiled, pattern, text)
}

function compile({ kind, text, whole_word, case_sensitive }: Pattern): RE2JS | undefined {
  const source = kind === 'literal' ? RE2JS.quote(comparable(text, case_sensitive)) : text
  const bounded = whole_word ? `(?:^|[^\\p{L}\\p{N}_])(?:${source})(?:$|[^\\p{L}\\p{N}_])` : source
  try {
    // By itself first: `a)|(?:b` compiles only between the brackets of another.
    if (whole_word) RE2JS.compile(source)
    return RE2JS.compile(bounded, case_sensitive ? 0 : RE2JS.CASE_INSENSITIVE)
  } catch {
    return undefined
  }
}

const matches = (compiled: RE2JS, { case_sensitive }: Pattern, text: string): boolean =>
  compiled.matcher(comparable(text, case_sensitive)).find()

const literalsOf = ({ kind, text, case_sensitive }: Pattern): number =>
  kind === 're2' ? requiredLiterals(text) : [...comparable(text, case_sensitive).replaceAll(/\s/g, '')].length

/** Text as it is compared: folded as user names are, so that full-width letters and invisible characters hide nothing. */
const comparable = (text: string, caseSensitive: boolean): string => foldNfkc(text, { caseSensitive })

const refused = (reason: string): Checked => ({ outcome: 'refused', reason })
