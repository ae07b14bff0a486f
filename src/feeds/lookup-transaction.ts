import { asParticipant, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { toBase64Url } from '../kernel/bytes.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Uuid } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import type { PreparedRead, ProvenanceService } from '../provenance/service.ts'
import { bySource, countKeys, type Disclosed, type Entry, hitsOf, lookupBody, type Queries } from './answer.ts'
import { readAsOf } from './as-of.ts'
import { lookUp } from './key-store.ts'
import type { Lookup } from './schema.ts'
import * as store from './store.ts'

/** Look-ups of one participant that go together; plain data, which may go to another thread. */
export interface LookUpGroup {
  participant: Uuid
  /** The place in the log below which `mayBe` is all of what may be found; undefined: anything of what is asked for. */
  upto: bigint | undefined
  asked: readonly { route: string; lookup: Lookup; mayBe: Queries }[]
}

/** An answer that is journaled, and how many matches it gives out. */
export interface LookedUp extends Pick<Disclosed, 'body' | 'read'> {
  matches: number
}

/** One transaction for the look-ups of a group; each has its own place in the journal. Answers in their order. */
export type CarryOutLookUps = (group: LookUpGroup) => Promise<LookedUp[]>

export interface LookUpTransactionOptions {
  db: Db
  clock: Clock
  provenance: Pick<ProvenanceService, 'projected' | 'prepareRead' | 'insertReads'>
  slugOf(participant: Uuid): string
  /** Of each statement. */
  timeoutMs: number
}

export function createLookUpTransaction(options: LookUpTransactionOptions): CarryOutLookUps {
  const { db, provenance, timeoutMs } = options
  return (group) =>
    asParticipant(
      db,
      group.participant,
      async (tx) => {
        const found = await findIn(options, tx, group)
        const answers = group.asked.map((one, i) => answer(options, one, found, found.searched[i] ?? []))
        const reads = answers.map(({ read }) => read)
        const names = await provenance.insertReads(tx, group.participant, reads)
        return answers.map(({ body, matches }, i) => ({ body, matches, read: names[i] ?? '' }))
      },
      { timeoutMs },
    )
}

/** What the database says of the keys, as of an index that its rows have reached, and none of them is beyond. */
async function findIn(
  { provenance, clock }: LookUpTransactionOptions,
  tx: Tx,
  { upto, asked }: LookUpGroup,
): Promise<Found> {
  const mayBe = asked.map((one) => one.mayBe)
  if (upto !== undefined && mayBe.every((queries) => keysOf(queries).length === 0))
    return { as_of: upto, searched: mayBe, matches: [], entries: new Map(), proofs: new Map() }
  const { as_of, searched, placed } = await readAsOf(async (tries) => {
    // What is in memory tells of the keys below `upto` alone: further on each of them may be found.
    const [known, queries] = tries === 0 ? [upto, mayBe] : [undefined, asked.map(({ lookup }) => lookup.queries)]
    // Asked for in this order on one connection, so the index is read before the rows.
    const [at, rows] = await Promise.all([
      known ?? provenance.projected(tx),
      lookUp(tx, queries.flatMap(keysOf), clock()),
    ])
    return { as_of: at, searched: queries, placed: rows }
  })
  return { as_of, searched, matches: placed, ...(await entriesOf(tx, placed)) }
}

interface Found {
  as_of: bigint
  /** Of each look-up, the keys that the matches are of. */
  searched: readonly Queries[]
  matches: Awaited<ReturnType<typeof lookUp>>
  entries: ReadonlyMap<string, Entry>
  proofs: ReadonlyMap<Uuid, string>
}

function answer(
  { provenance, slugOf }: LookUpTransactionOptions,
  { route, lookup }: LookUpGroup['asked'][number],
  { as_of, matches, entries, proofs }: Found,
  searched: Queries,
): { body: string; matches: number; read: PreparedRead } {
  const hits = hitsOf(searched, matches, (match) => entries.get(placeOf(match)))
  const body = lookupBody({ hits, proofs }, { as_of, asked: countKeys(lookup) })
  const read = provenance.prepareRead({
    route,
    as_of: { log: String(as_of) },
    n: hits.length,
    body: toBase64Url(sha256(Buffer.from(body))),
    asked: keysOf(lookup.queries),
    purpose: lookup.purpose,
    sources: bySource(
      hits.map(({ entry }) => entry),
      slugOf,
    ),
  })
  return { body, matches: hits.length, read }
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
