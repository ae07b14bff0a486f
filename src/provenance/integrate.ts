import { setImmediate } from 'node:timers/promises'
import { uuidArray } from '../db/arrays.ts'
import { atLog, type Tx } from '../db/as-participant.ts'
import type { Db } from '../db/connect.ts'
import { type Uuid, uuidFromBytes } from '../kernel/ids.ts'
import { sha256 } from '../kernel/sha256.ts'
import { LogHalted } from './anchor.ts'
import { type ChainLink, encodeBatch, PACKED, type PackedEntry } from './batch.ts'
import { chainDigest, chainsHash, decoyCount, decoyDigest, entryOf, genesisLink, nextLink } from './chain.ts'
import * as outboxStore from './outbox-store.ts'
import * as store from './store.ts'
import { decodeEdges, encodeEdges, growTiles, rootOfEdges } from './tile.ts'

/** Outbox rows of one round. */
export const ENTRIES_AT_ONCE = 4_096

export interface IntegratorOptions {
  db: Db
  logId: number
  salt: () => Uint8Array
}

export interface Integrator {
  /**
   * One round: index (A), clear the outbox (B), move the fence (C), each its own commit; answers the entries indexed. While more waits
   * than one round takes, B and C go on beside the A of the next, and the last round waits for both.
   */
  round(): Promise<number>
}

/** Rounds that begin behind the one before; then the outbox is read from its first row, where late commits may stand. */
export const ROUNDS_IN_A_ROW = 16

/** Gives outbox rows their index. Any number may run: the head's lock lets one through, and an event is indexed once. */
export function createIntegrator({ db, logId, salt }: IntegratorOptions): Integrator {
  /** Set while rows may stand in the outbox that are in the log already: a crash or a rival left them. */
  let suspicious = true

  /** B and C of the round before, and the last event that it read. */
  let before: { ended: Promise<void>; last: Uuid | undefined } | undefined
  let inARow = 0

  const index = (after?: Uuid) =>
    atLog(db, logId, async (tx) => {
      const head = await store.lockHead(tx, logId)
      if (head === undefined) return undefined
      if (head.closed_size !== null) throw new LogHalted('closed', `the log ended at ${head.closed_size}`)
      // What opens a log is its first entry.
      const own = head.size === 0n
      const waiting = await outboxStore.outbox(tx, logId, { limit: ENTRIES_AT_ONCE, own, after })
      const known = await placedBefore(tx, logId, waiting, suspicious)
      const fresh = await ready(tx, logId, waiting, known)
      const done = {
        clear: idsOf(waiting, [...known, ...fresh]),
        cleared: known.length + fresh.length,
        n: fresh.length,
        /** The highest event that was read, where more may follow. */
        last: waiting.n === ENTRIES_AT_ONCE ? highestIn(waiting) : undefined,
      }
      if (done.n === 0) return { ...head, ...done }
      const rows = fresh.map((place) => rowAt(waiting, place))
      const chains = await openChains(tx, { logId, head, rows })
      const [batch] = await Promise.all([
        later(() => build({ logId, head, rows, salt, chains })),
        store.insertEvents(tx, { log_id: logId, first_idx: head.size, ids: idsOf(waiting, fresh) }),
      ])
      await store.insertBatch(tx, batch)
      return { ...batch.head, ...done }
    })

  type Indexed = NonNullable<Awaited<ReturnType<typeof index>>>

  const finish = async ({ cleared, clear, size, root }: Indexed): Promise<void> => {
    if (cleared > 0) await atLog(db, logId, (tx) => outboxStore.clearOutbox(tx, logId, { size, root, ids: clear }))
    await atLog(db, logId, (tx) => store.moveFence(tx, logId, size, root))
  }

  /** One A, beside the B and C of the one before. */
  const step = async (): Promise<number> => {
    const { ended, last } = before ?? {}
    before = undefined
    const [indexed, finished] = await Promise.allSettled([index(last), ended])
    if (finished.status === 'rejected') throw finished.reason
    if (indexed.status === 'rejected') throw indexed.reason
    const done = indexed.value
    if (done === undefined) return 0
    suspicious = done.cleared > done.n
    inARow = done.last === undefined ? 0 : (inARow + 1) % ROUNDS_IN_A_ROW
    const finishing = finish(done)
    if (inARow === 0) await finishing
    else {
      // The next round hears of a failure.
      finishing.catch(() => {})
      before = { ended: finishing, last: done.last }
    }
    return done.n
  }

  return {
    async round() {
      try {
        const behind = before !== undefined
        const n = await step()
        // Late commits may stand before what was read.
        return behind && before === undefined ? n + (await step()) : n
      } catch (error) {
        suspicious = true
        throw error
      }
    },
  }
}

/** A row of the outbox by its place there. */
interface Row {
  packed: Uint8Array
  parties: string
}

const rowAt = ({ packed, parties }: outboxStore.Outbox, place: number): Row => ({
  packed: packed.subarray(PACKED * place, PACKED * (place + 1)),
  parties: parties[place] ?? '',
})

const commitmentOf = ({ packed }: Row): Uint8Array => packed.subarray(32)

const idAt = ({ packed }: outboxStore.Outbox, place: number): Uuid =>
  uuidFromBytes(packed.subarray(PACKED * place, PACKED * place + 16))

/** They are read by their ids, and come in the order of their time, which is another for ids that are derived. */
function highestIn({ packed, n }: outboxStore.Outbox): Uuid {
  let highest = packed.subarray(0, 16)
  for (let place = 1; place < n; place++) {
    const id = packed.subarray(PACKED * place, PACKED * place + 16)
    if (Buffer.compare(id, highest) > 0) highest = id
  }
  return uuidFromBytes(highest)
}

