/** `object:path = 'value'`, of which patterns of signals are made. */
export interface Equality {
  object: string
  path: readonly string[]
  value: string
}

export interface ParsedPattern {
  equalities: readonly Equality[]
  joined: 'AND' | 'OR' | undefined
}

/** UTF-16 code units of a pattern: the longest that a signal has is of a hash of 4,096 digits. */
export const PATTERN_MAX = 8_192
/** Names of one path. */
const STEPS_MAX = 4

/**
 * Reads the part of STIX patterns (STIX 2.1 section 9) that signals are said in: one observation of one equality of a string, or of two
 * that are joined. Undefined for anything else. One pass over the text, with no way back and nothing that nests.
 */
export function parsePattern(text: string): ParsedPattern | undefined {
  if (text.length > PATTERN_MAX) return undefined
  const scan = scanner(text)
  if (scan.take(OPEN) === undefined) return undefined
  const first = equalityAt(scan)
  if (first === undefined) return undefined
  const joined = scan.take(JOINT)?.trim()
  const second = joined === undefined ? undefined : equalityAt(scan)
  if (scan.take(CLOSE) === undefined || !scan.ended()) return undefined
  if (joined !== 'AND' && joined !== 'OR') return { equalities: [first], joined: undefined }
  return second === undefined ? undefined : { equalities: [first, second], joined }
}

const OPEN = /[ \t\r\n]*\[[ \t\r\n]*/y
const CLOSE = /[ \t\r\n]*\][ \t\r\n]*/y
const JOINT = /[ \t\r\n]+(?:AND|OR)[ \t\r\n]+/y
const EQUALS = /[ \t\r\n]*=[ \t\r\n]*/y
const OBJECT = /[a-z0-9-]{1,64}:/y
const NAME = /[a-zA-Z0-9_-]{1,64}/y
const TEXT = /'(?:[^'\\]|\\[\\'])*'/y
const DOT = /\./y

interface Scanner {
  /** The text that an expression finds here, behind which the scan goes on. */
  take(expression: RegExp): string | undefined
  ended(): boolean
}

function scanner(text: string): Scanner {
  let at = 0
  return {
    take(expression) {
      expression.lastIndex = at
      const [found] = expression.exec(text) ?? []
      if (found !== undefined) at = expression.lastIndex
      return found
    },
    ended: () => at === text.length,
  }
}

function equalityAt(scan: Scanner): Equality | undefined {
  const object = scan.take(OBJECT)?.slice(0, -1)
  const path: string[] = []
  for (let more = object !== undefined; more; more = scan.take(DOT) !== undefined) {
    const step = scan.take(NAME) ?? textAt(scan)
    if (step === undefined || path.length === STEPS_MAX) return undefined
    path.push(step)
  }
  if (object === undefined || scan.take(EQUALS) === undefined) return undefined
  const value = textAt(scan)
  return value === undefined ? undefined : { object, path, value }
}

/** In a string nothing but quote and backslash is escaped. */
const textAt = (scan: Scanner): string | undefined =>
  scan
    .take(TEXT)
    ?.slice(1, -1)
    .replaceAll(/\\([\\'])/g, '$1')
