import { Compile } from 'typebox/compile'
import { CasesQuery } from '../review/schema.ts'
import { type Href, links } from './links.ts'

/** A view of the queue: what the address, the chips and the text all say. */
export type QueueFilter = Pick<
  CasesQuery,
  'state' | 'type' | 'category' | 'severity' | 'source' | 'hits' | 'disputed'
> & { mine?: 'yes' }

export interface QueueAsked {
  filter: QueueFilter
  cursor?: string
}

const NAMES = ['state', 'type', 'category', 'severity', 'source', 'hits', 'disputed', 'mine'] as const
type Name = (typeof NAMES)[number]

const QUERY = Compile(CasesQuery)
/** Terms of one view: each name once. */
const TERMS_MAX = NAMES.length

/** What an address asks for; undefined for names or values that there are none of. */
export function readQuery(query: Readonly<Record<string, unknown>>): QueueAsked | undefined {
  const { cursor, mine, ...rest } = query
  const filter = { ...withoutEmpty(rest), ...(mine !== undefined && mine !== '' && { mine }) }
  const asked = { ...rest, ...(cursor !== undefined && { cursor }) }
  if (mine !== undefined && mine !== '' && mine !== 'yes') return undefined
  if (!QUERY.Check(withoutEmpty(asked)) || 'limit' in asked || 'holder' in asked) return undefined
  return { filter: filter as QueueFilter, ...(typeof cursor === 'string' && cursor !== '' && { cursor }) }
}

/** An empty field of a form asks for anything. */
const withoutEmpty = (query: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''))

/** `type:url severity:>=high`; undefined where a term is none, or comes twice. */
export function parseText(text: string): QueueFilter | undefined {
  const terms = text.split(/\s+/).filter((term) => term !== '')
  if (terms.length > TERMS_MAX) return undefined
  const filter: Record<string, string> = {}
  for (const term of terms) {
    const cut = term.indexOf(':')
    const [name, value] = [term.slice(0, cut), term.slice(cut + 1).replace(/^>=/, '')]
    if (cut < 1 || value === '' || name in filter || !NAMES.some((one) => one === name)) return undefined
    filter[name] = value
  }
  return readQuery(filter)?.filter
}

/** A term as it is written and shown. */
export const termOf = (name: Name, value: string): string => `${name}:${name === 'severity' ? '>=' : ''}${value}`

export const textOf = (filter: QueueFilter): string =>
  termsOf(filter)
    .map(({ name, value }) => termOf(name, value))
    .join(' ')

/** What is filtered by, in one order, and where each leads when it is taken away. */
export const termsOf = (filter: QueueFilter): { name: Name; value: string; without: Href }[] =>
  NAMES.flatMap((name) => {
    const value = filter[name]
    if (value === undefined) return []
    const { [name]: _, ...rest } = filter
    return [{ name, value, without: links.queue(rest) }]
  })