const idsOf = ({ packed }: outboxStore.Outbox, places: readonly number[]): Buffer =>
  uuidArray(packed, { width: PACKED, places })

const placesOf = ({ n }: outboxStore.Outbox): number[] => Array.from({ length: n }, (_, place) => place)

/** Which rows have their place in the log already: after a crash or a rival, and of what an earlier log left waiting. */
async function placedBefore(
  tx: Tx,
  logId: number,
  waiting: outboxStore.Outbox,
  suspicious: boolean,
): Promise<number[]> {
  if (waiting.n === 0 || (!suspicious && !waiting.inherited)) return []
  const places = placesOf(waiting)
  const known = await outboxStore.knownEvents(tx, logId, idsOf(waiting, places))
  return known.size === 0 ? [] : places.filter((place) => known.has(idAt(waiting, place)))
}

/** In their order; an entry waits until what it comes after is in the log or before it in this batch. */
async function ready(tx: Tx, logId: number, waiting: outboxStore.Outbox, known: readonly number[]): Promise<number[]> {
  const out = new Set(known)
  const sorted = placesOf(waiting).filter((place) => !out.has(place))
  const { after } = waiting
  const awaited = sorted.flatMap((place) => after?.[place] || [])
  if (after === undefined || awaited.length === 0) return sorted
  const placed = await outboxStore.knownEvents(tx, logId, awaited)
  const taken: number[] = []
  const held = new Map<Uuid, number[]>()
  // Whoever does not wait keeps its place: what others did because of it comes later by its time alone.
  const take = (first: number): void => {
    for (const next = [first]; next.length > 0; ) {
      const place = next.shift()
      if (place === undefined) return
      const id = idAt(waiting, place)
      placed.add(id)
      taken.push(place)
      next.push(...(held.get(id) ?? []))
    }
  }
  for (const place of sorted) {
    const before = after[place]
    if (before === undefined || before === '' || placed.has(before)) take(place)
    else held.set(before, [...(held.get(before) ?? []), place])
  }
  return taken
}

/** A party's chain while a batch moves it on. */
interface Chain {
  party: string
  seq: bigint
  link: Uint8Array
  first_seq: bigint
  /** `u64 idx || link` of each link, in memory that holds all of them. */
  segment: Uint8Array
  view: DataView
  n: number
}

/** By what the outbox calls the parties of a row. */
type Chains = ReadonlyMap<string, readonly Chain[]>

const LINKED = 8 + 32

/** Hashing, once the statements before it are on their way: the database works meanwhile. */
async function later<T>(work: () => T): Promise<T> {
  await setImmediate()
  return work()
}

function build({
  logId,
  head,
  rows,
  salt,
  chains,
}: {
  logId: number
  head: store.LogHead
  rows: readonly Row[]
  salt: () => Uint8Array
  chains: Chains
}): store.Integrated {
  const entries = rows.map((row, i) => chained(row, { chains, salt, idx: head.size + BigInt(i) }))
  const grown = growTiles(
    sha256,
    { size: head.size, edges: decodeEdges(head.edges) },
    entries.map(({ entry }) => entry),
  )
  return {
    log_id: logId,
    first_idx: head.size,
    n: entries.length,
    data: encodeBatch(entries),
    tiles: grown.tiles,
    chains: [...new Set([...chains.values()].flat())],
    head: { size: grown.size, root: rootOfEdges(sha256, grown), edges: encodeEdges(grown.edges) },
  }
}

/** The chains of rows, each with room for the links that they will be. */
async function openChains(
  tx: Tx,
  { logId, head, rows }: { logId: number; head: store.LogHead; rows: readonly Row[] },
): Promise<Chains> {
  const counts = new Map<string, number>()
  for (const { parties } of rows) counts.set(parties, (counts.get(parties) ?? 0) + 1)
  const links = new Map<string, number>()
  for (const [some, n] of counts) for (const party of named(some)) links.set(party, (links.get(party) ?? 0) + n)
  const heads = new Map((await store.chainHeads(tx, logId, [...links.keys()])).map((row) => [row.party, row]))
  const chains = new Map(
    [...links].map(([party, n]): [string, Chain] => {
      const known = heads.get(party)
      const seq = known?.seq ?? 0n
      const link = known?.link ?? genesisLink(sha256, head.origin, party)
      const segment = new Uint8Array(n * LINKED)
      return [party, { party, seq, link, first_seq: seq + 1n, segment, view: new DataView(segment.buffer), n: 0 }]
    }),
  )
  return new Map([...counts.keys()].map((some) => [some, named(some).flatMap((party) => chains.get(party) ?? [])]))
}

/** The entry of a record: its chains moved on by one, blinded, padded with decoys. */
function chained(
  row: Row,
  { chains, salt, idx }: { chains: Chains; salt: () => Uint8Array; idx: bigint },
): PackedEntry {
  const own = chains.get(row.parties)
  if (own === undefined) throw new Error('parties without chains')
  const c = commitmentOf(row)
  const links = own.map((chain): ChainLink => {
    chain.seq += 1n
    chain.link = nextLink(sha256, chain.link, chain.seq, c)
    chain.view.setBigUint64(chain.n * LINKED, idx)
    chain.segment.set(chain.link, chain.n * LINKED + 8)
    chain.n += 1
    return { party: chain.party, seq: chain.seq, salt: salt(), link: chain.link }
  })
  const decoys = Array.from({ length: decoyCount(links.length) }, salt)
  const digests = links.map((link) => chainDigest(sha256, link))
  for (const one of decoys) digests.push(decoyDigest(sha256, one))
  return { packed: row.packed, entry: entryOf(sha256, c, chainsHash(sha256, digests)), chains: links, decoys }
}

const named = (parties: string): string[] => (parties === '' ? [] : parties.split(' '))
