/** What a quantifier asks for at least. */
const LEAST: Readonly<Record<string, number>> = { '*': 0, '?': 0, '+': 1 }
const COUNT = /^\{([0-9]+)(,[0-9]*)?\}/
/** Escapes that stand for a class. */
const CLASS_ESCAPE = /^\\(?:[pP](?:\{[^}]*\}|.)|[dDsSwW])/u
/** What stands for a place and matches no character. */
const PLACE = /^(?:[\^$]|\\[bBAz])/
const CHARACTER_ESCAPE = /^\\(?:x\{[0-9a-f]+\}|x[0-9a-f]{2}|[0-7]{1,3}|.)/iu
/** A bracket first in a class, escaped, or part of `[:alpha:]` does not end it. */
const CLASS = /^\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]/u
/** A class that is a short choice of letters and digits. */
const CHOICE = /^\[([\p{L}\p{N}]{1,4})\]$/u
const CONTROL: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v', a: '\x07' }

/** Strings of which a set is followed; with more a set says too little. */
const STRINGS_MAX = 16
const STRING_MAX = 64
/** Shorter ones occur everywhere. */
const NEEDLE_MIN = 2
/** Lists that are followed, those with the longest strings first. */
const LISTS_MAX = 4

interface Cursor {
  text: string
  at: number
}

/** What is known of a part of a pattern. */
interface Part {
  /** Characters that every match holds and the pattern names one by one. */
  literals: number
  /** Everything that it matches, if that is a short list. */
  exact: Strings | undefined
  /** Of each of these lists every match holds one string at least. */
  needles: readonly Strings[]
}

type Strings = readonly string[]

const WIDE: Part = { literals: 0, exact: undefined, needles: [] }
const NOTHING: Part = { literals: 0, exact: [''], needles: [] }

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
export const requiredLiterals = (text: string): number => alternatives({ text, at: 0 }).literals

/**
 * Lists of strings, as they stand in the pattern: of each list every match holds at least one string. None where no short
 * list of strings of two characters and more is known. For a pattern that RE2 compiles.
 */
export function requiredStrings(text: string): readonly Strings[] {
  return alternatives({ text, at: 0 }).needles
}

function alternatives(cursor: Cursor): Part {
  const branches = [sequence(cursor)]
  while (cursor.text[cursor.at] === '|') {
    cursor.at += 1
    branches.push(sequence(cursor))
  }
  const [first = NOTHING, ...more] = branches
  return more.reduce(either, first)
}

function either(a: Part, b: Part): Part {
  // Of each the list that says most: a match of the whole holds one string of one of them.
  const [one] = a.needles
  const [other] = b.needles
  const needles = shortList(one, other)
  return {
    literals: Math.min(a.literals, b.literals),
    exact: shortList(a.exact, b.exact),
    needles: needles === undefined ? [] : [needles],
  }
}

function shortList(a: Part['exact'], b: Part['exact']): Part['exact'] {
  if (a === undefined || b === undefined) return undefined
  const all = [...new Set([...a, ...b])]
  return all.length <= STRINGS_MAX ? all : undefined
}

/** Parts one after the other, up to a bar or bracket. */
function sequence(cursor: Cursor): Part {
  let literals = 0
  /** Everything that the parts since the last wide one match. */
  let run: Strings = ['']
  let whole = true
  const needles: Strings[] = []
  while (cursor.at < cursor.text.length && !/[|)]/.test(cursor.text[cursor.at] ?? '')) {
    const part = quantified(atom(cursor), cursor)
    literals += part.literals
    const joined = part.exact === undefined ? undefined : product(run, part.exact)
    if (joined === undefined) {
      needles.push(run, ...part.needles)
      whole = false
    }
    run = joined ?? part.exact ?? ['']
  }
  return { literals, exact: whole ? run : undefined, needles: best([...needles, run]) }
}

function product(a: Strings, b: Strings): Strings | undefined {
  if (a.length * b.length > STRINGS_MAX) return undefined
  const all = [...new Set(a.flatMap((head) => b.map((tail) => head + tail)))]
  return all.some(({ length }) => length > STRING_MAX) ? undefined : all
}

/** The lists whose shortest strings are longest: they occur least often. */
const best = (lists: readonly Strings[]): Strings[] =>
  [...new Map(lists.map((list) => [list.join('\n'), list])).values()]
    .filter((list) => shortest(list) >= NEEDLE_MIN)
    .sort((a, b) => shortest(b) - shortest(a))
    .slice(0, LISTS_MAX)

const shortest = (strings: Strings): number => Math.min(...strings.map((string) => [...string].length))

function atom(cursor: Cursor): Part {
  const rest = cursor.text.slice(cursor.at)
  if (rest.startsWith('(')) {
    cursor.at += rest.startsWith('(?:') ? 3 : 1
    const group = alternatives(cursor)
    cursor.at += 1
    return group
  }
  const place = PLACE.exec(rest)?.[0]
  const wide = place ?? CLASS.exec(rest)?.[0] ?? CLASS_ESCAPE.exec(rest)?.[0] ?? /^\./.exec(rest)?.[0]
  const token = wide ?? CHARACTER_ESCAPE.exec(rest)?.[0] ?? /^./su.exec(rest)?.[0] ?? ' '
  cursor.at += token.length
  if (place !== undefined) return NOTHING
  if (wide !== undefined) return choice(wide)
  const char = characterOf(token)
  return { literals: char === CONTROL['a'] || /^\s$/u.test(char) ? 0 : 1, exact: [char], needles: [] }
}

function choice(token: string): Part {
  const letters = CHOICE.exec(token)?.[1]
  return letters === undefined ? WIDE : { ...WIDE, exact: [...letters] }
}

function characterOf(token: string): string {
  if (!token.startsWith('\\')) return token
  const body = token.slice(1)
  const hex = /^x\{?([0-9a-f]+)\}?$/i.exec(body)?.[1]
  if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
  if (/^[0-7]+$/.test(body)) return String.fromCodePoint(Number.parseInt(body, 8))
  return CONTROL[body] ?? body
}

function quantified(part: Part, cursor: Cursor): Part {
  const char = cursor.text[cursor.at] ?? ''
  const count = COUNT.exec(cursor.text.slice(cursor.at))
  const least = count === null ? LEAST[char] : Number(count[1])
  if (least === undefined) return part
  cursor.at += count?.[0].length ?? 1
  if (cursor.text[cursor.at] === '?') cursor.at += 1
  const literals = part.literals * least
  if (char === '?') return { literals, exact: shortList(part.exact, ['']), needles: [] }
  return count !== null && count[2] === undefined
    ? { ...exactly(part, least), literals }
    : { literals, exact: undefined, needles: least === 0 ? [] : needlesOf(part) }
}

function exactly(part: Part, count: number): Part {
  if (count === 0) return NOTHING
  const exact = times(part.exact, count)
  return { ...part, exact, needles: exact === undefined ? needlesOf(part) : best([exact]) }
}

const needlesOf = ({ needles, exact }: Part): Strings[] => best([...needles, ...(exact === undefined ? [] : [exact])])

function times(strings: Part['exact'], count: number): Part['exact'] {
  let all: Part['exact'] = ['']
  for (let i = 0; i < count && all !== undefined && strings !== undefined; i++) all = product(all, strings)
  return strings === undefined ? undefined : all
}
