import { ASSIGNED, FOLD_COMMON, FOLD_FULL } from './unicode-tables.ts'

/** The version of the tables; normalisation forms of what was assigned then never change (UAX #15, stability policy). */
const UNICODE_VERSION = '16.0.0'

const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu
const UNKNOWN_HERE = /\p{Cn}/u
const CONTROL = /\p{Cc}/u
/** Folding and composing settle in two rounds; more is a fault of the tables. */
const ROUNDS = 8

const base36 = (digits: string | undefined): number => (digits === undefined ? 0 : Number.parseInt(digits, 36))

/** First and last code point of each assigned range, in order. */
const assigned: readonly (readonly [number, number])[] = (() => {
  let end = 0
  return ASSIGNED.split(' ').map((part) => {
    const [distance, more] = part.split('-')
    const first = end + base36(distance)
    end = first + base36(more)
    return [first, end] as const
  })
})()

const folds: ReadonlyMap<string, string> = (() => {
  const map = new Map<string, string>()
  let start = 0
  for (const run of FOLD_COMMON.split(' ')) {
    const [distance, offset, count = '1', step = '1'] = run.split('.')
    start += base36(distance)
    for (let i = 0; i < base36(count); i++) {
      const from = start + i * base36(step)
      map.set(String.fromCodePoint(from), String.fromCodePoint(from + base36(offset)))
    }
  }
  for (const entry of FOLD_FULL.split(' ')) {
    const [from = 0, ...to] = entry.split('.').map(base36)
    map.set(String.fromCodePoint(from), String.fromCodePoint(...to))
  }
  return map
})()

/** Assigned in the shipped version, whatever this runtime's own Unicode is. */
export function isAssigned(codePoint: number): boolean {
  let low = 0
  let high = assigned.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = assigned[middle] ?? [0, 0]
    if (codePoint < first) high = middle - 1
    else if (codePoint > last) low = middle + 1
    else return true
  }
  return false
}

/**
 * Why text cannot be normalised the same way everywhere, or undefined. Code points that the tables do not know are
 * refused, and so are those that only this runtime does not know: it could not normalise them.
 */
export function textFault(text: string): string | undefined {
  if (!text.isWellFormed()) return 'not well-formed Unicode'
  if (CONTROL.test(text)) return 'a control character'
  if (UNKNOWN_HERE.test(text)) return 'a code point this runtime does not know'
  for (const char of text) {
    if (!isAssigned(char.codePointAt(0) ?? 0)) return `a code point that Unicode ${UNICODE_VERSION} does not assign`
  }
  return undefined
}

/** Holds what is not shown: two texts that look the same could be two. */
export const isHiding = (text: string): boolean => text.search(IGNORABLE) >= 0

/** Full case folding (Unicode, section 3.13, toCasefold), which is not lower-casing: sharp s becomes ss. */
export function caseFold(text: string): string {
  let out = ''
  for (const char of text) out += folds.get(char) ?? char
  return out
}

/** NFC and case folding, until nothing changes. */
export const foldNfc = (text: string): string => settle(text.normalize('NFC'), (now) => caseFold(now).normalize('NFC'))

/** NFKC, case folding unless told otherwise, default-ignorable code points dropped; until nothing changes. */
export function foldNfkc(text: string, { caseSensitive = false } = {}): string {
  return settle(text.normalize('NFKC'), (now) =>
    (caseSensitive ? now : caseFold(now)).replace(IGNORABLE, '').normalize('NFKC'),
  )
}

function settle(text: string, step: (text: string) => string): string {
  let now = text
  for (let i = 0; i < ROUNDS; i++) {
    const next = step(now)
    if (next === now) return now
    now = next
  }
  throw new Error('case folding does not settle')
}
