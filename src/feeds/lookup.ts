import { asParticipant, type Tx } from '../db/as-participant.ts'
import { type Db, poolSize } from '../db/connect.ts'
import type { Clock } from '../kernel/clock.ts'
import { coalesce } from '../kernel/coalesce.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256Url } from '../kernel/sha256.ts'
import type { PreparedRead, ProvenanceService } from '../provenance/service.ts'
import {
  byKey,
  bySource,
  countKeys,
  type Disclosed,
  type Entry,
  hitsOf,
  lookupBody,
  type Matches,
  type Queries,
  type Reader,
} from './answer.ts'
import { readAsOf } from './as-of.ts'
import type { FeedDirectory } from './directory.ts'
import { lookUp } from './key-store.ts'
import type { KnownKeys } from './known-keys.ts'
import { LOOKUP_MAX, type Lookup } from './schema.ts'
import * as store from './store.ts'

export interface LookUpOptions {
  db: Db
  clock: Clock
  provenance: ProvenanceService
  directory: FeedDirectory
  known: KnownKeys
  /** Of each statement. */
  timeoutMs: number
  onLookUps: OnLookUps
}

/** Told of look-ups that were answered together, once their journal entries are durable; `by` unless the answer hides what is asked for. */
export type OnLookUps = (looked: readonly Looked[], by?: Uuid) => void

/** One look-up. */
export interface Looked {
  keys: number
  matches: number
}

interface Asked {
  by: Reader
  lookup: Lookup
}

/** Keys of one look-up transaction. */
const KEYS_AT_ONCE = 4_000

export function createLookUp(options: LookUpOptions): (by: Reader, lookup: Lookup) => Promise<Disclosed> {
  const lookUp = coalesce<string, Asked, Disclosed>((_, group) => lookUpTogether(options, group), {
    maxWeight: KEYS_AT_ONCE,
    weight: ({ lookup }) => countKeys(lookup),
    concurrency: 2,
    // The fewer run, the more look-ups share a transaction; the other half of the connections is for what else is asked.
    atOnce: Math.ceil(poolSize(options.db) / 2),
    maxWaiting: 4_096,
    refuse: () => new Refusal('busy', { retryAfter: 1 }),
  })
  return async (by, lookup) => {
    if (countKeys(lookup) > LOOKUP_MAX) {
      throw new Refusal('page-limit', { detail: 'ask for at most 1,000 keys a call', extra: { limit: LOOKUP_MAX } })
    }
    options.provenance.admitLookUp()
    return lookUp(by.participant, { by, lookup })
  }
}

/** One transaction for the look-ups of one participant that came together; each has its own journal entry. */
async function lookUpTogether(options: LookUpOptions, group: readonly Asked[]): Promise<Disclosed[]> {
  const { db, provenance, directory, known, onLookUps } = options
  const participant = group[0]?.by.participant
  if (participant === undefined) return []
  const upto = known.upto()
  const asked = group.map(({ lookup }) => lookup.queries)
  const scopes = [participant, ...directory.audiencesOf(participant).map(({ audience_id }) => audience_id)]
  const narrowed = (queries: Queries): Queries =>
    queries.map((query) => ({ ...query, keys: known.mayFind(query.keys, scopes) }))
  const mayBe = upto === undefined ? asked : asked.map(narrowed)
  const { answers, names } = await asParticipant(
    db,
    participant,
    async (tx) => {
      const found = await findIn(options, tx, { asked, mayBe, upto })
      const made = group.map((one, i) => answer(options, one, { ...found, queries: found.searched[i] ?? [] }))
      const reads = made.map(({ read }) => read)
      return { answers: made, names: await provenance.insertReads(tx, participant, reads) }
    },
    { timeoutMs: options.timeoutMs },
  )
  onLookUps(
    answers.map(({ looked }) => looked),
    participant,
  )
  return answers.map(({ body }, i) => ({ body, read: names[i] ?? '' }))
}

/** What the database says of the keys, as of an index that its rows have reached, and none of them is beyond. */
async function findIn(
  { provenance, clock }: LookUpOptions,
  tx: Tx,
  { asked, mayBe, upto }: { asked: readonly Queries[]; mayBe: readonly Queries[]; upto: bigint | undefined },
): Promise<Found> {
  if (upto !== undefined && mayBe.every((queries) => keysOf(queries).length === 0))
    return { as_of: upto, searched: mayBe, matches: new Map(), entries: new Map(), proofs: new Map() }
  const { as_of, searched, placed } = await readAsOf(async (tries) => {
    // What is in memory tells of the keys below `upto` alone: further on each of them may be found.
    const [known, queries] = tries === 0 ? [upto, mayBe] : [undefined, asked]
    // Asked for in this order on one connection, so the index is read before the rows.
    const [at, rows] = await Promise.all([
      known ?? provenance.projected(tx),
      lookUp(tx, queries.flatMap(keysOf), clock()),
    ])
    return { as_of: at, searched: queries, placed: rows }
  })
  return { as_of, searched, matches: byKey(placed), ...(await entriesOf(tx, placed)) }
}

interface Found {
  as_of: bigint
  /** Of each look-up, the keys that the matches are of. */
  searched: readonly Queries[]
  matches: Matches
  entries: ReadonlyMap<string, Entry>
  proofs: ReadonlyMap<Uuid, string>
}

function answer(
  { provenance, directory }: LookUpOptions,
  { by, lookup }: Asked,
  { as_of, queries, matches, entries, proofs }: Found & { queries: Queries },
): { body: string; read: PreparedRead; looked: Looked } {
  const asked = countKeys(lookup)
  const hits = hitsOf(queries, matches, (match) => entries.get(placeOf(match)))
  const body = lookupBody({ hits, proofs }, { as_of, asked })
  const read = provenance.prepareRead({
    route: by.route,
    as_of: { log: String(as_of) },
    n: hits.length,
    body: sha256Url(body),
    asked: keysOf(lookup.queries),
    purpose: lookup.purpose,
    sources: bySource(
      hits.map(({ entry }) => entry),
      directory.slugOf,
    ),
  })
  return { body, read, looked: { keys: asked, matches: hits.length } }
}

async function entriesOf(
  tx: Tx,
  matches: readonly { feed_id: Uuid; seq: bigint }[],
): Promise<Pick<Found, 'entries' | 'proofs'>> {
  const entries = new Map<string, Entry>()
  const proofs = new Map<Uuid, string>()
  const byFeed = Map.groupBy(matches, (match) => match.feed_id)
  const read = async (feed_id: Uuid, own: readonly { seq: bigint }[]): Promise<void> => {
    const seqs = own.map(({ seq }) => seq)
    for (const { proof, ...entry } of await store.entriesAt(tx, feed_id, seqs)) {
      entries.set(placeOf({ feed_id, seq: entry.seq }), entry)
      if (proof !== null) proofs.set(entry.submission_id, proof)
    }
  }
  await Promise.all([...byFeed].map(([feed_id, own]) => read(feed_id, own)))
  return { entries, proofs }
}

const placeOf = ({ feed_id, seq }: { feed_id: Uuid; seq: bigint }): string => `${feed_id}/${seq}`
const keysOf = (queries: Queries): string[] => queries.flatMap(({ keys }) => keys)
