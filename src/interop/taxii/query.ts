import { Refusal } from '../../kernel/errors.ts'
import { instantIn } from './instant.ts'

/** Objects of a page, and what a client gets that asks for more. */
export const PAGE_MAX = 1_000
/** Values of one filter. */
export const FILTER_MAX = 100

export type Filter = 'id' | 'type' | 'version' | 'spec_version'

export interface TaxiiQuery {
  addedAfter: bigint | undefined
  limit: number
  next: string | undefined
  match: Partial<Record<Filter, readonly string[]>>
  /** What a cursor is bound to: everything that says which records are meant. */
  means: string
}

/**
 * A query string as the protocol has it. Throws `invalid-query` for what is unknown, repeated or malformed, by its name and never its
 * value: a filter that were passed over would answer another question.
 */
export function queryOf(text: string, filters: readonly Filter[], pages: boolean): TaxiiQuery {
  const given = parametersIn(text, (name) => isKnown(name, filters, pages))
  const match = matchOf(given, filters)
  const after = given.get('added_after')
  const addedAfter = after === undefined ? undefined : instantIn(after)
  if (after !== undefined && addedAfter === undefined) throw invalid('added_after', 'is no instant in UTC')
  const next = given.get('next')
  const means = JSON.stringify([after ?? null, ...FILTERS.map((name) => match[name] ?? null)])
  return { addedAfter, limit: limitOf(given.get('limit')), next: next === '' ? undefined : next, match, means }
}

function parametersIn(text: string, known: (name: string) => boolean): Map<string, string> {
  const given = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (!known(name)) throw invalid('a parameter', 'is not known here')
    if (given.has(name)) throw invalid(name, 'is repeated')
    given.set(name, value)
  }
  return given
}

const FILTERS: readonly Filter[] = ['id', 'type', 'version', 'spec_version']
const PAGING = ['added_after', 'limit', 'next']

const isKnown = (name: string, filters: readonly Filter[], pages: boolean): boolean =>
  (pages && PAGING.includes(name)) || filters.some((filter) => name === `match[${filter}]`)

function limitOf(text: string | undefined): number {
  if (text === undefined) return PAGE_MAX
  if (!/^0*[1-9][0-9]{0,17}$/.test(text)) throw invalid('limit', 'is no number from 1 on')
  return Math.min(Number(text), PAGE_MAX)
}

function matchOf(given: ReadonlyMap<string, string>, filters: readonly Filter[]): TaxiiQuery['match'] {
  const match: TaxiiQuery['match'] = {}
  for (const name of filters) {
    const values = given.get(`match[${name}]`)?.split(',')
    if (values === undefined) continue
    if (values.length > FILTER_MAX) throw invalid(`match[${name}]`, `has more than ${FILTER_MAX} values`)
    if (name === 'version') checkVersions(values)
    match[name] = values
  }
  return match
}

function checkVersions(values: readonly string[]): void {
  if (values.includes('all') && values.length > 1) throw invalid('match[version]', 'has more than all')
  if (values.some((value) => !VERSION_WORDS.has(value) && instantIn(value) === undefined))
    throw invalid('match[version]', 'is none of first, last, all and instants')
}

/** A collection holds one version of each object, which is all of these. */
export const VERSION_WORDS: ReadonlySet<string> = new Set(['first', 'last', 'all'])

const invalid = (name: string, why: string): Refusal => new Refusal('invalid-query', { detail: `${name} ${why}` })
