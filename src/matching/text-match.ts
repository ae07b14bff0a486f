import type { RE2JS } from 're2js'
import {
  type CompiledPattern,
  compilePattern,
  foldingOf,
  neededIn,
  type Pattern,
  type PatternRefused,
} from './pattern.ts'
import { LITERAL_MIN } from './pattern-limits.ts'
import { type Automaton, createAutomaton } from './text-automaton.ts'
import { type Folding, folderOf, foldText, textOf } from './text-fold.ts'
import type { Folded } from './text-folded.ts'

/** A pattern with the signal that it came in. */
export interface TextPattern {
  signal: string
  revision: number
  value: Pattern
}

/** Which signal matched, and where: the first place, in UTF-16 code units of the text as it was given. */
export interface TextHit {
  /** Its place among the patterns that were given: an id is its source's choice, and two sources may have the same. */
  pattern: number
  signal: string
  revision: number
  start: number
  end: number
}

export interface TextMatcher {
  /** One hit for each pattern that matches, in the order of their places. Constant memory but for the text itself. */
  match(text: string): TextHit[]
  readonly size: number
  /** Patterns that are not matched, since they are no safe RE2; whoever sent them should have been refused. */
  readonly refused: readonly { signal: string; revision: number; code: PatternRefused['code'] }[]
}

/** Patterns that one folding of the text serves. */
interface Lane {
  folding: Folding
  automaton: Automaton
  /** By needle. */
  tasks: readonly Task[]
  /** Expressions of which no needle is known: tried on every text. */
  always: readonly Expression[]
}

interface Task {
  pattern: number
  /** Of a literal, the length of its folded text. */
  length: number
  wholeWord: boolean
  /** To be tried once all lists of its needles were heard of, of which this needle's is one. */
  expression: (Expression & { lists: number; list: number }) | undefined
}

interface Expression {
  pattern: number
  expression: RE2JS
  group: 0 | 1
}

const WORD = /^[\p{L}\p{N}_]/u

/**
 * Looks for all patterns in each text: literals by one automaton, and expressions only in texts that hold what each of their
 * matches must hold. Linear in the text, whoever wrote the patterns.
 */
export function createTextMatcher(patterns: readonly TextPattern[]): TextMatcher {
  const refused: TextMatcher['refused'][number][] = []
  const lanes = new Map<string, LaneDraft>()
  patterns.forEach(({ signal, revision, value }, pattern) => {
    const folding = foldingOf(value)
    const name = JSON.stringify(folding)
    const lane = lanes.get(name) ?? { folding, needles: [], tasks: [], always: [] }
    const code = addTo(lane, pattern, value)
    if (code !== undefined) refused.push({ signal, revision, code })
    lanes.set(name, lane)
  })
  const ready = [...lanes.values()].map(
    ({ needles, ...lane }): Lane => ({ ...lane, automaton: createAutomaton(needles) }),
  )
  const heard: Heard = { text: new Float64Array(patterns.length), lists: new Uint8Array(patterns.length) }
  let texts = 0
  return {
    size: patterns.length - refused.length,
    refused,
    match(text) {
      texts += 1
      const hits: TextHit[] = []
      const found = (pattern: number, start: number, end: number): void => {
        const { signal, revision } = patterns[pattern] ?? { signal: '', revision: 0 }
        hits.push({ pattern, signal, revision, start, end })
      }
      for (const lane of ready) matchLane(lane, { text, found, heard, now: texts })
      return hits.length < 2 ? hits : hits.sort((a, b) => a.start - b.start || a.end - b.end)
    },
  }
}

interface LaneDraft extends Omit<Lane, 'automaton'> {
  needles: string[]
  tasks: Task[]
  always: Expression[]
}

/** Answers why a pattern is not taken. */
function addTo(lane: LaneDraft, pattern: number, value: Pattern): PatternRefused['code'] | undefined {
  const { kind, text, whole_word: wholeWord } = value
  if (kind === 'literal') {
    const needle = foldText(lane.folding, text)
    if ([...needle].length < LITERAL_MIN) return 'pattern-literals'
    lane.needles.push(needle)
    lane.tasks.push({ pattern, length: needle.length, wholeWord, expression: undefined })
    return undefined
  }
  const compiled = compilePattern(value)
  if (compiled.outcome === 'refused') return compiled.code
  const expression = expressionOf(pattern, compiled.pattern)
  const lists = neededIn(value, lane.folding)
  if (lists.length === 0) lane.always.push(expression)
  lists.forEach((needles, list) => {
    for (const needle of needles) {
      lane.needles.push(needle)
      const waiting = { ...expression, lists: 2 ** lists.length - 1, list: 2 ** list }
      lane.tasks.push({ pattern, length: needle.length, wholeWord, expression: waiting })
    }
  })
  return undefined
}

const expressionOf = (pattern: number, { expression, group }: CompiledPattern): Expression => ({
  ...{ pattern, expression, group },
})

/** By pattern: the text in which it was heard of last, and the lists of its needles that were heard of there. */
interface Heard {
  text: Float64Array
  lists: Uint8Array
}

interface Matching {
  text: string
  found(pattern: number, start: number, end: number): void
  heard: Heard
  now: number
}

function matchLane({ folding, automaton, tasks, always }: Lane, { text, found, heard, now }: Matching): void {
  const folded = folderOf(folding).fold(text)
  const wanted: Expression[] = [...always]
  const literal = ({ pattern, length, wholeWord }: Task, end: number): boolean => {
    const start = end - length
    if (heard.text[pattern] === now) return true
    if (wholeWord && !isWholeWord(folded, start, end)) return false
    heard.text[pattern] = now
    found(pattern, folded.start(start), folded.end(end - 1))
    return true
  }
  automaton.scan(folded, (needle, end) => {
    const task = tasks[needle]
    if (task?.expression === undefined) return task === undefined || literal(task, end)
    const { pattern, lists, list } = task.expression
    const before = heard.text[pattern] === now ? (heard.lists[pattern] ?? 0) : 0
    heard.text[pattern] = now
    heard.lists[pattern] = before | list
    if (before !== lists && (before | list) === lists) wanted.push(task.expression)
    return true
  })
  if (wanted.length === 0) return
  const string = textOf(folded)
  for (const { pattern, expression, group } of wanted) {
    const matcher = expression.matcher(string)
    if (matcher.find()) found(pattern, folded.start(matcher.start(group)), folded.end(matcher.end(group) - 1))
  }
}

/** As `(?:^|[^\p{L}\p{N}_])` and `(?:$|[^\p{L}\p{N}_])` around it would have it. */
function isWholeWord({ units, length }: Folded, start: number, end: number): boolean {
  const before = start === 0 ? '' : unitsText(units, isTrail(units[start - 1]) ? start - 2 : start - 1, start)
  const after = end === length ? '' : unitsText(units, end, Math.min(length, end + 2))
  return !WORD.test(before) && !WORD.test(after)
}

const isTrail = (unit = 0): boolean => unit >= 0xdc00 && unit <= 0xdfff

const unitsText = (units: Uint16Array, from: number, to: number): string =>
  String.fromCharCode(...units.subarray(Math.max(0, from), to))
