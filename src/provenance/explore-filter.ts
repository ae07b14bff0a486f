import { Refusal } from '../kernel/errors.ts'
import { isUuid } from '../kernel/ids.ts'
import { EVENTS } from './events.ts'

/** What entries are found by, besides their time. */
export const FILTER_FIELDS = ['actor', 'kind', 'signal', 'recipient', 'party'] as const
export type FilterField = (typeof FILTER_FIELDS)[number]

export interface FilterTerm {
  field: FilterField
  /** Of `kind` also the beginning of several, `signal.*`. */
  value: string
  not: boolean
}

/** A view of the log: what the text, the address, the chips and the API all say. */
export interface LogFilter {
  terms: readonly FilterTerm[]
  /** By the log's own time, which never runs back; `to` is without its instant. */
  from?: Date
  to?: Date
}

export const FILTER_CHARACTERS = 400
export const FILTER_TERMS = 12
/** Days of one range. */
export const FILTER_DAYS = 400
const DAY_MS = 86_400_000

const SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/
const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{3})?)?Z)?$/
const TERM = /^(-?)([a-z]+)(:|>=|<)(.*)$/

/** `actor:aster -kind:read.batch at>=2026-11-01`, terms that all hold. Throws a named refusal that says what is wrong. */
export function parseFilter(text: string): LogFilter {
  if (text.length > FILTER_CHARACTERS) throw tooFar(`a filter has at most ${FILTER_CHARACTERS} characters`)
  const words = text.split(/\s+/).filter((word) => word !== '')
  if (words.length > FILTER_TERMS) throw tooFar(`a filter has at most ${FILTER_TERMS} terms`)
  const terms: FilterTerm[] = []
  const range: { from?: Date; to?: Date } = {}
  for (const word of words) {
    const [, minus = '', name = '', operator = '', value = ''] = TERM.exec(word) ?? []
    if (name === 'at') takeInstant(range, { not: minus !== '', operator, value })
    else terms.push(termOf({ name, operator, value, not: minus !== '' }))
  }
  checkTerms(terms)
  checkRange(range)
  return { terms: unique(terms), ...range }
}

function termOf(written: { name: string; operator: string; value: string; not: boolean }): FilterTerm {
  const { name, operator, value, not } = written
  const field = FILTER_FIELDS.find((one) => one === name)
  if (field === undefined)
    throw new Refusal('filter-field', {
      detail: `there are ${FILTER_FIELDS.map((one) => `${one}:`).join(', ')}, at>= and at<`,
    })
  if (operator !== ':') throw malformed(`${field} is followed by a colon`)
  if (!isValue(field, value)) throw malformed(EXPECTED[field])
  return { field, value, not }
}

const EXPECTED: Readonly<Record<FilterField, string>> = {
  actor: 'actor: an organisation by its short name, or node',
  kind: 'kind: a kind of event such as signal.submitted, or the beginning of several, signal.*',
  signal: 'signal: the id of a signal',
  recipient: 'recipient: an organisation by its short name',
  party: 'party: an organisation by its short name',
}

function isValue(field: FilterField, value: string): boolean {
  if (field === 'signal') return isUuid(value)
  return field === 'kind' ? kindsOf(value).length > 0 : SLUG.test(value)
}

/** The kinds of events that a value of `kind` means. */
export function kindsOf(value: string): string[] {
  const kinds = Object.keys(EVENTS).filter((kind) => kind !== 'read')
  return value.endsWith('.*')
    ? kinds.filter((kind) => kind.startsWith(value.slice(0, -1)))
    : kinds.filter((kind) => kind === value)
}

function takeInstant(
  range: { from?: Date; to?: Date },
  { not, operator, value }: { not: boolean; operator: string; value: string },
): void {
  const at = new Date(value.length === 17 ? `${value.slice(0, 16)}:00Z` : value)
  const same = INSTANT.test(value) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(value.slice(0, 10))
  if (not || operator === ':' || !same)
    throw malformed('at>= or at<, a day such as 2026-11-01 or an instant that ends in Z')
  const end = operator === '<' ? 'to' : 'from'
  if (range[end] !== undefined) throw conflict('at>= and at< stand once each')
  range[end] = at
}

function checkRange({ from, to }: { from?: Date; to?: Date }): void {
  if (from === undefined || to === undefined) return
  if (from >= to) throw conflict('at>= is not before at<')
  if (to.getTime() - from.getTime() > FILTER_DAYS * DAY_MS) throw tooFar(`a range has at most ${FILTER_DAYS} days`)
}

function checkTerms(terms: readonly FilterTerm[]): void {
  for (const field of FILTER_FIELDS) {
    const own = terms.filter((one) => one.field === field)
    const wanted = new Set(own.flatMap(({ not, value }) => (not ? [] : [value])))
    // Several organisations may be told of one entry; whoever acted, and what it was, is one.
    if (wanted.size > 1 && field !== 'recipient' && field !== 'party')
      throw conflict(`an entry has one ${field}: ask for one at a time`)
    if (own.some(({ not, value }) => not && wanted.has(value)))
      throw conflict(`${field} is both asked for and left out`)
  }
}

const unique = (terms: readonly FilterTerm[]): FilterTerm[] =>
  terms.filter((one, i) => terms.findIndex((other) => wordOf(other) === wordOf(one)) === i)

const malformed = (detail: string): Refusal => new Refusal('filter-value', { detail })
const conflict = (detail: string): Refusal => new Refusal('filter-conflict', { detail })
const tooFar = (detail: string): Refusal => new Refusal('filter-range', { detail })

const wordOf = ({ field, value, not }: FilterTerm): string => `${not ? '-' : ''}${field}:${value}`

const instantOf = (at: Date): string => at.toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z')

/** Each term as it is written, with the filter that is left without it. */
export function wordsOf(filter: LogFilter): { word: string; without: LogFilter }[] {
  const { terms, from, to } = filter
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
  return [
    ...terms.map((term) => ({ word: wordOf(term), without: { terms: terms.filter((one) => one !== term), ...range } })),
    ...(from === undefined
      ? []
      : [{ word: `at>=${instantOf(from)}`, without: { terms, ...(to !== undefined && { to }) } }]),
    ...(to === undefined
      ? []
      : [{ word: `at<${instantOf(to)}`, without: { terms, ...(from !== undefined && { from }) } }]),
  ]
}

export const filterText = (filter: LogFilter): string =>
  wordsOf(filter)
    .map(({ word }) => word)
    .join(' ')
