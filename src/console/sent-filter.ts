import { Compile } from 'typebox/compile'
import { SentQuery } from '../feedback/sent-schema.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import { type Href, links } from './links.ts'

/** A view of one's own signals: what the address, the chips and the text all say. */
export type SentFilter = Pick<SentQuery, 'state' | 'type' | 'category' | 'said'>

export interface SentAsked {
  filter: SentFilter
  cursor?: Uuid
}

const NAMES = ['state', 'type', 'category', 'said'] as const
type Name = (typeof NAMES)[number]

const { cursor: _, limit: __, ...MEMBERS } = SentQuery.properties
const FILTER = Compile({ ...SentQuery, properties: MEMBERS })

/** What an address asks for; undefined for names or values that there are none of. */
export function readSentQuery(query: Readonly<Record<string, unknown>>): SentAsked | undefined {
  // An empty field of a form asks for anything.
  const told = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''))
  const { cursor, ...filter } = told
  if (!FILTER.Check(filter)) return undefined
  if (cursor === undefined) return { filter: filter as SentFilter }
  return typeof cursor === 'string' && isUuid(cursor) ? { filter: filter as SentFilter, cursor } : undefined
}

/** `type:url said:needs_information`; undefined where a term is none, or comes twice. */
export function parseSentText(text: string): SentFilter | undefined {
  const terms = text.split(/\s+/).filter((term) => term !== '')
  const filter = new Map<string, string>()
  for (const term of terms) {
    const cut = term.indexOf(':')
    const [name, value] = [term.slice(0, cut), term.slice(cut + 1)]
    if (cut < 1 || value === '' || filter.has(name) || !NAMES.some((one) => one === name)) return undefined
    filter.set(name, value)
  }
  return readSentQuery(Object.fromEntries(filter))?.filter
}

/** What is filtered by, in one order, and where each leads when it is taken away. */
export const sentTerms = (filter: SentFilter): { name: Name; value: string; without: Href }[] =>
  NAMES.flatMap((name) => {
    const { [name]: value, ...rest } = filter
    return value === undefined ? [] : [{ name, value, without: links.submissions(rest) }]
  })

export const sentText = (filter: SentFilter): string =>
  sentTerms(filter)
    .map(({ name, value }) => `${name}:${value}`)
    .join(' ')
