import { toHex } from '../kernel/bytes.ts'
import type { Uuid } from '../kernel/ids.ts'
import type { ReadItem } from '../provenance/readset.ts'
import { SIGNAL_TYPE } from '../signals/schema.ts'
import type { Lookup } from './schema.ts'

/** Who reads, as the connection proved it. */
export interface Reader {
  participant: Uuid
  slug: string
  /** Where the answer goes out: the route. */
  route: string
}

/** An answer as bytes that were serialised once, with the name of its entry in the read journal. */
export interface Disclosed {
  body: string
  /** `<journal row>.<place> <base64url commitment>`, sent as `Provenance-Read`. */
  read: string
  /** Of a part of a sealed feed, whose entries no source signed: the node's own, sent as `Feed-Signature`. */
  signature?: string | undefined
}

/** An event at its place, as far as answers are made of it. */
export interface Entry {
  seq: bigint
  origin: Uuid
  signal_id: Uuid
  revision: number
  submission_id: Uuid
  /** JSON text. */
  body: string
}

/** What is known of a match key and where its event stands. */
export interface Match {
  signal_key: Uint8Array
  type: number
  profile: string
  feed_id: Uuid
  seq: bigint
}

export type Queries = Lookup['queries']

export interface Hit {
  key: string
  entry: Entry
}

/** A page of events and of the submissions that prove them; each was serialised once, with its place. */
export const pageBody = (page: {
  rows: readonly { body: string }[]
  proofs: readonly string[]
  cursor: string
  more: boolean
}): string =>
  `{"events":[${page.rows.map(({ body }) => body).join(',')}],"submissions":[${page.proofs.join(',')}],` +
  `"next_cursor":"${page.cursor}","more":${page.more}}`

/** The answer to a look-up: each submission once, however many of its items match. */
export function lookupBody(
  { hits, proofs }: { hits: readonly Hit[]; proofs: ReadonlyMap<Uuid, string> },
  { as_of, asked }: { as_of: bigint; asked: number },
): string {
  const matches = hits.map(({ key, entry }) => `{"key":"${key}","event":${entry.body}}`)
  const cited = [...new Set(hits.map(({ entry }) => entry.submission_id))].flatMap((id) => proofs.get(id) ?? [])
  return `{"as_of":"${as_of}","asked":${asked},"matches":[${matches.join(',')}],"submissions":[${cited.join(',')}]}`
}

/** The answer to an opening: the event of each source that has a signal of the id, each submission once. */
export const openingBody = (opened: {
  rows: readonly { body: string }[]
  proofs: readonly string[]
  as_of: bigint
}): string =>
  `{"as_of":"${opened.as_of}","events":[${opened.rows.map(({ body }) => body).join(',')}],` +
  `"submissions":[${opened.proofs.join(',')}]}`

/** Matches by their key in hex. */
export type Matches = ReadonlyMap<string, readonly Match[]>

export const byKey = (matches: readonly Match[]): Matches => Map.groupBy(matches, ({ signal_key }) => toHex(signal_key))

/** What matches a look-up, in its order: the key, its type and its profile alike. A key that is repeated counts once. */
export function hitsOf(queries: Queries, matches: Matches, entryOf: (match: Match) => Entry | undefined): Hit[] {
  const told = new Set<string>()
  const hits: Hit[] = []
  for (const { type, profile, keys } of queries) {
    for (const key of keys) {
      const found = matches.get(key)
      if (found === undefined) continue
      const asked = `${type} ${profile} ${key}`
      if (told.has(asked)) continue
      told.add(asked)
      const alike = found.filter((one) => one.type === SIGNAL_TYPE[type] && one.profile === profile)
      hits.push(...alike.flatMap((match) => hitOf(key, entryOf(match))))
    }
  }
  return hits
}

const hitOf = (key: string, entry: Entry | undefined): Hit[] => (entry === undefined ? [] : [{ key, entry }])

export const countKeys = ({ queries }: Pick<Lookup, 'queries'>): number =>
  queries.reduce((n, { keys }) => n + keys.length, 0)

/** The per-source sets of an answer, in its order (provenance: read sets). */
export function bySource(
  rows: readonly { origin: Uuid; signal_id: Uuid; revision: number }[],
  slugOf: (participant: Uuid) => string,
): { party: string; items: ReadItem[] }[] {
  return [...Map.groupBy(rows, ({ origin }) => origin)].map(([origin, own]) => ({
    party: slugOf(origin),
    items: own.map(({ signal_id, revision }) => ({ signal: signal_id, revision })),
  }))
}
