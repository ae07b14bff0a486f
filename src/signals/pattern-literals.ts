/** What a quantifier asks for at least. */
const LEAST: Readonly<Record<string, number>> = { '*': 0, '?': 0, '+': 1 }
const COUNT = /^\{([0-9]+)(?:,[0-9]*)?\}/
/** Escapes that stand for a class or a place and not for one character. */
const CLASS_ESCAPE = /^\\(?:[pP](?:\{[^}]*\}|.)|[dDsSwWbBAz])/u
const CHARACTER_ESCAPE = /^\\(?:x\{[0-9a-f]+\}|x[0-9a-f]{2}|[0-7]{1,3}|.)/iu
/** A bracket first in a class, escaped, or part of `[:alpha:]` does not end it. */
const CLASS = /^\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]/u

interface Cursor {
  text: string
  at: number
}

/** The forms of RE2 that are not taken: flags, named groups, quotes. Undefined where there is none. */
export function unwantedSyntax(text: string): string | undefined {
  const bare = text.replaceAll(/\\[^Q]|\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]/gu, ' ')
  if (/\(\?(?!:)/.test(bare)) return 'inline flags, named groups and look-around are not taken'
  return bare.includes('\\Q') ? 'a quoted span is not taken; escape each character' : undefined
}

/**
 * How many characters every match holds that the pattern names one by one: the least over alternatives, and an
 * optional part counts nothing. Blanks and classes do not count. For a pattern that RE2 compiles.
 */
export function requiredLiterals(text: string): number {
  return alternatives({ text, at: 0 })
}

function alternatives(cursor: Cursor): number {
  let least = Number.POSITIVE_INFINITY
  let sum = 0
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at]
    if (char === ')') break
    if (char === '|') {
      cursor.at += 1
      least = Math.min(least, sum)
      sum = 0
    } else {
      const literals = atom(cursor)
      sum += literals * repeated(cursor)
    }
  }
  return Math.min(least, sum)
}

function atom(cursor: Cursor): number {
  const rest = cursor.text.slice(cursor.at)
  if (rest.startsWith('(')) {
    cursor.at += rest.startsWith('(?:') ? 3 : 1
    const literals = alternatives(cursor)
    cursor.at += 1
    return literals
  }
  const wide = CLASS.exec(rest) ?? CLASS_ESCAPE.exec(rest) ?? /^[.^$]/.exec(rest)
  const one = wide ?? CHARACTER_ESCAPE.exec(rest) ?? /^./su.exec(rest)
  const token = one?.[0] ?? ' '
  cursor.at += token.length
  return wide !== null || /^\\?\s$|^\\[tnrfva]$/u.test(token) ? 0 : 1
}

function repeated(cursor: Cursor): number {
  const char = cursor.text[cursor.at] ?? ''
  const count = COUNT.exec(cursor.text.slice(cursor.at))
  const least = count === null ? LEAST[char] : Number(count[1])
  if (least === undefined) return 1
  cursor.at += count?.[0].length ?? 1
  if (cursor.text[cursor.at] === '?') cursor.at += 1
  return least
}
