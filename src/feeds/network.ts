import type { Uuid } from '../kernel/ids.ts'
import { RELATION_NUMBER, type Relation, SIGNAL_TYPE } from '../signals/schema.ts'
import type { Placed } from './plan.ts'
import { NETWORK_MEMBERS_MAX, type NetworkResult } from './schema.ts'

/** A relation as it stands at one of its two ends. */
export interface RelationRow {
  signal_id: Uuid
  origin: Uuid
  relation_id: Uuid
  other_id: Uuid
  outward: boolean
  kind: number
  audience_id: Uuid
  revision: number
  state: number
  observed_at: Date
  expires_at: Date
  log_idx: bigint
}

/** A relation that the reader may see, at the end that was asked for. */
export type SeenRelation = Pick<
  RelationRow,
  'origin' | 'relation_id' | 'other_id' | 'outward' | 'kind' | 'revision' | 'observed_at' | 'log_idx'
>

/** A live signal that the reader may see; each source may have one of an id. */
export interface SeenSignal {
  signal_id: Uuid
  origin: Uuid
  type: number
  revision: number
  log_idx: bigint
}

const RELATION_NAME = new Map<number, string>(Object.entries(RELATION_NUMBER).map(([name, id]) => [id, name]))
const TYPE_NAME = new Map<number, string>(Object.entries(SIGNAL_TYPE).map(([name, id]) => [id, name]))

/** Both ends of a relation; nothing of any other signal. */
export function relationRows({ stated, signal_id: relation_id, ...placed }: Placed): RelationRow[] {
  if (stated === undefined) return []
  const { from, to, kind, observed_at } = stated
  const { origin, audience_id, revision, state, expires_at, log_idx } = placed
  const row = { origin, relation_id, kind, audience_id, revision, state, observed_at, expires_at, log_idx }
  return [
    { ...row, signal_id: from, other_id: to, outward: true },
    { ...row, signal_id: to, other_id: from, outward: false },
  ]
}

/** What is known of a signal's network, all of it the reader's to see. */
export interface SeenNetwork {
  signal: Uuid
  /** Of a hub none. */
  relations: readonly SeenRelation[]
  hub: boolean
  /** The signal itself and those that relations name. */
  signals: readonly SeenSignal[]
}

type Network = Omit<NetworkResult, 'as_of'>
type Member = Network['members'][number]
type Link = Member['relations'][number]
type SlugOf = (participant: Uuid) => string

/** A page of a network, and which revisions of whose signals it gives out. */
export interface NetworkPage {
  network: Network
  given: { origin: Uuid; signal_id: Uuid; revision: number }[]
}

/**
 * The members whose ids follow `after`, by rising id; undefined where the signal itself is none that the reader may see. A
 * relation whose other end is not to be seen makes no member: it would be half a pair.
 */
export function networkPage(
  { signal, relations, hub, signals }: SeenNetwork,
  { after, slugOf }: { after: Uuid | undefined; slugOf: SlugOf },
): NetworkPage | undefined {
  const seen = Map.groupBy(signals, ({ signal_id }) => signal_id)
  const own = seen.get(signal)
  if (own === undefined) return undefined
  const stated = Map.groupBy(relations, ({ other_id }) => other_id)
  const ids = [...stated.keys()].filter((id) => seen.has(id) && (after === undefined || id > after)).sort()
  const page = ids.slice(0, NETWORK_MEMBERS_MAX)
  const members = page.map(
    (id): Member => ({
      signal: id,
      signals: sourcesOf(seen.get(id) ?? [], slugOf),
      relations: linksOf(stated.get(id) ?? [], slugOf),
    }),
  )
  const next = ids.length > page.length ? (page.at(-1) ?? null) : null
  const given = [
    ...own,
    ...page.flatMap((id) => [
      ...(seen.get(id) ?? []),
      ...(stated.get(id) ?? []).map(({ relation_id, ...row }) => ({ ...row, signal_id: relation_id })),
    ]),
  ]
  return { network: { signal, signals: sourcesOf(own, slugOf), hub, members, next }, given: once(given) }
}

const sourcesOf = (signals: readonly SeenSignal[], slugOf: SlugOf): Member['signals'] =>
  signals
    .map(({ origin, type, revision }) => ({ source: slugOf(origin), type: TYPE_NAME.get(type) ?? '', revision }))
    .sort((a, b) => (a.source < b.source ? -1 : 1))

/** One link for each kind and direction, whoever states it. */
function linksOf(relations: readonly SeenRelation[], slugOf: SlugOf): Link[] {
  const groups = Map.groupBy(relations, ({ kind, outward }) => 2 * kind + Number(!outward))
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([key, own]) => {
      const times = own.map(({ observed_at }) => observed_at.getTime())
      return {
        relation: (RELATION_NAME.get(key >> 1) ?? '') as Relation,
        direction: key % 2 === 0 ? 'out' : 'in',
        first_seen: new Date(Math.min(...times)).toISOString(),
        last_seen: new Date(Math.max(...times)).toISOString(),
        stated_by: own
          .map(({ origin, relation_id, revision }) => ({ source: slugOf(origin), signal: relation_id, revision }))
          .sort((a, b) => (`${a.source} ${a.signal}` < `${b.source} ${b.signal}` ? -1 : 1)),
      }
    })
}

/** A relation may be a member, too. */
const once = (rows: readonly NetworkPage['given'][number][]): NetworkPage['given'] => [
  ...new Map(
    rows.map(({ origin, signal_id, revision }) => [`${origin}/${signal_id}`, { origin, signal_id, revision }]),
  ).values(),
]
